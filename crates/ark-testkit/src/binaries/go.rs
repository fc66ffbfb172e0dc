//! Programs built with Go from the modules in `testenv/` into the user's cache.

#[cfg(test)]
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{cache, progress};

/// A program and how it is built.
pub(super) struct GoProgram<'a> {
    /// What people call it: `kube-apiserver for Kubernetes v1.37.2`.
    pub(super) what: &'a str,
    /// Folder of the module that pins its version, see [`module`].
    pub(super) module: PathBuf,
    /// Import path of its main package.
    pub(super) package: &'a str,
    /// Folder in the cache: it names the version.
    pub(super) folder: &'a str,
    /// File name in that folder.
    pub(super) name: &'a str,
    /// Flags of the linker.
    pub(super) linker_flags: &'a str,
}

impl GoProgram<'_> {
    /// The program, built if it is missing: some minutes on two cores, told on
    /// stderr.
    pub(super) fn ensure(&self) -> Result<PathBuf> {
        cache::once(self.folder, self.name, |unfinished| self.build(unfinished))
    }

    fn build(&self, path: &Path) -> Result<()> {
        let mut go = Command::new("go");
        go.args(["build", "-v", "-ldflags", self.linker_flags, "-o"])
            .arg(path)
            .arg(self.package)
            .current_dir(&self.module)
            .env("CGO_ENABLED", "0");
        progress::run(&format!("building {}", self.what), &mut go)
            .context("Go 1.26 or newer builds the test servers")
    }
}

/// `testenv/` itself, or the module in a folder of it.
pub(super) fn module(folder: &str) -> PathBuf {
    let testenv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testenv");
    testenv.join(folder)
}

/// The content of a module's `go.mod`.
#[cfg(test)]
pub(super) fn pins(module: &Path) -> String {
    let path = module.join("go.mod");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
