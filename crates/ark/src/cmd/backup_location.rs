//! `ark backup-location`.

pub mod create;
pub mod delete;
pub mod get;
pub mod set;

use clap::Subcommand;

use crate::context::Context;
use crate::deletion::DeleteArgs;
use crate::error::{CommandError, Exit};

/// Work with the places that backups are kept in.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a place to keep backups in
    Create(Box<create::CreateArgs>),
    /// Show backup locations
    Get(get::GetArgs),
    /// Change a backup location
    Set(set::SetArgs),
    /// Delete backup locations; the buckets keep what is in them
    Delete(DeleteArgs),
}

impl Command {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Create(args) => create::run(ctx, *args).await,
            Self::Get(args) => get::run(ctx, args).await,
            Self::Set(args) => set::run(ctx, args).await,
            Self::Delete(args) => delete::run(ctx, args).await,
        }
    }
}
