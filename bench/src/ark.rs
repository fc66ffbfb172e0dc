//! Ark as its users run it: a server process that is asked by custom resources,
//! and the command line without a server.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::cluster::Cluster;
use crate::meter::{self, Meter, Usage};
use crate::watch::Watch;

/// The server's namespace.
pub(crate) const NAMESPACE: &str = "heptio-ark";
const PATIENCE: Duration = Duration::from_mins(2);
/// Longest wait for a backup or restore.
const LONG_PATIENCE: Duration = Duration::from_hours(1);

/// What one backup or restore has cost.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) usage: Usage,
    /// The most memory that Ark's process had resident, in bytes.
    pub(crate) peak: u64,
    /// Objects as the status tells.
    pub(crate) items: u64,
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pid: u32,
}

/// Prepares a cluster for servers: definitions, namespace, the location `default`
/// that is the directory `bucket`.
pub(crate) async fn install(cluster: &Cluster, bucket: &Path) -> Result<()> {
    cluster.install_ark_definitions()?;
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    cluster
        .endpoint
        .post("/api/v1/namespaces", bytes(&namespace))
        .await?;
    let location = json!({
        "apiVersion": "velero.io/v1", "kind": "BackupStorageLocation",
        "metadata": {"name": "default", "namespace": NAMESPACE},
        "spec": {"provider": "fs", "default": true, "objectStorage": {"bucket": bucket}},
    });
    cluster
        .endpoint
        .post(&collection("backupstoragelocations"), bytes(&location))
        .await?;
    Ok(())
}

impl Server {
    /// Starts a server and waits until it answers.
    pub(crate) async fn start(ark: &Path, cluster: &Cluster, log: &Path) -> Result<Self> {
        let file = std::fs::File::create(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let child = Command::new(ark)
            .arg("server")
            .arg("--kubeconfig")
            .arg(cluster.plane.kubeconfig())
            .args(["--namespace", NAMESPACE, "--metrics-address=127.0.0.1:0"])
            // As in the Deployment.
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", ark.display()))?;
        let pid = child.id().context("the server has ended at once")?;
        let mut server = Self { child, pid };
        let text = || std::fs::read_to_string(log).unwrap_or_default();
        tokio::select! {
            answered = ready(cluster) => {
                answered.with_context(|| format!("the server does not answer:\n{}", text()))?;
            }
            status = server.child.wait() => bail!("the server ended with {}:\n{}", status?, text()),
        }
        Ok(server)
    }

    /// Makes a backup of everything.
    pub(crate) async fn backup(&self, cluster: &Cluster, name: &str) -> Result<Measured> {
        let backup = json!({
            "apiVersion": "velero.io/v1", "kind": "Backup",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"storageLocation": "default", "snapshotVolumes": false},
        });
        self.measure(cluster, "backups", &backup, "itemsBackedUp")
            .await
    }

    /// Makes a backup of a namespace, volumes included.
    pub(crate) async fn backup_volumes(
        &self,
        cluster: &Cluster,
        name: &str,
        namespace: &str,
    ) -> Result<Measured> {
        let backup = json!({
            "apiVersion": "velero.io/v1", "kind": "Backup",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"storageLocation": "default", "includedNamespaces": [namespace]},
        });
        self.measure(cluster, "backups", &backup, "itemsBackedUp")
            .await
    }

    /// Restores everything; first waits until the cluster knows the backup
    /// and others leave the machine alone.
    pub(crate) async fn restore(
        &self,
        cluster: &Cluster,
        backup: &str,
        patience: Duration,
    ) -> Result<Measured> {
        let mut watch = Watch::open(&cluster.endpoint, &collection("backups"), backup).await?;
        watch
            .until(PATIENCE, |_| Some(()))
            .await
            .context("the backup is not seen")?;
        cluster.settle().await?;
        meter::calm(patience).await;
        let restore = json!({
            "apiVersion": "velero.io/v1", "kind": "Restore",
            "metadata": {"name": backup, "namespace": NAMESPACE},
            "spec": {"backupName": backup},
        });
        self.measure(cluster, "restores", &restore, "itemsRestored")
            .await
    }

    /// From the moment the resource is posted to the one its end is seen.
    async fn measure(
        &self,
        cluster: &Cluster,
        plural: &str,
        resource: &Value,
        counter: &str,
    ) -> Result<Measured> {
        let name = resource["metadata"]["name"].as_str().unwrap_or_default();
        let mut watch = Watch::open(&cluster.endpoint, &collection(plural), name).await?;
        meter::reset_peak(self.pid)?;
        let mut processes = cluster.processes.clone();
        processes.push(("ark", self.pid));
        let meter = Meter::start(&processes);
        cluster
            .endpoint
            .post(&collection(plural), bytes(resource))
            .await?;
        let status = watch.until(LONG_PATIENCE, ended).await?;
        let usage = meter.stop();
        if status["phase"] != "Completed" {
            bail!("{plural} {name} ended otherwise than completed: {status}");
        }
        let items = status["progress"][counter].as_u64().unwrap_or_default();
        Ok(Measured {
            usage,
            peak: meter::peak_memory(self.pid)?,
            items,
        })
    }

    /// The memory that is resident now, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        meter::resident_memory(self.pid)
    }
}

/// Asks for the server's version, which it answers when all its controllers run.
async fn ready(cluster: &Cluster) -> Result<()> {
    let collection = collection("serverstatusrequests");
    let request = json!({
        "apiVersion": "velero.io/v1", "kind": "ServerStatusRequest",
        "metadata": {"generateName": "bench-", "namespace": NAMESPACE}, "spec": {},
    });
    let created = cluster.endpoint.post(&collection, bytes(&request)).await?;
    let created: Value = serde_json::from_slice(&created)?;
    let name = created["metadata"]["name"]
        .as_str()
        .context("no name was generated")?;
    let mut watch = Watch::open(&cluster.endpoint, &collection, name).await?;
    watch
        .until(PATIENCE, |state| {
            (state["status"]["phase"] == "Processed").then_some(())
        })
        .await
}

/// The status of a job that has ended.
fn ended(state: &Value) -> Option<Value> {
    const ENDS: [&str; 4] = ["Completed", "PartiallyFailed", "Failed", "FailedValidation"];
    let phase = state["status"]["phase"].as_str()?;
    ENDS.contains(&phase).then(|| state["status"].clone())
}

/// A backup by the command line alone, into the directory `bucket`.
pub(crate) async fn direct_backup(
    ark: &Path,
    cluster: &Cluster,
    bucket: &Path,
    name: &str,
) -> Result<Measured> {
    let mut command = direct(ark, cluster);
    command.args([
        "backup",
        "create",
        name,
        "--direct",
        "--snapshot-volumes=false",
        "--to",
    ]);
    command.arg(bucket);
    run(command, cluster).await
}

/// A restore by the command line alone.
pub(crate) async fn direct_restore(
    ark: &Path,
    cluster: &Cluster,
    bucket: &Path,
    backup: &str,
) -> Result<Measured> {
    let mut command = direct(ark, cluster);
    command.args([
        "restore",
        "create",
        "--from-backup",
        backup,
        "--direct",
        "--from",
    ]);
    command.arg(bucket);
    run(command, cluster).await
}

fn direct(ark: &Path, cluster: &Cluster) -> Command {
    let mut command = Command::new(ark);
    command.arg("--kubeconfig").arg(cluster.plane.kubeconfig());
    command
}

async fn run(mut command: Command, cluster: &Cluster) -> Result<Measured> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let pid = child.id().context("the command has ended at once")?;
    let mut processes = cluster.processes.clone();
    processes.push(("ark", pid));
    let meter = Meter::start(&processes);
    let stderr = child.stderr.take();
    let talk = tokio::spawn(async move {
        let mut text = String::new();
        if let Some(mut stderr) = stderr {
            use tokio::io::AsyncReadExt as _;
            // What it says is wanted for the error message only.
            let _ = stderr.read_to_string(&mut text).await;
        }
        text
    });
    let mut peak = 0;
    let mut cpu = 0.0;
    let status = loop {
        // A process that has ended tells nothing of itself, so ask while it runs.
        peak = meter::peak_memory(pid).unwrap_or_default().max(peak);
        cpu = meter::process_cpu(pid).unwrap_or_default().max(cpu);
        tokio::select! {
            status = child.wait() => break status?,
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    };
    let mut usage = meter.stop();
    usage.seconds = started.elapsed().as_secs_f64();
    usage.cpu.insert("ark".to_owned(), cpu);
    if !status.success() {
        bail!("ark ended with {status}:\n{}", talk.await?);
    }
    Ok(Measured {
        usage,
        peak,
        items: 0,
    })
}

/// Size of the archive of a backup in a directory, in bytes.
pub(crate) fn archive_size(bucket: &Path, name: &str) -> Result<u64> {
    let path: PathBuf = bucket.join(ark_archive::layout::contents(name));
    Ok(std::fs::metadata(&path)
        .with_context(|| format!("no {}", path.display()))?
        .len())
}

/// The collection of one of Ark's kinds.
fn collection(plural: &str) -> String {
    format!("/apis/velero.io/v1/namespaces/{NAMESPACE}/{plural}")
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}
