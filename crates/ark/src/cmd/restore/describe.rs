//! `ark restore describe`.

use ark_api::{DownloadTargetKind, PodVolumeRestore, Restore, label};
use clap::Args;

use super::logs::has_files;
use crate::args::output::TextOutputArgs;
use crate::args::which::LookArgs;
use crate::cluster;
use crate::cmd::backup::describe::fetched;
use crate::context::Context;
use crate::describe;
use crate::describe::restore::{Beside, describe};
use crate::download::DownloadArgs;
use crate::error::{CommandError, Exit};
use crate::listing::name;
use crate::out::describe::Description;

const EXAMPLES: &str = "\
Examples:
  ark restore describe nightly-20260301120000 --details
  ark restore describe -l team=red";

/// Show everything about restores
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct DescribeArgs {
    #[command(flatten)]
    which: LookArgs,

    /// Also list the objects with what was done with them, operations and volumes one by one
    #[arg(long)]
    details: bool,

    #[command(flatten)]
    output: TextOutputArgs,

    #[command(flatten)]
    download: DownloadArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: DescribeArgs) -> Result<Exit, CommandError> {
    let restores =
        cluster::select::<Restore>(ctx, &args.which.names, args.which.selector()).await?;
    let mut descriptions = Vec::with_capacity(restores.len());
    for restore in &restores {
        descriptions.push(one(ctx, restore, args.details, &args.download).await?);
    }
    describe::print(ctx, &descriptions, args.output.format)?;
    Ok(Exit::Done)
}

/// Describes one restore of the cluster.
pub(crate) async fn one(
    ctx: &Context,
    restore: &Restore,
    details: bool,
    download: &DownloadArgs,
) -> Result<Description, CommandError> {
    let selector = label::selector(label::RESTORE_NAME, name(restore));
    let mut beside = files(ctx, restore, details, download).await;
    beside.pod_volumes = cluster::list::<PodVolumeRestore>(ctx, Some(&selector)).await?;
    Ok(describe(restore, &beside))
}

/// Fetches the files that a description is made of.
async fn files(ctx: &Context, restore: &Restore, details: bool, download: &DownloadArgs) -> Beside {
    use DownloadTargetKind as Kind;
    let mut beside = Beside {
        details,
        ..Beside::default()
    };
    if !has_files(restore.phase()) {
        return beside;
    }
    let name = name(restore);
    let outcome = restore.status.clone().unwrap_or_default();
    if outcome.errors > 0 || outcome.warnings > 0 {
        beside.results = fetched(ctx, Kind::RestoreResults, name, download).await;
    }
    if details {
        beside.resources = fetched(ctx, Kind::RestoreResourceList, name, download).await;
    }
    if details && outcome.restore_item_operations_attempted > 0 {
        beside.operations = fetched(ctx, Kind::RestoreItemOperations, name, download).await;
    }
    beside.volumes = fetched(ctx, Kind::RestoreVolumeInfo, name, download).await;
    beside
}
