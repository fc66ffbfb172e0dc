//! What serves CSI in tests: Kubernetes' own sidecars and snapshot controller, a driver
//! whose volumes are folders, and the suite that judges drivers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};

use super::go::{GoProgram, module};
use crate::cache;

/// The versions that `testenv/csi/go.mod` pins.
const SNAPSHOTTER: &str = "v8.6.0";
const PROVISIONER: &str = "v6.3.0";
const SANITY: &str = "v5.4.0";
const DEFINITIONS: &str = "v8.7.0";

/// The module that has the definitions of the snapshot API.
const CLIENT: &str = "github.com/kubernetes-csi/external-snapshotter/client/v8";

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The driver, `testenv/csi/driver`.
    pub driver: PathBuf,
    /// Makes volumes for claims.
    pub provisioner: PathBuf,
    /// Has a driver take snapshots.
    pub snapshotter: PathBuf,
    /// Binds snapshots and their contents.
    pub controller: PathBuf,
    /// The definitions of the snapshot API, one file.
    pub definitions: PathBuf,
}

/// The programs, built if they are missing: some minutes on two cores.
pub fn ensure() -> Result<Programs> {
    let snapshotter = format!("csi-snapshotter-{SNAPSHOTTER}");
    let build = |folder: &str, name: &str, package: &str| {
        GoProgram {
            what: &format!("{name} for tests of CSI snapshots"),
            module: module("csi"),
            package,
            folder,
            name,
            linker_flags: "-s -w",
        }
        .ensure()
    };
    let external = |name: &str| format!("github.com/kubernetes-csi/external-{name}");
    Ok(Programs {
        snapshotter: build(
            &snapshotter,
            "csi-snapshotter",
            &external("snapshotter/v8/cmd/csi-snapshotter"),
        )?,
        controller: build(
            &snapshotter,
            "snapshot-controller",
            &external("snapshotter/v8/cmd/snapshot-controller"),
        )?,
        provisioner: build(
            &format!("csi-provisioner-{PROVISIONER}"),
            "csi-provisioner",
            &external("provisioner/v6/cmd/csi-provisioner"),
        )?,
        driver: build(&driver_folder()?, "driver", "./driver")?,
        definitions: cache::once(
            &format!("csi-definitions-{DEFINITIONS}"),
            "definitions.yaml",
            write_definitions,
        )?,
    })
}

/// The conformance suite of CSI drivers, built if it is missing.
pub fn sanity() -> Result<PathBuf> {
    GoProgram {
        what: &format!("csi-sanity {SANITY}, which judges the CSI driver for tests"),
        module: module("csi"),
        package: "github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity",
        folder: &format!("csi-sanity-{SANITY}"),
        name: "csi-sanity",
        linker_flags: "-s -w",
    }
    .ensure()
}

/// Another source of the driver is another program.
fn driver_folder() -> Result<String> {
    let folder = module("csi").join("driver");
    let listed =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        hasher.update(text);
    }
    Ok(format!(
        "csi-driver-{}",
        hex::encode(&hasher.finalize()[..6])
    ))
}

/// The definitions come with the module of the API's Go types.
fn write_definitions(path: &Path) -> Result<()> {
    let listed = Command::new("go")
        .args(["mod", "download", "-json", CLIENT])
        .current_dir(module("csi"))
        .output()
        .context("cannot run go")?;
    ensure!(
        listed.status.success(),
        "go mod download {CLIENT}: {}{}",
        String::from_utf8_lossy(&listed.stdout),
        String::from_utf8_lossy(&listed.stderr)
    );
    let told: serde_json::Value = serde_json::from_slice(&listed.stdout)?;
    let folder = told["Dir"].as_str().context("go tells no folder")?;
    let mut all = String::new();
    for kind in [
        "snapshot.storage.k8s.io_volumesnapshotclasses",
        "snapshot.storage.k8s.io_volumesnapshotcontents",
        "snapshot.storage.k8s.io_volumesnapshots",
        "groupsnapshot.storage.k8s.io_volumegroupsnapshotclasses",
        "groupsnapshot.storage.k8s.io_volumegroupsnapshotcontents",
        "groupsnapshot.storage.k8s.io_volumegroupsnapshots",
    ] {
        let file = Path::new(folder).join(format!("config/crd/{kind}.yaml"));
        let text = fs::read_to_string(&file);
        all.push_str("---\n");
        all.push_str(&text.with_context(|| format!("cannot read {}", file.display()))?);
    }
    fs::write(path, all).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binaries::go;

    #[test]
    fn the_versions_are_those_that_the_module_pins() {
        let pins = go::pins(&module("csi"));
        for (name, version) in [
            ("external-snapshotter/v8", SNAPSHOTTER),
            ("external-snapshotter/client/v8", DEFINITIONS),
            ("external-provisioner/v6", PROVISIONER),
            ("csi-test/v5", SANITY),
        ] {
            let line = format!("github.com/kubernetes-csi/{name} {version}");
            assert!(pins.contains(&line), "{line}");
        }
    }
}
