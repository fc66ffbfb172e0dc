//! Files of backups and restores, by way of the server: a download request, its
//! answer, and the file behind it. `source` says where the file is read.

mod source;

use std::path::PathBuf;
use std::time::Duration;

use ark_api::download_request::DownloadRequestSpec;
use ark_api::{DownloadRequest, DownloadTarget, DownloadTargetKind, GoDuration, ObjectMeta};
use ark_archive::gunzip::gunzip;
use ark_kube::CustomError;
use bytes::Bytes;
use clap::Args;

pub(crate) use self::source::PODS;
use self::source::Source;
use crate::args::value::duration;
use crate::cluster;
use crate::context::Context;
use crate::error::{CommandError, ErrorKind};
use crate::name;

/// Files that are larger packed are not shown.
const MAX_PACKED: usize = 128 << 20;
/// Files that are larger unpacked are not shown.
const MAX_UNPACKED: u64 = 1 << 30;
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// How to fetch.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Download")]
pub struct DownloadArgs {
    /// How long to wait for the server to make the file readable [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<GoDuration>,

    /// File with certificates (PEM) to trust in connections to the storage
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Take any certificate of the storage
    #[arg(long)]
    insecure_skip_tls_verify: bool,

    /// Read through the API server and the Ark server, even where the storage can be reached
    #[arg(long)]
    through_api_server: bool,
}

/// What a download request was answered.
struct Ticket {
    name: String,
    uid: String,
    url: String,
}

/// The unpacked file of a backup or restore; `None` where the storage has no
/// such file.
pub async fn file(
    ctx: &Context,
    kind: DownloadTargetKind,
    target: &str,
    args: &DownloadArgs,
) -> Result<Option<Vec<u8>>, CommandError> {
    let mut packed = Vec::new();
    let found = each(ctx, kind.clone(), target, args, &mut |chunk| {
        packed.extend_from_slice(&chunk);
        if packed.len() > MAX_PACKED {
            let what = format!("the {kind} of `{target}` is too large to be shown");
            return Err(CommandError::failed(what));
        }
        Ok(())
    })
    .await?;
    if !found {
        return Ok(None);
    }
    let unpacked = gunzip(&packed, MAX_UNPACKED).map_err(|error| {
        CommandError::because(
            format_args!("cannot unpack the {kind} of `{target}`"),
            &error,
        )
    })?;
    Ok(Some(unpacked))
}

/// Hands the file of a backup or restore over piece by piece, as it is stored;
/// answers whether there is such a file.
pub async fn each(
    ctx: &Context,
    kind: DownloadTargetKind,
    target: &str,
    args: &DownloadArgs,
    take: &mut dyn FnMut(Bytes) -> Result<(), CommandError>,
) -> Result<bool, CommandError> {
    let ticket = ask(ctx, kind, target, args).await?;
    let read = async {
        let Some(mut source) = Source::open(ctx, &ticket, args).await? else {
            return Ok(false);
        };
        while let Some(chunk) = source.chunk().await? {
            take(chunk)?;
        }
        Ok(true)
    };
    let found = read.await;
    // The server deletes it when it expires; tidier is to do it now.
    let _ = cluster::delete::<DownloadRequest>(ctx, &ticket.name).await;
    found
}

/// Asks the server for an address.
async fn ask(
    ctx: &Context,
    kind: DownloadTargetKind,
    target: &str,
    args: &DownloadArgs,
) -> Result<Ticket, CommandError> {
    let request = DownloadRequest {
        metadata: ObjectMeta {
            name: Some(format!("{target}-{}", name::uid())),
            namespace: Some(ctx.namespace().to_owned()),
            ..ObjectMeta::default()
        },
        spec: DownloadRequestSpec {
            target: DownloadTarget {
                kind,
                name: target.to_owned(),
            },
        },
        status: None,
    };
    let own = request.metadata.name.clone().unwrap_or_default();
    cluster::create(ctx, &request).await?;
    let timeout = args.timeout.map_or(DEFAULT_TIMEOUT, GoDuration::to_std);
    let custom = cluster::custom::<DownloadRequest>(ctx).await?;
    let answered = custom
        .watch_until(&own, |request| !url_of(request).is_empty(), timeout)
        .await;
    let failure = match answered {
        Ok(request) => {
            return Ok(Ticket {
                url: url_of(&request).to_owned(),
                uid: request.metadata.uid.unwrap_or_default(),
                name: own,
            });
        }
        Err(CustomError::Timeout { .. }) => CommandError::new(
            ErrorKind::TimedOut,
            format!("the server did not say where the files of `{target}` are"),
        )
        .hint(format!(
            "is a server running in namespace `{}`? `ark version` asks it",
            ctx.namespace()
        )),
        Err(error) => error.into(),
    };
    let _ = custom.delete(&own).await;
    Err(failure)
}

fn url_of(request: &DownloadRequest) -> &str {
    request
        .status
        .as_ref()
        .map(|status| status.download_url.as_str())
        .unwrap_or_default()
}
