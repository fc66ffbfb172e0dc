//! `ark plugin`: Ark has no plugin processes; what others do by plugins is built
//! in. The verbs are there so that scripts get an answer.

pub mod get;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Show what the server can do with kinds and volumes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what is built into the server
    Get(get::GetArgs),
    /// Refused: there are no plugin processes
    Add(AddArgs),
    /// Refused: there are no plugin processes
    Remove(RemoveArgs),
}

/// Refused: there are no plugin processes
#[derive(Debug, Clone, Default, Args)]
pub struct AddArgs {
    /// Image of the plugin
    image: String,

    /// Pull policy, which is not used
    #[arg(long, hide = true, value_name = "POLICY")]
    pub image_pull_policy: Option<String>,

    /// Consent, which does not help
    #[arg(long, hide = true)]
    pub confirm: bool,
}

/// Refused: there are no plugin processes
#[derive(Debug, Clone, Default, Args)]
pub struct RemoveArgs {
    /// Name or image of the plugin
    name: String,
}

impl Command {
    /// Runs the verb.
    pub async fn run(self, ctx: &Context) -> Result<Exit, CommandError> {
        match self {
            Self::Get(args) => get::run(ctx, args).await,
            Self::Add(args) => Err(refusal("added", &args.image)),
            Self::Remove(args) => Err(refusal("removed", &args.name)),
        }
    }
}

fn refusal(what: &str, name: &str) -> CommandError {
    CommandError::refused(format!(
        "`{name}` cannot be {what}: Ark runs no plugin processes"
    ))
    .hint("object stores and item actions are built in: `ark plugin get` lists them")
}
