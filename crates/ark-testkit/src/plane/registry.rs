//! Control planes with a name, which outlive the process that starts them:
//! `<cache>/ark/clusters/NAME` is the plane's directory.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::start as plane;
use super::{ControlPlane, Options};
use crate::{binaries, cache, environment, supervisor};

/// A name in the registry.
#[derive(Debug)]
pub struct Cluster {
    /// The name.
    pub name: String,
    /// The plane; `None` when it is starting, or has died with the machine.
    pub plane: Option<ControlPlane>,
    dir: PathBuf,
}

/// Starts a control plane that runs until [`down`]. An error if the name is taken
/// by one that runs; what a dead one has left is removed.
pub fn up(name: &str, options: &Options) -> Result<ControlPlane> {
    start(name, options)?.detach()
}

/// Like [`up`], but it ends with its owner unless that detaches it.
pub fn start(name: &str, options: &Options) -> Result<ControlPlane> {
    check_name(name)?;
    let programs = binaries::ensure(options.version, !options.without_controllers)?;
    let clusters = clusters_dir()?;
    let dir = clusters.join(name);
    let lock = cache::Lock::take(&clusters)?;
    if supervisor::is_alive(&dir) {
        bail!("cluster {name} runs already; take another name or stop it first");
    }
    supervisor::stop(&dir)?;
    let plane = plane::start(&programs, options, || make_dir(&dir));
    drop(lock);
    plane
}

/// Every name, sorted.
pub fn list() -> Result<Vec<Cluster>> {
    let mut found = Vec::new();
    let clusters = clusters_dir()?;
    for entry in
        fs::read_dir(&clusters).with_context(|| format!("cannot read {}", clusters.display()))?
    {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if check_name(&name).is_ok() {
            let dir = entry.path();
            let plane = ControlPlane::open(&dir).ok().filter(ControlPlane::is_alive);
            found.push(Cluster { name, plane, dir });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Stops a control plane and removes what it has left.
pub fn down(name: &str) -> Result<()> {
    let Some(cluster) = list()?.into_iter().find(|cluster| cluster.name == name) else {
        bail!("there is no cluster {name}");
    };
    supervisor::stop(&cluster.dir)
}

fn clusters_dir() -> Result<PathBuf> {
    let dir = environment::cache_dir()?.join("clusters");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

fn make_dir(dir: &Path) -> Result<PathBuf> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir.to_owned())
}

/// The name becomes a folder's.
fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 40 || !name.chars().all(plain) {
        bail!("{name:?} is no cluster name: up to 40 of a-z, 0-9 and - are");
    }
    Ok(())
}
