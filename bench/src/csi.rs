//! What a backup of volumes by CSI costs beside the driver itself: the time from asking
//! for it to its end, and the time in which the same snapshots get ready when nobody does
//! more than ask for them all at once.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use ark_testkit::csi::{CLASS, CsiPlane};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::block_in_place;

use crate::ark::{self, Server};
use crate::cluster::Cluster;
use crate::rounds::Setting;
use crate::say;
use crate::statistics::Spread;

/// Where the claims are.
const NAMESPACE: &str = "bench-csi";
/// How long the driver takes for a snapshot, and for how many at the same time.
const CUT: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 10;
/// Requests at the same time where they are not measured.
const REQUESTS: usize = 16;
const PATIENCE: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_millis(100);

/// The figures, in seconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CsiResults {
    volumes: usize,
    /// What the driver needs at least.
    least: f64,
    /// From asking for all snapshots to the last that is ready.
    raw: Vec<f64>,
    /// From asking for a backup to its end.
    backup: Vec<f64>,
}

impl CsiResults {
    /// For people.
    pub(crate) fn page(&self) -> String {
        let ratios = self
            .backup
            .iter()
            .zip(&self.raw)
            .map(|(ark, raw)| ark / raw);
        let spread = |values: &[f64]| Spread::of(values.iter().copied()).text(1);
        format!(
            "{} volumes, a driver that takes {} s for a snapshot and cuts {AT_ONCE} at a time: {:.1} s at least\n\
             snapshots asked for by hand: {} s\n\
             a backup: {} s\n\
             backup / by hand: {}",
            self.volumes,
            CUT.as_secs(),
            self.least,
            spread(&self.raw),
            spread(&self.backup),
            Spread::of(ratios).text(2),
        )
    }
}

/// Measures both alternately.
pub(crate) async fn measure(
    setting: &Setting,
    volumes: usize,
    rounds: usize,
) -> Result<CsiResults> {
    let cluster = start(volumes).await?;
    ark::install(&cluster, &setting.bucket).await?;
    let server = Server::start(&setting.ark, &cluster, &setting.logs.join("csi.log")).await?;
    let mut results = CsiResults {
        volumes,
        least: (CUT * u32::try_from(volumes.div_ceil(AT_ONCE))?).as_secs_f64(),
        raw: Vec::new(),
        backup: Vec::new(),
    };
    for round in 0..rounds {
        say(&format!("round {} of {rounds}", round + 1));
        results.raw.push(by_hand(&cluster, volumes).await?);
        let name = format!("csi-{round}");
        let measured = server.backup_volumes(&cluster, &name, NAMESPACE).await?;
        results.backup.push(measured.usage.seconds);
    }
    Ok(results)
}

/// A cluster with so many claims, each bound to a volume of the driver.
async fn start(volumes: usize) -> Result<Cluster> {
    let csi = block_in_place(CsiPlane::start)?;
    let behaviour = json!({"cutMillis": u64::try_from(CUT.as_millis())?, "atOnce": AT_ONCE});
    csi.behave(None, &behaviour)?;
    let cluster = Cluster::of(csi.into_plane())?;
    let namespace = json!({"metadata": {"name": NAMESPACE}});
    post(&cluster, "/api/v1/namespaces", &namespace).await?;
    say(&format!("making {volumes} volumes"));
    let claims = (0..volumes).map(|n| {
        json!({"metadata": {"name": claim(n)}, "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": CLASS,
            "resources": {"requests": {"storage": "1Gi"}}}})
    });
    let path = format!("/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims");
    post_all(&cluster, &path, claims.collect()).await?;
    until(&cluster, &path, |claims| {
        let bound = claims
            .iter()
            .filter(|one| one["status"]["phase"] == "Bound");
        bound.count() == volumes
    })
    .await
    .context("the claims are not bound")?;
    Ok(cluster)
}

fn claim(n: usize) -> String {
    format!("data-{n}")
}

/// Asks for all snapshots at once and waits until the last is ready; takes them away
/// afterwards.
async fn by_hand(cluster: &Cluster, volumes: usize) -> Result<f64> {
    let path = format!("/apis/snapshot.storage.k8s.io/v1/namespaces/{NAMESPACE}/volumesnapshots");
    let snapshots = (0..volumes).map(|n| {
        json!({"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
            "metadata": {"name": claim(n)}, "spec": {"volumeSnapshotClassName": CLASS,
                "source": {"persistentVolumeClaimName": claim(n)}}})
    });
    let snapshots = snapshots.collect();
    let started = Instant::now();
    post_all(cluster, &path, snapshots).await?;
    until(cluster, &path, |all| {
        let ready = all.iter().filter(|one| one["status"]["readyToUse"] == true);
        ready.count() == volumes
    })
    .await
    .context("the snapshots do not get ready")?;
    let seconds = started.elapsed().as_secs_f64();
    block_in_place(|| {
        let delete = [
            "delete",
            "volumesnapshots",
            "--all",
            "--namespace",
            NAMESPACE,
        ];
        cluster.plane.kubectl(&delete)
    })?;
    Ok(seconds)
}

async fn post_all(cluster: &Cluster, path: &str, bodies: Vec<Value>) -> Result<()> {
    stream::iter(bodies)
        .map(|body| async move { post(cluster, path, &body).await })
        .buffer_unordered(REQUESTS)
        .try_collect()
        .await
}

async fn post(cluster: &Cluster, path: &str, body: &Value) -> Result<()> {
    let body = Bytes::from(body.to_string());
    cluster.endpoint.post(path, body).await.map(drop)
}

/// Looks at a list until it is as it should be.
async fn until(cluster: &Cluster, path: &str, done: impl Fn(&[Value]) -> bool) -> Result<()> {
    let started = Instant::now();
    loop {
        let list: Value = serde_json::from_slice(&cluster.endpoint.get(path).await?)?;
        if list["items"].as_array().is_some_and(|items| done(items)) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            bail!("not within {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}
