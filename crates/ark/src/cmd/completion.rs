//! `ark completion`.

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell;

use crate::cmd::Cli;
use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Print a script that completes commands in your shell
#[derive(Debug, Clone, Args)]
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
    let shell = match args.shell {
        ShellName::Bash => Shell::Bash,
        ShellName::Zsh => Shell::Zsh,
        ShellName::Fish => Shell::Fish,
        ShellName::Powershell => Shell::PowerShell,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ark", &mut script);
    ctx.printer.print(script)?;
    Ok(Exit::Done)
}
