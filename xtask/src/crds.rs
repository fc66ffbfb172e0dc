//! `cargo xtask crds`: writes the files under `deploy/` from the types, or
//! checks that they are what the types say.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::generated;

/// Write the definitions and manifests under deploy/ from the types.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if a file is not what the types say.
    #[arg(long)]
    check: bool,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    generated::run("deploy", "deploy", arguments.check)
}
