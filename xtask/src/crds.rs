//! `cargo xtask crds`: writes the files under `deploy/` from the types, or
//! checks that they are what the types say.
//!
//! An example of the crate `ark` does the work, so that the other verbs start
//! without all of Ark being built.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::workspace;

/// Write the definitions and manifests under deploy/ from the types.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if a file is not what the types say.
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
        "deploy",
        "--",
        "deploy",
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
