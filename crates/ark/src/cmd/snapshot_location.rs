//! `ark snapshot-location`.

pub mod create;
mod get;
mod set;

use ark_api::VolumeSnapshotLocation;
use clap::Subcommand;

use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::listing::{self, GetArgs};

/// Work with the places that providers keep snapshots of volumes in.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a place to keep snapshots of volumes in
    Create(Box<create::CreateArgs>),
    /// Show snapshot locations
    Get(GetArgs),
    /// Change a snapshot location
    Set(set::SetArgs),
}

impl Command {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Create(args) => create::run(ctx, *args).await,
            Self::Get(args) => listing::run::<VolumeSnapshotLocation>(ctx, args).await,
            Self::Set(args) => set::run(ctx, args).await,
        }
    }
}
