//! The control planes of the benchmark: one that is backed up, and empty ones to
//! restore into.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use ark_testkit::{ControlPlane, Options};
use serde_json::Value;
use tokio::task::block_in_place;

use crate::dataset::{Creation, DataSet, Labels};
use crate::meter;
use crate::raw;
use crate::say;
use crate::watch::Watch;
use crate::wire::Endpoint;

/// Definitions of Ark's own resources.
const CRDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/00-crds.yaml");
/// Connections that fill a cluster where that is not measured.
const FILLING: usize = 32;
/// Longest wait for anything that takes moments.
const PATIENCE: Duration = Duration::from_mins(2);

/// A control plane without controllers: nothing but what the benchmark creates
/// comes into being, and nothing else takes processor time.
pub(crate) struct Cluster {
    pub(crate) plane: ControlPlane,
    pub(crate) endpoint: Endpoint,
    /// Names and process IDs of its programs.
    pub(crate) processes: Vec<(&'static str, u32)>,
}

impl Cluster {
    /// Starts one.
    pub(crate) fn start() -> Result<Self> {
        let options = Options {
            without_controllers: true,
            ..Options::default()
        };
        Self::of(block_in_place(|| ControlPlane::start(&options))?)
    }

    /// One that somebody has started.
    pub(crate) fn of(plane: ControlPlane) -> Result<Self> {
        let endpoint = Endpoint::of(&plane)?;
        let processes = vec![
            ("etcd", pid(plane.dir(), "etcd")?),
            ("apiserver", pid(plane.dir(), "kube-apiserver")?),
        ];
        Ok(Self {
            plane,
            endpoint,
            processes,
        })
    }

    /// Applies the definitions of Ark's own resources and waits for them.
    pub(crate) fn install_ark_definitions(&self) -> Result<()> {
        block_in_place(|| {
            self.plane
                .kubectl(&["apply", "--server-side", "--filename", CRDS])?;
            self.plane.kubectl(&[
                "wait",
                "--for=condition=Established",
                "--timeout=60s",
                "--filename",
                CRDS,
            ])
        })?;
        Ok(())
    }

    /// Creates the definitions of the data set and waits until they are served.
    pub(crate) async fn define(&self) -> Result<()> {
        let done = Arc::default();
        raw::create(&self.endpoint, &Arc::new(DataSet::definitions()), 1, &done).await?;
        for definition in DataSet::definitions() {
            let body: Value = serde_json::from_slice(&definition.body)?;
            let name = body["metadata"]["name"].as_str().unwrap_or_default();
            let mut watch = Watch::open(&self.endpoint, &definition.path, name).await?;
            watch
                .until(PATIENCE, |state| is_established(state).then_some(()))
                .await?;
        }
        for (path, _) in (DataSet {
            objects: 0,
            seed: 0,
        })
        .counts()
        {
            self.served(&path).await?;
        }
        Ok(())
    }

    /// Established, a kind is served a moment later.
    async fn served(&self, path: &str) -> Result<()> {
        let started = Instant::now();
        loop {
            match self.endpoint.get(path).await {
                Ok(_) => return Ok(()),
                Err(error) if started.elapsed() > PATIENCE => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Creates the data set, telling how far it is.
    pub(crate) async fn fill(&self, data: DataSet, labels: Labels<'_>) -> Result<()> {
        let started = Instant::now();
        self.define().await?;
        let done = Arc::new(AtomicUsize::new(0));
        let namespaces = Arc::new(data.namespace_creations(labels));
        raw::create(&self.endpoint, &namespaces, FILLING, &done).await?;
        done.store(0, Ordering::Relaxed);
        let creations = Arc::new(data.creations(labels));
        let filling = raw::create(&self.endpoint, &creations, FILLING, &done);
        let telling = async {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                say(&format!(
                    "  {} of {} objects",
                    done.load(Ordering::Relaxed),
                    creations.len()
                ));
            }
        };
        tokio::select! {
            result = filling => result?,
            () = telling => {}
        }
        say(&format!(
            "  {} objects in {:.1} s: {:.1} MB of JSON as posted",
            creations.len(),
            started.elapsed().as_secs_f64(),
            size(&creations) as f64 / 1e6,
        ));
        Ok(())
    }

    /// How many objects of the data set the cluster has; an error if not all.
    pub(crate) async fn check_complete(&self, data: DataSet) -> Result<()> {
        for (path, expected) in data.counts() {
            // Other objects of built-in kinds stand in other namespaces.
            let selector = "labelSelector=app.kubernetes.io%2Fmanaged-by%3Dbench";
            // Lists with a selector and a limit do not tell what remains.
            let body = self.endpoint.get(&format!("{path}?{selector}")).await?;
            let list: Names = serde_json::from_slice(&body).with_context(|| path.clone())?;
            if list.items.len() != expected {
                bail!("{path}: {} objects, {expected} expected", list.items.len());
            }
        }
        Ok(())
    }

    /// Waits until the programs have done what follows a start and definitions,
    /// so that every measurement begins with a server at rest.
    pub(crate) async fn settle(&self) -> Result<()> {
        let started = Instant::now();
        let mut calm = 0;
        while calm < 2 && started.elapsed() < Duration::from_secs(30) {
            let before = self.cpu()?;
            tokio::time::sleep(Duration::from_millis(500)).await;
            // A tenth of one processor is what an idle control plane takes.
            calm = if self.cpu()? - before < 0.1 {
                calm + 1
            } else {
                0
            };
        }
        Ok(())
    }

    fn cpu(&self) -> Result<f64> {
        self.processes
            .iter()
            .map(|(_, pid)| meter::process_cpu(*pid))
            .sum()
    }
}

#[derive(serde::Deserialize)]
struct Names {
    items: Vec<serde::de::IgnoredAny>,
}

/// Total size of the bodies.
pub(crate) fn size(creations: &[Creation]) -> usize {
    creations.iter().map(|creation| creation.body.len()).sum()
}

fn is_established(definition: &Value) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    conditions.is_some_and(|all| {
        all.iter()
            .any(|one| one["type"] == "Established" && one["status"] == "True")
    })
}

/// The supervisor of a control plane notes the process of each program.
fn pid(dir: &Path, program: &str) -> Result<u32> {
    let path = dir.join(format!("{program}.pid"));
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    text.trim()
        .parse()
        .with_context(|| format!("{} holds no process ID", path.display()))
}
