//! `ark schedule describe`.

use ark_api::Schedule;
use clap::Args;

use crate::args::output::TextOutputArgs;
use crate::args::which::LookArgs;
use crate::cluster;
use crate::context::Context;
use crate::describe::{self, schedule::describe};
use crate::error::{CommandError, Exit};

/// Show everything about schedules
#[derive(Debug, Clone, Default, Args)]
pub struct DescribeArgs {
    #[command(flatten)]
    which: LookArgs,

    #[command(flatten)]
    output: TextOutputArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: DescribeArgs) -> Result<Exit, CommandError> {
    let schedules =
        cluster::select::<Schedule>(ctx, &args.which.names, args.which.selector()).await?;
    let descriptions: Vec<_> = schedules
        .iter()
        .map(|schedule| describe(schedule, ctx.now()))
        .collect();
    describe::print(ctx, &descriptions, args.output.format)?;
    Ok(Exit::Done)
}
