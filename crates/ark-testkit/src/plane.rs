//! A Kubernetes control plane without nodes: etcd, kube-apiserver and
//! kube-controller-manager.
//!
//! What lies in its directory (mode 0700): `kubeconfig`, `ca.crt`, `plane.json`
//! (what [`ControlPlane::open`] reads; its presence means ready), `NAME.log` of each
//! program, and the programs' data.

mod node;
mod programs;
pub mod registry;
mod start;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

pub use node::SIMULATED_NODE;

use crate::KubernetesVersion;
use crate::environment;
use crate::supervisor::{self, Supervisor};

/// What a control plane is made of. The default is the current release with all
/// programs in a temporary directory.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The release; `None` is the one in `KUBEBUILDER_ASSETS`, else the current one.
    pub version: Option<KubernetesVersion>,
    /// No kube-controller-manager: starts sooner, but namespaces stay `Terminating`,
    /// nobody makes service accounts, and deployments have no replica sets.
    pub without_controllers: bool,
    /// A node that runs the commands of its pods on this machine: see
    /// [`SIMULATED_NODE`].
    pub simulated_node: bool,
    /// More kube-apiserver flags, after those given anyway.
    pub apiserver_arguments: Vec<String>,
}

/// A running control plane; ends when dropped, if this process started it.
#[derive(Debug)]
pub struct ControlPlane {
    dir: PathBuf,
    kubeconfig: PathBuf,
    description: Description,
    /// `None` for a plane of somebody else.
    supervisor: Option<Supervisor>,
}

/// The content of `plane.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Description {
    version: String,
    url: String,
    token: String,
    kubectl: PathBuf,
    controllers: bool,
}

const DESCRIPTION: &str = "plane.json";

impl ControlPlane {
    /// Starts a control plane of one's own and waits until it is ready: some
    /// seconds, and some minutes more when its programs must be built first.
    pub fn start(options: &Options) -> Result<Self> {
        let programs = crate::binaries::ensure(options.version, !options.without_controllers)?;
        start::start(&programs, options, start::temporary_dir)
    }

    /// The control plane that all tests of this process share, or, when
    /// `ARK_TEST_CONTROL_PLANE` names one, all test binaries. Tests keep to
    /// namespaces of their own ([`Namespaces`](crate::Namespaces)) and give
    /// cluster-scoped objects names of their own ([`unique_name`](crate::unique_name)).
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<ControlPlane> = OnceLock::new();
        SHARED.get_or_init(|| {
            let plane = match environment::shared_control_plane() {
                Some(dir) => Self::open(&dir),
                None => Self::start(&Options::default()),
            };
            plane.unwrap_or_else(|error| panic!("no test control plane: {error:#}"))
        })
    }

    /// Uses the running control plane of somebody else, who also ends it.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(DESCRIPTION);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let description = serde_json::from_slice(&text)
            .with_context(|| format!("{} does not describe a control plane", path.display()))?;
        Ok(Self::new(dir, description, None))
    }

    fn new(dir: &Path, description: Description, supervisor: Option<Supervisor>) -> Self {
        Self {
            dir: dir.to_owned(),
            kubeconfig: dir.join("kubeconfig"),
            description,
            supervisor,
        }
    }

    /// The directory with its logs and data.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A kubeconfig (mode 0600) with the administrator's token and the CA inside.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.description.url
    }

    /// The bearer token of the administrator (group `system:masters`).
    pub fn token(&self) -> &str {
        &self.description.token
    }

    /// The CA certificate (PEM) that the API server's certificate is signed with.
    pub fn ca(&self) -> PathBuf {
        self.dir.join("ca.crt")
    }

    /// What the API server says of itself: `v1.37.2`.
    pub fn version(&self) -> &str {
        &self.description.version
    }

    /// Whether kube-controller-manager runs.
    pub fn has_controllers(&self) -> bool {
        self.description.controllers
    }

    /// The `kubectl` of the same release.
    pub fn kubectl_path(&self) -> &Path {
        &self.description.kubectl
    }

    /// Whether its programs still run.
    pub fn is_alive(&self) -> bool {
        supervisor::is_alive(&self.dir)
    }

    /// Who runs its programs, for one more that shall live and die with them.
    /// `None` for a plane of somebody else.
    pub fn supervisor(&mut self) -> Option<&mut Supervisor> {
        self.supervisor.as_mut()
    }

    /// Lets it run on when this process ends, until [`registry::down`] or
    /// [`supervisor::stop`].
    pub fn detach(mut self) -> Result<Self> {
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.detach()?;
        }
        Ok(self)
    }
}
