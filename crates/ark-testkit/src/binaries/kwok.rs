//! kwok, which plays a node: built from `testenv/kwok/` into the user's cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{cache, progress};

/// The version that `testenv/kwok/go.mod` pins.
const VERSION: &str = "v0.8.0";

/// The program, built if it is missing: some minutes on two cores.
pub(crate) fn ensure() -> Result<PathBuf> {
    let dir = cache::dir(&format!("kwok-{VERSION}"))?;
    let path = dir.join("kwok");
    if path.is_file() {
        return Ok(path);
    }
    let _lock = cache::Lock::take(&dir)?;
    if !path.is_file() {
        cache::remove_leftovers(&dir)?;
        build(&dir, &path)?;
    }
    Ok(path)
}

fn module() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testenv/kwok")
}

fn build(dir: &Path, path: &Path) -> Result<()> {
    let unfinished = cache::unfinished(dir, "kwok");
    let mut go = Command::new("go");
    go.args(["build", "-v", "-ldflags", "-s -w", "-o"])
        .arg(&unfinished)
        .arg("sigs.k8s.io/kwok/cmd/kwok")
        .current_dir(module())
        .env("CGO_ENABLED", "0");
    let what = format!("building kwok {VERSION}, the simulated node");
    progress::run(&what, &mut go).context("Go 1.26 or newer builds the simulated node")?;
    fs::rename(&unfinished, path).with_context(|| format!("cannot put {} in place", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_the_module_pins() {
        let text = fs::read_to_string(module().join("go.mod")).unwrap();
        assert!(text.contains(&format!("sigs.k8s.io/kwok {VERSION}")));
    }
}
