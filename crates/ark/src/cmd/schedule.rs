//! `ark schedule`.

pub mod create;
pub mod delete;
pub mod describe;
pub mod get;
pub mod pause;

use ark_api::Schedule;
use clap::Subcommand;

use crate::context::Context;
use crate::deletion::DeleteArgs;
use crate::error::{CommandError, Exit};
use crate::listing::{self, GetArgs};

/// Work with schedules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a schedule, which makes backups by the clock
    Create(Box<create::CreateArgs>),
    /// Show schedules
    Get(GetArgs),
    /// Show everything about schedules
    Describe(describe::DescribeArgs),
    /// Make no backups until further notice
    Pause(pause::PauseArgs),
    /// Make backups again
    Unpause(pause::PauseArgs),
    /// Delete schedules; the backups stay unless the schedule owns them
    Delete(DeleteArgs),
}

impl Command {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Create(args) => Box::pin(create::run(ctx, *args)).await,
            Self::Get(args) => listing::run::<Schedule>(ctx, args).await,
            Self::Describe(args) => describe::run(ctx, args).await,
            Self::Pause(args) => pause::run(ctx, args, true).await,
            Self::Unpause(args) => pause::run(ctx, args, false).await,
            Self::Delete(args) => delete::run(ctx, args).await,
        }
    }
}
