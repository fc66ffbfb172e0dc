//! `ark restore`.

pub mod cancel;
pub mod create;
pub mod delete;
pub mod describe;
pub mod get;
pub mod logs;

use ark_api::Restore;
use clap::Subcommand;

use crate::cancelling::CancelArgs;
use crate::context::Context;
use crate::deletion::DeleteArgs;
use crate::error::{CommandError, Exit};
use crate::listing::{self, GetArgs};

/// Work with restores.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Restore a backup
    Create(Box<create::CreateArgs>),
    /// Show restores
    Get(GetArgs),
    /// Show everything about restores
    Describe(describe::DescribeArgs),
    /// Print the log of a restore
    Logs(logs::LogsArgs),
    /// Delete restores; what they restored stays
    Delete(DeleteArgs),
    /// Stop restores that wait or run; what they restored by then stays
    Cancel(CancelArgs),
}

impl Command {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Create(args) => Box::pin(create::run(ctx, *args)).await,
            Self::Get(args) => listing::run::<Restore>(ctx, args).await,
            Self::Describe(args) => describe::run(ctx, args).await,
            Self::Logs(args) => logs::run(ctx, args).await,
            Self::Delete(args) => delete::run(ctx, args).await,
            Self::Cancel(args) => cancel::run(ctx, args).await,
        }
    }
}
