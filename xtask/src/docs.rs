//! `cargo xtask docs`: writes the reference under `docs/cli/` from the commands, or
//! checks that it is what the commands say.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::generated;

/// Write the reference of the command line under docs/cli/.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if a page is not what the commands say.
    #[arg(long)]
    check: bool,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    generated::run("reference", "docs/cli", arguments.check)
}
