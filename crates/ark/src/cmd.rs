//! The tree of commands. Each verb is one file: its flags, whose documentation
//! is the help text, and its `run`.

pub mod backup;
pub mod backup_location;
pub mod bug;
pub mod client;
pub mod completion;
pub mod debug;
pub mod install;
pub mod orphans;
pub mod plugin;
pub mod repo;
pub mod restore;
pub mod schedule;
pub mod server;
pub mod snapshot_location;
pub mod uninstall;
pub mod verb;
pub mod version;

use clap::{Parser, Subcommand};

use crate::args::GlobalArgs;
use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Disaster recovery for Kubernetes
///
/// Backs up the objects of a cluster to object storage and brings them back,
/// into the same cluster or another one.
#[derive(Debug, Parser)]
#[command(
    name = "ark",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    infer_long_args = false,
    max_term_width = 100
)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Work with backups
    #[command(subcommand, alias = "backups", arg_required_else_help = true)]
    Backup(backup::Command),
    /// Work with restores
    #[command(subcommand, alias = "restores", arg_required_else_help = true)]
    Restore(restore::Command),
    /// Work with schedules, which make backups by the clock
    #[command(subcommand, alias = "schedules", arg_required_else_help = true)]
    Schedule(schedule::Command),
    /// Work with the places that backups are kept in
    #[command(subcommand, alias = "backup-locations", arg_required_else_help = true)]
    BackupLocation(backup_location::Command),
    /// Work with the places that providers keep snapshots of volumes in
    #[command(
        subcommand,
        alias = "snapshot-locations",
        arg_required_else_help = true
    )]
    SnapshotLocation(snapshot_location::Command),
    /// Show what backups and restores left in a cloud
    Orphans(orphans::OrphansArgs),
    /// Show the repositories that hold data of volumes
    #[command(subcommand, alias = "repos", arg_required_else_help = true)]
    Repo(repo::Command),
    /// Show what the server can do with kinds and volumes
    #[command(subcommand, alias = "plugins", arg_required_else_help = true)]
    Plugin(plugin::Command),
    /// Create a resource
    #[command(subcommand, arg_required_else_help = true)]
    Create(Box<verb::Create>),
    /// Show resources
    #[command(subcommand, arg_required_else_help = true)]
    Get(verb::Get),
    /// Show everything about resources
    #[command(subcommand, arg_required_else_help = true)]
    Describe(verb::Describe),
    /// Delete resources
    #[command(subcommand, arg_required_else_help = true)]
    Delete(verb::Delete),
    /// Install the server into the cluster
    Install(Box<install::InstallArgs>),
    /// Take the server out of the cluster
    Uninstall(uninstall::UninstallArgs),
    /// Run the server; this is what the deployment in the cluster does
    Server(server::ServerArgs),
    /// Show the versions of this program and of the server
    Version(version::VersionArgs),
    /// Settings of this program
    #[command(subcommand, arg_required_else_help = true)]
    Client(client::Command),
    /// Collect what others need to understand a problem
    Debug(debug::DebugArgs),
    /// Show where and how to report a problem
    Bug(bug::BugArgs),
    /// Print a script that completes commands in your shell
    Completion(completion::CompletionArgs),
}

impl Command {
    /// Runs it.
    pub fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Backup(command) => ctx.block_on(command.run(ctx)),
            Self::Restore(command) => ctx.block_on(command.run(ctx)),
            Self::Schedule(command) => ctx.block_on(command.run(ctx)),
            Self::BackupLocation(command) => ctx.block_on(command.run(ctx)),
            Self::SnapshotLocation(command) => ctx.block_on(command.run(ctx)),
            Self::Orphans(args) => ctx.block_on(orphans::run(ctx, args)),
            Self::Repo(command) => ctx.block_on(command.run(ctx)),
            Self::Plugin(command) => ctx.block_on(command.run(ctx)),
            Self::Create(command) => ctx.block_on(command.run(ctx)),
            Self::Get(command) => ctx.block_on(command.run(ctx)),
            Self::Describe(command) => ctx.block_on(command.run(ctx)),
            Self::Delete(command) => ctx.block_on(command.run(ctx)),
            Self::Install(args) => install::run(ctx, &args),
            Self::Uninstall(args) => ctx.block_on(uninstall::run(ctx, args)),
            Self::Server(args) => server::run(ctx, &args),
            Self::Version(args) => version::run(ctx, &args),
            Self::Client(command) => command.run(ctx),
            Self::Debug(args) => ctx.block_on(debug::run(ctx, args)),
            Self::Bug(args) => bug::run(ctx, &args),
            Self::Completion(args) => completion::run(ctx, &args),
        }
    }
}
