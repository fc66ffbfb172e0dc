//! `cargo xtask docs`: writes the reference under `docs/cli/` from the commands, or
//! checks that it is what the commands say.
//!
//! An example of the crate `ark` does the work, so that the other verbs start
//! without all of Ark being built.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::workspace;

/// Write the reference of the command line under docs/cli/.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if a page is not what the commands say.
    #[arg(long)]
    check: bool,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut command = workspace::cargo();
    command.args([
        "run",
        "--quiet",
        "--package",
        "ark",
        "--example",
        "reference",
        "--",
        "docs/cli",
    ]);
    if arguments.check {
        command.arg("--check");
    }
    let status = command.status().context("cannot run cargo")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
