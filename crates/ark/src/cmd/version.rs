//! `ark version`. With `--client` nothing is read, sent or started.

use std::fmt::Write as _;

use ark_api::status_request::ServerStatusRequestStatus;
use ark_api::{ObjectMeta, ServerStatusRequest, ServerStatusRequestPhase};
use ark_kube::CustomError;
use clap::Args;
use serde::Serialize;

use crate::args::answer::AnswerArgs;
use crate::args::output::TextOutputArgs;
use crate::context::Context;
use crate::error::{CommandError, ErrorKind, Exit};
use crate::out::document::{self, ObjectFormat, TextFormat};
use crate::{cluster, name};

const EXAMPLES: &str = "\
Examples:
  ark version
  ark version --client -o json";

/// Show the versions of this program and of the server
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct VersionArgs {
    /// Only this program, without asking the server
    #[arg(long, alias = "client-only")]
    client: bool,

    #[command(flatten)]
    answer: AnswerArgs,

    #[command(flatten)]
    output: TextOutputArgs,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    client: Client,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Server>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Client {
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_commit: Option<&'static str>,
    api_versions: [&'static str; 2],
    backup_format_version: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Server {
    version: String,
    namespace: String,
}

const CLIENT: Client = Client {
    version: concat!("v", env!("CARGO_PKG_VERSION")),
    // Whoever builds a release sets it; an archive of the sources has no history.
    git_commit: option_env!("ARK_GIT_COMMIT"),
    api_versions: [ark_api::V1, ark_api::V2ALPHA1],
    backup_format_version: ark_engine::backup::FORMAT_VERSION,
};

/// Runs the verb.
pub fn run(ctx: &Context, args: &VersionArgs) -> Result<Exit, CommandError> {
    let server = (!args.client)
        .then(|| ctx.block_on(server(ctx, args)))
        .transpose();
    let (server, failure) = match server {
        Ok(server) => (server, None),
        Err(error) => (None, Some(error)),
    };
    // The half that is known is shown even when the other one is not to be had.
    show(
        ctx,
        &Versions {
            client: CLIENT,
            server,
        },
        args.output.format,
    )?;
    failure.map_or(Ok(Exit::Done), Err)
}

fn show(ctx: &Context, versions: &Versions, format: TextFormat) -> Result<(), CommandError> {
    match format {
        TextFormat::Json => document::print(&ctx.printer, versions, ObjectFormat::Json),
        TextFormat::Yaml => document::print(&ctx.printer, versions, ObjectFormat::Yaml),
        TextFormat::Text => {
            let mut text = format!("Client:\n  Version: {}\n", CLIENT.version);
            if let Some(commit) = CLIENT.git_commit {
                let _ = writeln!(text, "  Git commit: {commit}");
            }
            if let Some(server) = &versions.server {
                let _ = write!(text, "Server:\n  Version: {}\n", server.version);
            }
            ctx.printer.print(text)?;
            if let Some(server) = &versions.server
                && server.version != CLIENT.version
            {
                ctx.talk
                    .warn("this program and the server have different versions");
            }
            Ok(())
        }
    }
}

/// Both versions as text; what the server says when it cannot be asked, too.
pub(crate) async fn both(ctx: &Context) -> String {
    let server = match ask(ctx, &AnswerArgs::default()).await {
        Ok(status) => status.server_version,
        Err(error) => error.message,
    };
    format!("Client: {}\nServer: {server}\n", CLIENT.version)
}

/// Asks the server for its version.
async fn server(ctx: &Context, args: &VersionArgs) -> Result<Server, CommandError> {
    Ok(Server {
        version: ask(ctx, &args.answer).await?.server_version,
        namespace: ctx.namespace().to_owned(),
    })
}

/// Asks the server by a status request, which is taken away again.
pub(crate) async fn ask(
    ctx: &Context,
    answer: &AnswerArgs,
) -> Result<ServerStatusRequestStatus, CommandError> {
    let request = ServerStatusRequest {
        metadata: ObjectMeta {
            name: Some(format!("ark-cli-{}", &name::uid()[..8])),
            namespace: Some(ctx.namespace().to_owned()),
            ..ObjectMeta::default()
        },
        ..ServerStatusRequest::default()
    };
    let own = request.metadata.name.clone().unwrap_or_default();
    cluster::create(ctx, &request).await?;
    let custom = cluster::custom::<ServerStatusRequest>(ctx).await?;
    let processed =
        |request: &ServerStatusRequest| *request.phase() == ServerStatusRequestPhase::Processed;
    let answered = custom.watch_until(&own, processed, answer.timeout()).await;
    // The server deletes it some time later; tidier is to do it now.
    let _ = custom.delete(&own).await;
    match answered {
        Ok(request) => Ok(request.status.unwrap_or_default()),
        Err(CustomError::Timeout { waited, .. }) => Err(CommandError::new(
            ErrorKind::TimedOut,
            format!(
                "no server answered in namespace `{}` within {}s",
                ctx.namespace(),
                waited.as_secs()
            ),
        )
        .hint(format!(
            "`kubectl -n {} get deployment,pod` shows whether it runs",
            ctx.namespace()
        ))),
        Err(error) => Err(error.into()),
    }
}
