//! `ark backup`.

pub mod cancel;
pub mod cat;
pub mod create;
pub mod delete;
pub mod describe;
pub mod download;
pub mod get;
pub mod logs;
pub mod ls;

use clap::Subcommand;

use crate::cancelling::CancelArgs;
use crate::context::Context;
use crate::deletion::DeleteArgs;
use crate::error::{CommandError, Exit};

/// Work with backups.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a backup
    Create(Box<create::CreateArgs>),
    /// Show backups
    Get(get::GetArgs),
    /// Show everything about backups
    Describe(describe::DescribeArgs),
    /// Download all objects of a backup as a tarball
    Download(download::DownloadCommandArgs),
    /// List the objects in a backup
    Ls(ls::LsArgs),
    /// Print an object as it is in a backup
    Cat(cat::CatArgs),
    /// Print the log of a backup
    Logs(logs::LogsArgs),
    /// Delete backups with all their data
    Delete(DeleteArgs),
    /// Stop backups that wait or run
    Cancel(CancelArgs),
}

impl Command {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Create(args) => Box::pin(create::run(ctx, *args)).await,
            Self::Get(args) => get::run(ctx, args).await,
            Self::Describe(args) => describe::run(ctx, args).await,
            Self::Download(args) => download::run(ctx, args).await,
            Self::Ls(args) => ls::run(ctx, args).await,
            Self::Cat(args) => cat::run(ctx, args).await,
            Self::Logs(args) => logs::run(ctx, args).await,
            Self::Delete(args) => delete::run(ctx, args).await,
            Self::Cancel(args) => cancel::run(ctx, args).await,
        }
    }
}
