//! Installs moto from its Python package into the user's cache, once.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{cache, python};

const VERSION: &str = "5.2.5";

/// The program, installed if it is missing.
pub(super) fn ensure() -> Result<PathBuf> {
    cache::once(&format!("moto-{VERSION}"), "moto_server", install)
}

/// The environment stays beside the program, a script that starts it: `bin/` of an
/// environment has the path in it where it was made.
fn install(program: &Path) -> Result<()> {
    let venv = program.with_file_name("venv");
    python::install(
        &venv,
        // What moto's extra `server` asks for is half a gigabyte, for all services.
        &[&format!("moto[ec2]=={VERSION}"), "flask", "flask-cors"],
        &format!("installing moto {VERSION}, the AWS for tests"),
    )?;
    let main = venv.join("bin/moto_server");
    fs::metadata(&main).with_context(|| format!("the package lacks {}", main.display()))?;
    let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", main.display());
    fs::write(program, script)?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
