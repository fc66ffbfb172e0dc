//! `ark backup logs`.

use ark_api::{Backup, BackupPhase, DownloadTargetKind};
use clap::Args;

use crate::context::Context;
use crate::download::{self, DownloadArgs};
use crate::error::{CommandError, Exit};
use crate::work::Work as _;
use crate::{cluster, direct};

/// Print the log of a backup
#[derive(Debug, Clone, Default, Args)]
pub struct LogsArgs {
    /// Name of the backup
    name: String,

    /// Read the bucket with your own credentials: a directory or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "DIR|URL")]
    from: Option<String>,

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
    let backup: Backup = cluster::get(ctx, &args.name).await?;
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
pub(super) fn has_files(phase: &BackupPhase) -> bool {
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
        _ => format!("`ark backup describe {name}` shows how it goes"),
    })
}
