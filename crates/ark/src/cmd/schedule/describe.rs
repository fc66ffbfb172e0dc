//! `ark schedule describe`.

use ark_api::Schedule;
use clap::Args;

use crate::args::which::LookArgs;
use crate::cluster;
use crate::context::Context;
use crate::describe::{self, schedule::describe};
use crate::error::{CommandError, Exit};
use crate::out::document::TextFormat;

/// Show everything about schedules
#[derive(Debug, Clone, Default, Args)]
pub struct DescribeArgs {
    #[command(flatten)]
    which: LookArgs,

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
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: DescribeArgs) -> Result<Exit, CommandError> {
    let schedules =
        cluster::select::<Schedule>(ctx, &args.which.names, args.which.selector()).await?;
    let descriptions: Vec<_> = schedules
        .iter()
        .map(|schedule| describe(schedule, ctx.now()))
        .collect();
    describe::print(ctx, &descriptions, args.output)?;
    Ok(Exit::Done)
}
