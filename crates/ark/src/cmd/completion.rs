//! `ark completion`: a script that lets the shell ask this program what can
//! follow, names in the cluster included.

use std::ffi::OsString;

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::env::{Bash, EnvCompleter, Fish, Powershell, Zsh};

use crate::cmd::Cli;
use crate::context::Context;
use crate::env::ARK_COMPLETE;
use crate::error::{CommandError, Exit};

const EXAMPLES: &str = "\
Examples:
  source <(ark completion bash)
  source <(ark completion zsh)
  ark completion fish | source
  ark completion powershell | Out-String | Invoke-Expression";

/// Print a script that completes commands in your shell
///
/// Commands, flags, and the names of backups, restores, schedules and locations in
/// the cluster are completed. Put the command into the file that your shell reads at
/// its start.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionArgs {
    /// The shell
    #[arg(
        value_enum,
        value_name = "bash|zsh|fish|powershell",
        hide_possible_values = true
    )]
    shell: ShellName,
}

/// Shells that scripts can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShellName {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

/// Runs the verb.
pub fn run(ctx: &Context, args: &CompletionArgs) -> Result<Exit, CommandError> {
    let shell: &dyn EnvCompleter = match args.shell {
        ShellName::Bash => &Bash,
        ShellName::Zsh => &Zsh,
        ShellName::Fish => &Fish,
        ShellName::Powershell => &Powershell,
    };
    let mut script = Vec::new();
    shell
        .write_registration(ARK_COMPLETE, "ark", "ark", "ark", &mut script)
        .map_err(|error| CommandError::because("cannot make the script", &error))?;
    ctx.printer.print(script)?;
    Ok(Exit::Done)
}

/// Answers a shell that asks what can follow; `None` where none asks.
pub(crate) fn answer(arguments: &[OsString]) -> Option<Exit> {
    let here = std::env::current_dir().ok();
    let answered = CompleteEnv::with_factory(Cli::command)
        .var(ARK_COMPLETE)
        .bin("ark")
        .completer("ark")
        .try_complete(arguments.iter().cloned(), here.as_deref());
    match answered {
        Ok(false) => None,
        Ok(true) => Some(Exit::Done),
        Err(_) => Some(Exit::Failed),
    }
}
