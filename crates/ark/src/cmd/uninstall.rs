//! `ark uninstall`: takes away what `ark install` made, and waits until it is
//! gone. Buckets are never touched.

mod definitions;
mod finalizers;

use std::time::Duration;

use ark_api::GoDuration;
use ark_engine::port::{ApiResource, Cluster as _, Target};
use ark_kube::{Connection, apply, wait};
use clap::Args;

use crate::args::value::duration;
use crate::cmd::install;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::out::style::Tone;

const DEFAULT_WAIT: Duration = Duration::from_mins(5);
/// How long the server gets to remove the files of restores.
const FINALIZER_WAIT: Duration = Duration::from_mins(1);

/// Take the server out of the cluster
///
/// Backups stay in their buckets. The custom resources' definitions stay when
/// other tools use them.
#[derive(Debug, Clone, Default, Args)]
pub struct UninstallArgs {
    /// Do not ask for consent
    #[arg(short = 'y', long, visible_aliases = ["yes", "force"])]
    confirm: bool,

    /// Wait until everything is gone; this is what happens anyway
    #[arg(long, hide = true)]
    wait: bool,

    /// Keep the definitions of the custom resources in any case
    #[arg(long)]
    keep_crds: bool,

    /// How long to wait for the namespace to be gone [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait_timeout: Option<GoDuration>,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: UninstallArgs) -> Result<Exit, CommandError> {
    let connection = ctx.connect().await?;
    let ours = namespace_is_ours(ctx, connection).await?;
    if !args.confirm {
        let question = format!(
            "take Ark out of {}, with namespace `{}` and everything in it?",
            connection.server(),
            ctx.namespace()
        );
        ctx.talk.confirm(&question, "--confirm")?;
    }
    if ours {
        finalizers::release(ctx, FINALIZER_WAIT).await?;
    }
    remove(ctx, connection, &args).await?;
    if args.keep_crds {
        ctx.talk
            .say("Keeping the definitions of the custom resources");
    } else {
        definitions::remove(ctx, connection).await?;
    }
    ctx.talk
        .say(ctx.talk.style().paint(Tone::Good, "Ark is uninstalled"));
    Ok(Exit::Done)
}

/// Whether the namespace exists. One that `ark install` did not make is refused:
/// it would be deleted with everything in it.
async fn namespace_is_ours(ctx: &Context, connection: &Connection) -> Result<bool, CommandError> {
    let resource = ApiResource::namespaces();
    let target = Target {
        resource: &resource,
        namespace: None,
        name: ctx.namespace(),
    };
    let Some(namespace) = connection.get(target).await? else {
        return Ok(false);
    };
    let labels = &namespace.head().labels;
    if labels
        .get("app.kubernetes.io/managed-by")
        .is_some_and(|by| by == "ark")
    {
        return Ok(true);
    }
    Err(CommandError::refused(format!(
        "namespace `{}` was not made by `ark install`",
        ctx.namespace()
    ))
    .hint("name the right one with --namespace, or delete the objects in it by hand"))
}

/// Deletes what is not a definition: namespace and cluster role binding.
async fn remove(
    ctx: &Context,
    connection: &Connection,
    args: &UninstallArgs,
) -> Result<(), CommandError> {
    let mut objects = install::bare(ctx.namespace())?;
    // The namespace takes everything in it with it.
    objects.retain(|object| object["metadata"]["namespace"].is_null());
    apply::delete(connection, &objects, None, |applied| {
        install::tell(ctx, applied);
    })
    .await?;
    ctx.talk.say(format_args!(
        "Waiting for namespace `{}` to be gone",
        ctx.namespace()
    ));
    let timeout = args.wait_timeout.map_or(DEFAULT_WAIT, GoDuration::to_std);
    wait::namespace_gone(connection, ctx.namespace(), timeout).await?;
    Ok(())
}
