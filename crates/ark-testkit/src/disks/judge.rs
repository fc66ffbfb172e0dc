//! The clouds' own Python clients as judges of this server: installs them into the
//! user's cache, once for each list of versions, and runs a script that uses them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};

use crate::{cache, python};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testenv/disks");

/// Runs `testenv/disks/SCRIPT ENDPOINT` with the clients at hand, and returns what it
/// wrote to stdout.
///
/// # Errors
/// When it fails, which means that the server misbehaves; all that it wrote is told.
pub fn run(script: &str, endpoint: &str) -> Result<String> {
    let python = ensure()?;
    let output = Command::new(&python)
        .arg(Path::new(SCRIPTS).join(script))
        .arg(endpoint)
        .output()
        .with_context(|| format!("cannot run {}", python.display()))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{script} ends with {}\n{stdout}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(stdout.into_owned())
}

/// Installs the clients if they are missing: a minute, once. Returns their Python.
pub fn ensure() -> Result<PathBuf> {
    let list = Path::new(SCRIPTS).join("requirements.txt");
    let text = fs::read(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let digest = hex::encode(&Sha256::digest(&text)[..6]);
    // The mark is made last. The environment itself cannot be renamed to its place:
    // its programs know where they are.
    let mark = cache::once(&format!("disk-clients-{digest}"), "installed", |mark| {
        let dir = mark.parent().context("a mark has a folder")?;
        python::install(
            &dir.join("venv"),
            &[OsStr::new("--requirement"), list.as_os_str()],
            "installing the clouds' Python clients, which judge the disk server for tests",
        )?;
        fs::write(mark, "").with_context(|| format!("cannot write {}", mark.display()))
    })?;
    Ok(mark.with_file_name("venv").join("bin/python"))
}
