//! The programs of the demo: built where they are missing or out of date.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use ark_testkit::KubernetesVersion;
use ark_testkit::binaries::{self, Programs};
use serde::Deserialize;

use super::child;
use super::screen::Screen;
use crate::workspace;

/// Finds or builds the control plane's programs. They talk on stderr themselves
/// while they are built.
pub(crate) fn control_plane(
    screen: &Screen,
    version: Option<KubernetesVersion>,
) -> Result<Programs> {
    let programs = binaries::ensure(version, true)?;
    screen.done(&format!(
        "etcd, kube-apiserver and kube-controller-manager of Kubernetes {}",
        programs.version
    ));
    Ok(programs)
}

/// Builds the binary `ark`; returns its path.
pub(crate) fn ark(screen: &Screen) -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Artifact {
        executable: Option<PathBuf>,
    }
    let task = screen.task("building ark");
    let mut command = workspace::cargo();
    command.args([
        "build",
        "--package=ark",
        "--bin=ark",
        "--message-format=json-render-diagnostics",
    ]);
    let shown = "cargo build --package ark";
    let output = child::run(shown, &mut command, None, &mut |line| {
        if let Some(package) = line.trim().strip_prefix("Compiling ") {
            task.update(package);
        }
    })?;
    // Other messages have other fields.
    let executable = output
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter_map(|artifact| artifact.executable)
        .next_back()
        .context("cargo built no program `ark`")?;
    let root = workspace::root();
    let path = executable.strip_prefix(&root).unwrap_or(&executable);
    task.done(&format!("the command line and server: {}", path.display()));
    Ok(executable)
}
