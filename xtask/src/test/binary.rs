//! The test binaries of the workspace: built by Cargo, listed by what it tells.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::workspace::{self, Package};

/// A test binary.
#[derive(Debug)]
pub(super) struct Binary<'a> {
    pub(super) package: &'a Package,
    /// Package and target: `ark-store/s3`.
    pub(super) name: String,
    executable: PathBuf,
    size: u64,
}

impl Binary<'_> {
    /// The command that runs it the way Cargo would: from its package's folder.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .current_dir(self.package.dir())
            .env("CARGO_MANIFEST_DIR", self.package.dir());
        command
    }
}

#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    executable: Option<PathBuf>,
    profile: Profile,
    target: Target,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: PathBuf,
}

/// Builds every test binary, `selection` of the workspace. Those that take longest
/// come first: they talk to servers, and the more text they have the longer they do.
pub(super) fn build<'a>(selection: &[String], packages: &'a [Package]) -> Result<Vec<Binary<'a>>> {
    let mut child = workspace::cargo()
        .args([
            "test",
            "--no-run",
            "--message-format=json-render-diagnostics",
        ])
        .args(selection)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let stdout = child.stdout.take().context("no pipe for stdout")?;
    let mut binaries = Vec::new();
    for line in BufReader::new(stdout).lines() {
        // Other messages have other fields.
        if let Ok(artifact) = serde_json::from_str::<Artifact>(&line?) {
            binaries.extend(binary(artifact, packages)?);
        }
    }
    if !child.wait()?.success() {
        bail!("the tests do not compile");
    }
    binaries.sort_by(|a, b| (b.size, &a.name).cmp(&(a.size, &b.name)));
    Ok(binaries)
}

fn binary(artifact: Artifact, packages: &[Package]) -> Result<Option<Binary<'_>>> {
    let package = packages
        .iter()
        .find(|package| package.id == artifact.package_id);
    let (Some(executable), Some(package), true) =
        (artifact.executable, package, artifact.profile.test)
    else {
        return Ok(None);
    };
    let target = artifact.target;
    let size = if target.kind.iter().any(|kind| kind == "test") {
        sources(&target.src_path)?
    } else {
        // Tests of units wait for nobody.
        0
    };
    Ok(Some(Binary {
        package,
        name: format!("{}/{}", package.name, target.name),
        executable,
        size,
    }))
}

/// The size in bytes of a test's sources: a folder with a `main.rs`, else one file.
fn sources(main: &Path) -> Result<u64> {
    let files = match main.parent() {
        Some(dir) if main.ends_with("main.rs") => workspace::files(dir, &[".rs"])?,
        _ => vec![main.to_owned()],
    };
    let mut size = 0;
    for file in files {
        let metadata = fs::metadata(&file);
        size += metadata
            .with_context(|| format!("cannot look at {}", file.display()))?
            .len();
    }
    Ok(size)
}
