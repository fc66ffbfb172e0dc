//! Programs that come as Python packages, each in an environment of its own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::progress;

/// Makes the environment `venv` and installs into it what pip's arguments `wanted`
/// name, saying `what`.
pub(crate) fn install<S: AsRef<OsStr>>(venv: &Path, wanted: &[S], what: &str) -> Result<()> {
    // `--clear`: what an installation that was cut short has left is not used.
    let made = Command::new("python3")
        .args(["-m", "venv", "--clear"])
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
    pip.args(["-m", "pip", "install", "--quiet"])
        .args(["--only-binary=:all:", "--no-compile"])
        .args(wanted);
    progress::run(what, &mut pip)
}
