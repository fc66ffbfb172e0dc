//! The same verbs with the verb first, as kubectl has them: `ark get backups`.

use ark_api::{Restore, Schedule, VolumeSnapshotLocation};
use clap::Subcommand;

use super::{backup, backup_location, plugin, restore, schedule, snapshot_location};
use crate::context::Context;
use crate::deletion::DeleteArgs;
use crate::error::{CommandError, Exit};
use crate::listing;

/// Create a resource.
#[derive(Debug, Subcommand)]
pub enum Create {
    /// Create a backup
    #[command(alias = "backups")]
    Backup(Box<backup::create::CreateArgs>),
    /// Restore a backup
    #[command(alias = "restores")]
    Restore(Box<restore::create::CreateArgs>),
    /// Create a schedule, which makes backups by the clock
    #[command(alias = "schedules")]
    Schedule(Box<schedule::create::CreateArgs>),
    /// Add a place to keep backups in
    #[command(alias = "backup-locations")]
    BackupLocation(Box<backup_location::create::CreateArgs>),
    /// Add a place to keep snapshots of volumes in
    #[command(alias = "snapshot-locations")]
    SnapshotLocation(Box<snapshot_location::create::CreateArgs>),
}

impl Create {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Backup(args) => Box::pin(backup::create::run(ctx, *args)).await,
            Self::Restore(args) => Box::pin(restore::create::run(ctx, *args)).await,
            Self::Schedule(args) => Box::pin(schedule::create::run(ctx, *args)).await,
            Self::BackupLocation(args) => backup_location::create::run(ctx, *args).await,
            Self::SnapshotLocation(args) => snapshot_location::create::run(ctx, *args).await,
        }
    }
}

/// Show resources.
#[derive(Debug, Subcommand)]
pub enum Get {
    /// Show backups
    #[command(alias = "backup")]
    Backups(backup::get::GetArgs),
    /// Show restores
    #[command(alias = "restore")]
    Restores(listing::GetArgs),
    /// Show schedules
    #[command(alias = "schedule")]
    Schedules(listing::GetArgs),
    /// Show backup locations
    #[command(alias = "backup-location")]
    BackupLocations(backup_location::get::GetArgs),
    /// Show snapshot locations
    #[command(alias = "snapshot-location")]
    SnapshotLocations(listing::GetArgs),
    /// Show what the server can do with kinds and volumes
    #[command(alias = "plugin")]
    Plugins(plugin::get::GetArgs),
}

impl Get {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Backups(args) => backup::get::run(ctx, args).await,
            Self::Restores(args) => listing::run::<Restore>(ctx, args).await,
            Self::Schedules(args) => listing::run::<Schedule>(ctx, args).await,
            Self::BackupLocations(args) => backup_location::get::run(ctx, args).await,
            Self::SnapshotLocations(args) => {
                listing::run::<VolumeSnapshotLocation>(ctx, args).await
            }
            Self::Plugins(args) => plugin::get::run(ctx, args).await,
        }
    }
}

/// Show everything about resources.
#[derive(Debug, Subcommand)]
pub enum Describe {
    /// Show everything about backups
    #[command(alias = "backup")]
    Backups(backup::describe::DescribeArgs),
    /// Show everything about restores
    #[command(alias = "restore")]
    Restores(restore::describe::DescribeArgs),
    /// Show everything about schedules
    #[command(alias = "schedule")]
    Schedules(schedule::describe::DescribeArgs),
}

impl Describe {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Backups(args) => backup::describe::run(ctx, args).await,
            Self::Restores(args) => restore::describe::run(ctx, args).await,
            Self::Schedules(args) => schedule::describe::run(ctx, args).await,
        }
    }
}

/// Delete resources.
#[derive(Debug, Subcommand)]
pub enum Delete {
    /// Delete backups with all their data
    #[command(alias = "backups")]
    Backup(DeleteArgs),
    /// Delete restores; what they restored stays
    #[command(alias = "restores")]
    Restore(DeleteArgs),
    /// Delete schedules; the backups stay unless the schedule owns them
    #[command(alias = "schedules")]
    Schedule(DeleteArgs),
    /// Delete backup locations; the buckets keep what is in them
    #[command(alias = "backup-locations")]
    BackupLocation(DeleteArgs),
}

impl Delete {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Backup(args) => backup::delete::run(ctx, args).await,
            Self::Restore(args) => restore::delete::run(ctx, args).await,
            Self::Schedule(args) => schedule::delete::run(ctx, args).await,
            Self::BackupLocation(args) => backup_location::delete::run(ctx, args).await,
        }
    }
}
