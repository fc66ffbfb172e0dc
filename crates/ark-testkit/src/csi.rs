//! A control plane in which claims get volumes and snapshots by CSI: Kubernetes' own
//! snapshot controller and sidecars, and a driver whose volumes are folders.
//!
//! What is made, kept and deleted is real: a volume that was made of a snapshot has the
//! files that the other volume had at that moment. Nothing mounts a volume: tests read
//! and write its folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::binaries::csi::{self, Programs};
use crate::plane::{ControlPlane, Options};
use crate::supervisor::{Program, Supervisor};

/// The driver's name, as classes name it.
pub const DRIVER: &str = "folders.csi.ark.heptio.com";
/// The storage class of its volumes, and the class of their snapshots.
pub const CLASS: &str = "folders";

const PATIENCE: Duration = Duration::from_mins(1);
/// Names of the programs.
const DRIVER_PROGRAM: &str = "csi-driver";
const SIDECARS: [&str; 3] = ["snapshot-controller", "csi-snapshotter", "csi-provisioner"];

/// The control plane with all that CSI needs.
#[derive(Debug)]
pub struct CsiPlane {
    plane: ControlPlane,
    state: PathBuf,
}

/// What the driver knows of a volume or a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Record {
    /// Its handle.
    pub id: String,
    /// Of a snapshot: its volume.
    #[serde(default)]
    pub volume: String,
    /// Of a snapshot: its group.
    #[serde(default)]
    pub group: String,
    /// Of a volume: the snapshot that it was made of.
    #[serde(default)]
    pub snapshot: String,
}

impl CsiPlane {
    /// Starts one of one's own: as a control plane, and once some minutes to build.
    pub fn start() -> Result<Self> {
        Self::with_state(None)
    }

    /// Starts another cluster whose driver has the same volumes and snapshots.
    pub fn beside(&self) -> Result<Self> {
        Self::with_state(Some(&self.state))
    }

    fn with_state(state: Option<&Path>) -> Result<Self> {
        let programs = csi::ensure()?;
        let mut plane = ControlPlane::start(&Options::default())?;
        let own = plane.dir().join("csi");
        let state = state.unwrap_or(&own).to_owned();
        fs::create_dir_all(&state)?;
        install(&plane, &programs)?;
        let dir = plane.dir().to_owned();
        let supervisor = plane.supervisor().context("the plane is not ours")?;
        for program in programs_to_run(&programs, &dir, &state) {
            supervisor.run(&program)?;
        }
        await_socket(supervisor, &dir)?;
        Ok(Self { plane, state })
    }

    /// The one that all tests of this process share.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<CsiPlane> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::start().unwrap_or_else(|error| panic!("no CSI for tests: {error:#}"))
        })
    }

    /// The control plane.
    pub fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// The control plane, which goes on as it is.
    pub fn into_plane(self) -> ControlPlane {
        self.plane
    }

    /// The folder that a volume is, by its handle.
    pub fn volume(&self, handle: &str) -> PathBuf {
        self.state.join("volumes").join(handle).join("data")
    }

    /// All volumes that the driver has.
    pub fn volumes(&self) -> Result<Vec<Record>> {
        records(&self.state.join("volumes"))
    }

    /// All snapshots that the driver has.
    pub fn snapshots(&self) -> Result<Vec<Record>> {
        records(&self.state.join("snapshots"))
    }

    /// Has the driver behave from now on with a volume, or with all: `cutMillis`,
    /// `readyMillis`, `atOnce`, `refuseCode`, `refuseMessage`; see `testenv/csi/driver`.
    pub fn behave(&self, volume: Option<&str>, behaviour: &Value) -> Result<()> {
        let folder = match volume {
            Some(handle) => self.state.join("volumes").join(handle),
            None => self.state.clone(),
        };
        let path = folder.join("behaviour.json");
        // Never half of it.
        let new = folder.join("behaviour.json.new");
        fs::write(&new, behaviour.to_string())
            .and_then(|()| fs::rename(&new, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

fn records(folder: &Path) -> Result<Vec<Record>> {
    let Ok(listed) = fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut records = Vec::new();
    for entry in listed {
        // One that is on its way has none yet, or none any more.
        if let Ok(text) = fs::read(entry?.path().join("record.json")) {
            records.push(serde_json::from_slice(&text)?);
        }
    }
    Ok(records)
}

fn install(plane: &ControlPlane, programs: &Programs) -> Result<()> {
    let definitions = programs.definitions.display().to_string();
    // Some are larger than what a client-side apply can note of them.
    plane.kubectl(&["create", "-f", &definitions])?;
    let wait = ["wait", "--for=condition=Established", "--timeout=60s", "-f"];
    plane.kubectl(&[&wait[..], &[&definitions]].concat())?;
    let classes = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": DRIVER},
         "spec": {"attachRequired": false}},
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": CLASS},
         "provisioner": DRIVER},
        {"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass",
         "metadata": {"name": CLASS}, "driver": DRIVER, "deletionPolicy": "Delete"},
        {"apiVersion": "groupsnapshot.storage.k8s.io/v1beta2", "kind": "VolumeGroupSnapshotClass",
         "metadata": {"name": CLASS}, "driver": DRIVER, "deletionPolicy": "Delete"},
    ]});
    plane
        .kubectl_stdin(&["create", "-f", "-"], &classes.to_string())
        .map(drop)
}

fn programs_to_run<'a>(programs: &'a Programs, dir: &Path, state: &Path) -> Vec<Program<'a>> {
    let kubeconfig = format!("--kubeconfig={}/kubeconfig", dir.display());
    let address = format!("--csi-address={}", socket(dir).display());
    // The defaults are meant for clusters with other guests.
    let speed = ["--kube-api-qps=500", "--kube-api-burst=1000"].map(str::to_owned);
    // For one call of the driver; then it asks again. What is deleted while it is being
    // made is only looked at with the next resync (issue 1388 of the snapshotter).
    let [patience, resync] = ["--timeout=15s", "--resync-period=10s"].map(str::to_owned);
    let groups = "--feature-gates=CSIVolumeGroupSnapshot=true".to_owned();
    let sidecar = |name, path, more: &[&String]| Program {
        name,
        path,
        arguments: more.iter().copied().chain(&speed).cloned().collect(),
        environment: Vec::new(),
    };
    let [controller, snapshotter, provisioner] = SIDECARS;
    vec![
        Program {
            name: DRIVER_PROGRAM,
            path: &programs.driver,
            arguments: vec![
                format!("--endpoint={}", socket(dir).display()),
                format!("--state={}", state.display()),
            ],
            environment: Vec::new(),
        },
        sidecar(controller, &programs.controller, &[&kubeconfig, &groups]),
        sidecar(
            snapshotter,
            &programs.snapshotter,
            &[&kubeconfig, &address, &groups, &patience, &resync],
        ),
        sidecar(provisioner, &programs.provisioner, &[&kubeconfig, &address]),
    ]
}

fn socket(dir: &Path) -> PathBuf {
    dir.join("csi.sock")
}

/// The sidecars wait for the driver by themselves; one that does not like its flags ends.
fn await_socket(supervisor: &Supervisor, dir: &Path) -> Result<()> {
    let started = Instant::now();
    while !socket(dir).exists() {
        check(supervisor)?;
        if started.elapsed() > PATIENCE {
            bail!(
                "the CSI driver does not listen\n{}",
                supervisor.log_tail(DRIVER_PROGRAM)
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    check(supervisor)
}

fn check(supervisor: &Supervisor) -> Result<()> {
    for name in SIDECARS.into_iter().chain([DRIVER_PROGRAM]) {
        if let Some(code) = supervisor.exit_code(name) {
            bail!(
                "{name} has ended with code {code}\n{}",
                supervisor.log_tail(name)
            );
        }
    }
    Ok(())
}
