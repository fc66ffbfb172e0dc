//! `ark backup logs`.

use ark_api::{Backup, BackupPhase, DownloadTargetKind};
use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::context::Context;
use crate::download::{self, DownloadArgs};
use crate::error::{CommandError, Exit};
use crate::work::Work as _;
use crate::{cluster, direct, follow, live};

const EXAMPLES: &str = "\
Examples:
  ark backup logs nightly
  ark backup logs nightly --follow
  ark backup logs nightly --from s3://my-backups";

/// Print the log of a backup
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct LogsArgs {
    /// Name of the backup
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
    if let Some(from) = &args.from {
        let log = direct::gunzipped(from, &ark_archive::layout::log(&args.name)).await?;
        ctx.printer.print(log)?;
        return Ok(Exit::Done);
    }
    let mut backup: Backup = cluster::get(ctx, &args.name).await?;
    if args.follow && !backup.phase().is_terminal() {
        // The server writes the log when the backup ends; until then there is
        // its progress. How the backup ended is for `describe` to tell.
        follow::backup(ctx, &args.name, None).await?;
        backup = cluster::get(ctx, &args.name).await?;
    }
    if !has_files(backup.phase()) {
        return Err(no_log(&args.name, &backup.standing().phase));
    }
    let log = download::file(
        ctx,
        DownloadTargetKind::BackupLog,
        &args.name,
        &args.download,
    )
    .await?;
    let log = log.ok_or_else(|| {
        CommandError::failed(format!(
            "the log of backup `{}` is not in its location",
            args.name
        ))
    })?;
    ctx.printer.print(log)?;
    Ok(Exit::Done)
}

/// Whether a backup in this phase has its files in the bucket.
pub(crate) fn has_files(phase: &BackupPhase) -> bool {
    matches!(
        phase,
        BackupPhase::Completed
            | BackupPhase::PartiallyFailed
            | BackupPhase::Failed
            | BackupPhase::WaitingForPluginOperations
            | BackupPhase::WaitingForPluginOperationsPartiallyFailed
    )
}

fn no_log(name: &str, phase: &str) -> CommandError {
    let message = format!("backup `{name}` has no log: it is in phase {phase}");
    CommandError::failed(message).hint(match phase {
        "FailedValidation" => format!("`ark backup describe {name}` shows what is wrong with it"),
        _ => format!("`ark backup logs {name} --follow` waits for it"),
    })
}
