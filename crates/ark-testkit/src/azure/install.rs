//! Installs Azurite from its npm package into the user's cache, once.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{cache, progress};

const VERSION: &str = "3.37.0";

/// The program, installed if it is missing.
pub(super) fn ensure() -> Result<PathBuf> {
    cache::once(&format!("azurite-{VERSION}"), "azurite-blob", install)
}

/// The package and what it needs stay beside the program, a script that starts it.
fn install(program: &Path) -> Result<()> {
    let modules = program.with_file_name("npm");
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
        .arg(&modules)
        .arg(format!("azurite@{VERSION}"));
    progress::run(
        &format!("installing Azurite {VERSION}, the Azure Blob Storage for tests"),
        &mut npm,
    )
    .context("npm installs Azurite")?;
    let main = modules.join("node_modules/azurite/dist/src/blob/main.js");
    fs::metadata(&main).with_context(|| format!("the package lacks {}", main.display()))?;
    let script = format!("#!/bin/sh\nexec node '{}' \"$@\"\n", main.display());
    fs::write(program, script)?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
