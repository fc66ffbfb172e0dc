//! `ark repo`.

mod get;

use ark_api::BackupRepository;
use clap::Subcommand;

use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::listing::{self, GetArgs};

/// Show the repositories that hold data of volumes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show repositories
    Get(GetArgs),
}

impl Command {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Get(args) => listing::run::<BackupRepository>(ctx, args).await,
        }
    }
}
