//! `ark client`.

mod get;
mod set;

use clap::Subcommand;

use crate::config;
use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Settings of this program.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show and change the client configuration
    #[command(subcommand, arg_required_else_help = true)]
    Config(Config),
}

/// Show and change the client configuration.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Show settings
    Get(get::GetArgs),
    /// Change settings
    Set(set::SetArgs),
}

impl Command {
    /// Runs the verb.
    pub fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Config(Config::Get(args)) => get::run(ctx, &args),
            Self::Config(Config::Set(args)) => set::run(ctx, &args),
        }
    }
}

fn path(ctx: &Context) -> Result<std::path::PathBuf, CommandError> {
    Ok(config::path(ctx.environment.config_home.as_deref())?)
}
