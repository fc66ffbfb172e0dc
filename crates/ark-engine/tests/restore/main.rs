//! Restores into a real API server, of backups made from it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall stop"
)]

mod crash;
mod existing;
mod ownership;
mod round_trip;

use std::collections::BTreeSet;
use std::sync::Arc;

use ark_api::storage_location::LocationPhase;
use ark_api::{Backup, BackupSpec, BackupStorageLocation, Restore, RestoreSpec};
use ark_archive::{layout, side};
use ark_engine::backup;
use ark_engine::job::{Job, Ports};
use ark_engine::port::{Clock as _, SnapshotLocations, SystemClock};
use ark_engine::progress::Silent;
use ark_engine::restore::{self, Options, Report, RestoreError, ValidatedRestore};
use ark_kube::{ConnectOptions, Connection};
use ark_testkit::ControlPlane;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A cluster, a bucket, and what it takes to go from one to the other and back.
struct Bench {
    plane: &'static ControlPlane,
    ports: Ports,
    _dir: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let plane = ControlPlane::shared();
        let options = ConnectOptions {
            kubeconfig: Some(plane.kubeconfig().to_owned()),
            ..ConnectOptions::default()
        };
        let connection = Connection::from_options(&options).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let store = ark_store::open_url(dir.path().to_str().unwrap())
            .await
            .unwrap();
        let ports = Ports {
            cluster: Arc::new(connection),
            store,
            snapshots: SnapshotLocations::default(),
            clock: Arc::new(SystemClock),
        };
        Self {
            plane,
            ports,
            _dir: dir,
        }
    }

    fn job(&self, cancel: CancellationToken) -> Job {
        Job::new(self.ports.clone(), Arc::new(Silent), cancel)
    }

    /// Backs up a namespace, or what else the spec says, as the backup `b`.
    async fn back_up(&self, mut spec: Value) {
        // Volumes here are directories of nodes, which nobody can save.
        spec["snapshotVolumes"] = false.into();
        let mut backup = Backup::new("b", serde_json::from_value::<BackupSpec>(spec).unwrap());
        backup.metadata.uid = Some("uid-of-b".to_owned());
        let now = self.ports.clock.now();
        let defaults = backup::Defaults::default();
        let locations = [location()];
        let around = backup::Surroundings::of_locations(&locations);
        let backup = backup::validate(&backup, &around, &defaults, now).unwrap();
        let job = self.job(CancellationToken::new());
        let report = backup::run(&job, &backup, &backup::Options::default()).await;
        assert_eq!(report.unwrap().status.errors, 0);
    }

    async fn try_restore(
        &self,
        restore: &ValidatedRestore,
        cancel: CancellationToken,
    ) -> Result<Report, RestoreError> {
        restore::run(&self.job(cancel), restore, &Options::default()).await
    }

    async fn restore(&self, name: &str, spec: Value) -> Report {
        let restore = validated(name, spec);
        let result = self.try_restore(&restore, CancellationToken::new()).await;
        result.unwrap()
    }

    /// The resource list of a restore.
    async fn listing(&self, restore: &str) -> side::ResourceList {
        let key = layout::restore_resource_list(restore);
        let bytes = self.ports.store.read(&key, 1 << 20).await.unwrap();
        side::decode(&key, &bytes, 1 << 20).unwrap()
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        self.plane.kubectl(arguments).unwrap()
    }

    fn apply(&self, manifest: &str) {
        let arguments = ["apply", "-f", "-"];
        self.plane.kubectl_stdin(&arguments, manifest).unwrap();
    }

    /// An object as the server has it; `what` is `kind/name`.
    fn object(&self, namespace: &str, what: &str) -> Value {
        let arguments = ["-n", namespace, "get", what, "-o", "json"];
        let text = self.kubectl(&[&arguments[..], &["--show-managed-fields"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    fn delete_namespace(&self, namespace: &str) {
        self.kubectl(&["delete", "namespace", namespace, "--timeout=120s"]);
    }
}

fn location() -> BackupStorageLocation {
    let mut location = BackupStorageLocation::default();
    location.metadata.name = Some("default".into());
    location.status.get_or_insert_default().phase = Some(LocationPhase::Available);
    location
}

fn validated(name: &str, spec: Value) -> ValidatedRestore {
    let mut spec: RestoreSpec = serde_json::from_value(spec).unwrap();
    spec.backup_name = "b".into();
    let mut backup = Backup::new("b", BackupSpec::default());
    backup.spec.storage_location = "default".into();
    let now = SystemClock.now();
    let defaults = restore::Defaults::default();
    let restore = Restore::new(name, spec);
    restore::validate(&restore, &[backup], &[location()], &defaults, now).unwrap()
}

/// What two lives of an object must share: all but what the server gives, what
/// restores add, and what controllers decide anew.
fn essence(mut object: Value) -> Value {
    object.as_object_mut().unwrap().remove("status");
    let metadata = object["metadata"].as_object_mut().unwrap();
    for key in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
    ] {
        metadata.remove(key);
    }
    if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
        labels.retain(|key, _| !key.starts_with("velero.io/"));
    }
    if metadata
        .get("labels")
        .is_some_and(|l| *l == serde_json::json!({}))
    {
        metadata.remove("labels");
    }
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.retain(|key, _| !key.starts_with("pv.kubernetes.io/"));
    }
    if metadata
        .get("annotations")
        .is_some_and(|a| *a == serde_json::json!({}))
    {
        metadata.remove("annotations");
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    object
}

/// Who manages what: name, operation and subresource of each entry.
fn managers(object: &Value) -> BTreeSet<(String, String, String)> {
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| {
            (
                text(entry, "manager"),
                text(entry, "operation"),
                text(entry, "subresource"),
            )
        })
        .collect()
}
