//! Programs that come as Python packages, each in an environment of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::progress;

/// Makes the environment `venv` and installs `packages` into it, saying `what`.
pub(crate) fn install(venv: &Path, packages: &[&str], what: &str) -> Result<()> {
    let made = Command::new("python3")
        .args(["-m", "venv"])
        .arg(venv)
        .output()
        .context("cannot run python3")?;
    ensure!(
        made.status.success(),
        "python3 -m venv {}: {}{}",
        venv.display(),
        String::from_utf8_lossy(&made.stdout),
        String::from_utf8_lossy(&made.stderr)
    );
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--only-binary=:all:"])
        .args(packages);
    progress::run(what, &mut pip)
}
