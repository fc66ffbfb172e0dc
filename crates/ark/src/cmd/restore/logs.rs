//! `ark restore logs`.

use ark_api::{DownloadTargetKind, Restore, RestorePhase};
use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::context::Context;
use crate::download::{self, DownloadArgs};
use crate::error::{CommandError, Exit};
use crate::{cluster, direct, follow, live};

const EXAMPLES: &str = "\
Examples:
  ark restore logs nightly-20260301120000
  ark restore logs nightly-20260301120000 --follow";

/// Print the log of a restore
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct LogsArgs {
    /// Name of the restore
    #[arg(add = ArgValueCandidates::new(live::names))]
    name: String,

    /// Read the bucket with your own credentials: a directory, or a bucket as `s3://`, `gs://` or `azblob://BUCKET/PREFIX`
    #[arg(long, value_name = "DIR|URL")]
    from: Option<String>,

    /// If it is still running: show its progress until it ends, then print its log
    #[arg(short, long, conflicts_with = "from")]
    follow: bool,

    #[command(flatten)]
    download: DownloadArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: LogsArgs) -> Result<Exit, CommandError> {
    let name = &args.name;
    if let Some(from) = &args.from {
        let log = direct::gunzipped(from, &ark_archive::layout::restore_log(name)).await?;
        ctx.printer.print(log)?;
        return Ok(Exit::Done);
    }
    let mut restore: Restore = cluster::get(ctx, name).await?;
    if args.follow && !restore.phase().is_terminal() {
        // The server writes the log when the restore ends.
        follow::restore(ctx, name, None).await?;
        restore = cluster::get(ctx, name).await?;
    }
    if !has_files(restore.phase()) {
        let message = format!(
            "restore `{name}` has no log: it is in phase {}",
            restore.phase()
        );
        return Err(CommandError::failed(message)
            .hint(format!("`ark restore logs {name} --follow` waits for it")));
    }
    let log = download::file(ctx, DownloadTargetKind::RestoreLog, name, &args.download).await?;
    let log = log.ok_or_else(|| {
        CommandError::failed(format!(
            "the log of restore `{name}` is not in its location"
        ))
    })?;
    ctx.printer.print(log)?;
    Ok(Exit::Done)
}

/// Whether a restore in this phase has its files in the bucket.
pub(super) fn has_files(phase: &RestorePhase) -> bool {
    matches!(
        phase,
        RestorePhase::Completed
            | RestorePhase::PartiallyFailed
            | RestorePhase::Failed
            | RestorePhase::WaitingForPluginOperations
            | RestorePhase::WaitingForPluginOperationsPartiallyFailed
    )
}
