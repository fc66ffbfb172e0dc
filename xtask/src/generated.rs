//! Files of the repository that are made from the code: an example of the crate
//! `ark` writes or checks them, so that the other verbs start without all of Ark
//! being built.

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::workspace;

/// Runs the example, which writes into `folder`; with `check` it only compares.
pub(crate) fn run(example: &str, folder: &str, check: bool) -> Result<ExitCode> {
    let mut command = workspace::cargo();
    command.args(["run", "--quiet", "--package", "ark", "--example", example]);
    command.args(["--", folder]);
    if check {
        command.arg("--check");
    }
    let status = command.status().context("cannot run cargo")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
