//! Backups of a real API server into a real directory.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall stop"
)]

mod failure;
mod faulty;
mod fence;
mod hooks;
mod ordered;
mod policies;
mod remap;
mod select;
mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use ark_api::storage_location::LocationPhase;
use ark_api::{Backup, BackupSpec, BackupStorageLocation};
use ark_archive::{Index, ItemKey, Limits, index::unpack_member, layout};
use ark_engine::backup::{
    self, BackupError, Defaults, Options, Report, Surroundings, ValidatedBackup,
};
use ark_engine::job::{Job, Ports};
use ark_engine::port::{SnapshotLocations, Store, SystemClock};
use ark_engine::progress::Silent;
use ark_kube::{ConnectOptions, Connection};
use ark_testkit::ControlPlane;
use tokio_util::sync::CancellationToken;

/// A cluster, a bucket, and what it takes to back the one up into the other.
struct Bench {
    plane: &'static ControlPlane,
    ports: Ports,
    _dir: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        Self::on(ControlPlane::shared()).await
    }

    async fn on(plane: &'static ControlPlane) -> Self {
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

    async fn back_up(&self, name: &str, spec: BackupSpec, options: &Options) -> Report {
        let backup = self.validated(name, &format!("uid-of-{name}"), spec);
        let job = self.job(CancellationToken::new());
        backup::run(&job, &backup, options).await.unwrap()
    }

    async fn try_back_up(
        &self,
        name: &str,
        spec: BackupSpec,
        cancel: CancellationToken,
    ) -> Result<Report, BackupError> {
        let backup = self.validated(name, &format!("uid-of-{name}"), spec);
        backup::run(&self.job(cancel), &backup, &Options::default()).await
    }

    async fn try_back_up_as(
        &self,
        name: &str,
        uid: &str,
        spec: BackupSpec,
    ) -> Result<Report, BackupError> {
        let backup = self.validated(name, uid, spec);
        let job = self.job(CancellationToken::new());
        backup::run(&job, &backup, &Options::default()).await
    }

    fn validated(&self, name: &str, uid: &str, spec: BackupSpec) -> ValidatedBackup {
        let mut backup = Backup::new(name, spec);
        backup.metadata.uid = Some(uid.to_owned());
        let now = self.ports.clock.now();
        let locations = [location()];
        let around = Surroundings::of_locations(&locations);
        backup::validate(&backup, &around, &Defaults::default(), now).unwrap()
    }

    fn job(&self, cancel: CancellationToken) -> Job {
        Job::new(self.ports.clone(), Arc::new(Silent), cancel)
    }

    /// Everything in a backup, read back through its index.
    async fn contents(&self, name: &str) -> BTreeMap<ItemKey, serde_json::Value> {
        contents(self.ports.store.as_ref(), name).await
    }
}

fn location() -> BackupStorageLocation {
    let mut location = BackupStorageLocation::default();
    location.metadata.name = Some("default".into());
    location.status.get_or_insert_default().phase = Some(LocationPhase::Available);
    location
}

async fn contents(store: &dyn Store, name: &str) -> BTreeMap<ItemKey, serde_json::Value> {
    let index = store.read(&layout::index(name), 1 << 30).await.unwrap();
    let index = Index::decode(&index, &Limits::default()).unwrap();
    let mut members: Vec<Vec<u8>> = Vec::new();
    for number in 0..index.member_count() {
        let range = index.member_range(number).unwrap();
        let packed = store
            .read_range(&layout::contents(name), range)
            .await
            .unwrap();
        let raw_len = index.member_raw_len(number).unwrap();
        members.push(unpack_member(&packed, raw_len).unwrap());
    }
    let mut items = BTreeMap::new();
    for entry in index.iter() {
        let json = entry.json(&members[entry.member as usize]).unwrap();
        items.insert(entry.key(), serde_json::from_slice(json).unwrap());
    }
    items
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}
