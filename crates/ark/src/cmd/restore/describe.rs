//! `ark restore describe`.

use ark_api::{DownloadTargetKind, Restore};
use clap::Args;

use super::logs::has_files;
use crate::args::which::LookArgs;
use crate::cluster;
use crate::cmd::backup::describe::fetched;
use crate::context::Context;
use crate::describe;
use crate::describe::restore::{Beside, describe};
use crate::download::DownloadArgs;
use crate::error::{CommandError, Exit};
use crate::listing::name;
use crate::out::document::TextFormat;

/// Show everything about restores
#[derive(Debug, Clone, Default, Args)]
pub struct DescribeArgs {
    #[command(flatten)]
    which: LookArgs,

    /// Also list the objects and what was done with them
    #[arg(long)]
    details: bool,

    /// Form of the output: text, json or yaml
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    output: TextFormat,

    #[command(flatten)]
    download: DownloadArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: DescribeArgs) -> Result<Exit, CommandError> {
    let restores =
        cluster::select::<Restore>(ctx, &args.which.names, args.which.selector()).await?;
    let mut descriptions = Vec::with_capacity(restores.len());
    for restore in &restores {
        descriptions.push(describe(restore, &beside(ctx, restore, &args).await));
    }
    describe::print(ctx, &descriptions, args.output)?;
    Ok(Exit::Done)
}

/// Fetches what a description shows besides the resource.
async fn beside(ctx: &Context, restore: &Restore, args: &DescribeArgs) -> Beside {
    let mut beside = Beside::default();
    if !has_files(restore.phase()) {
        return beside;
    }
    let outcome = restore.status.clone().unwrap_or_default();
    if outcome.errors > 0 || outcome.warnings > 0 {
        let kind = DownloadTargetKind::RestoreResults;
        beside.results = fetched(ctx, kind, name(restore), &args.download).await;
    }
    if args.details {
        let kind = DownloadTargetKind::RestoreResourceList;
        beside.resources = fetched(ctx, kind, name(restore), &args.download).await;
    }
    beside
}
