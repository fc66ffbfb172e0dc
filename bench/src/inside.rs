//! The engine inside this process, so that its options can be varied and its
//! parts be timed. What is compared with the raw limits is a real server instead.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use ark_api::storage_location::{BackupStorageLocationStatus, ObjectStorageLocation};
use ark_api::{Backup, BackupStorageLocation, LocationPhase, Restore, label};
use ark_engine::job::{Job, Ports};
use ark_engine::object::Object;
use ark_engine::port::{
    ApiResource, Clock as _, Cluster as _, ListQuery, SnapshotLocations, Store, SystemClock,
};
use ark_engine::progress::{Event, Observer};
use ark_engine::{backup, catalog, restore};
use ark_kube::{ConnectOptions, Connection};
use ark_store::Location;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::timed::{Calls, TimedCluster, TimedStore};
use crate::wire::Endpoint;

const LOCATION: &str = "default";

/// A connection to a cluster, and a directory.
pub(crate) struct Inside {
    connection: Connection,
    store: Arc<dyn Store>,
    location: BackupStorageLocation,
}

/// When the parts of a job began and ended, in seconds from its start.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    /// Wall time of the whole.
    pub(crate) seconds: f64,
    /// When each stage began, as the engine calls it.
    pub(crate) stages: Vec<(f64, String)>,
    /// Calls to the cluster and the store.
    pub(crate) calls: Calls,
}

impl Inside {
    /// Connects as the server does.
    pub(crate) async fn connect(cluster: &Cluster, bucket: &Path) -> Result<Self> {
        Self::connect_with(cluster, bucket, ConnectOptions::default()).await
    }

    /// Connects with options; the kubeconfig among them is the cluster's.
    pub(crate) async fn connect_with(
        cluster: &Cluster,
        bucket: &Path,
        options: ConnectOptions,
    ) -> Result<Self> {
        std::fs::create_dir_all(bucket)?;
        let kubeconfig = Some(cluster.plane.kubeconfig().to_owned());
        let connection = Connection::from_options(&ConnectOptions {
            kubeconfig,
            ..options
        })
        .await?;
        let path = bucket
            .to_str()
            .context("the directory's name is not UTF-8")?;
        let store = ark_store::open(&Location::from_url(path)?).await?;
        Ok(Self {
            connection,
            store,
            location: location(path),
        })
    }

    /// Paths of everything that a backup of the whole cluster lists.
    pub(crate) async fn collections(&self) -> Result<Vec<String>> {
        let kinds = self.kinds().await?;
        Ok(kinds.iter().map(collection).collect())
    }

    async fn kinds(&self) -> Result<Vec<ApiResource>> {
        let discovery = self.connection.discover().await?;
        let namespaces = discovery
            .resources
            .iter()
            .find(|one| one.plural == "namespaces");
        let namespaces = self
            .list(namespaces.context("no namespaces are served")?)
            .await?;
        let validated = self.validated("plan")?;
        let plan = backup::plan(
            &validated,
            &discovery,
            &namespaces,
            backup::Versions::Preferred,
        );
        Ok(plan.kinds.into_iter().map(|kind| kind.resource).collect())
    }

    /// Every object of the cluster, by kind.
    pub(crate) async fn objects(&self) -> Result<Vec<(ApiResource, Vec<Object>)>> {
        let mut all = Vec::new();
        for kind in self.kinds().await? {
            let objects = self.list(&kind).await?;
            all.push((kind, objects));
        }
        Ok(all)
    }

    async fn list(&self, resource: &ApiResource) -> Result<Vec<Object>> {
        let query = ListQuery {
            resource: resource.clone(),
            namespace: None,
            label_selector: None,
            field_selector: None,
            at: None,
        };
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let page = self.connection.list(&query, token.as_deref(), 500).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(all),
            }
        }
    }

    fn validated(&self, name: &str) -> Result<backup::ValidatedBackup> {
        let mut backup = Backup::default();
        backup.metadata.name = Some(name.to_owned());
        backup.metadata.uid = Some(name.to_owned());
        backup.spec.snapshot_volumes = Some(false);
        LOCATION.clone_into(&mut backup.spec.storage_location);
        let locations = std::slice::from_ref(&self.location);
        backup::validate(
            &backup,
            &backup::Surroundings::of_locations(locations),
            &backup::Defaults::default(),
            SystemClock.now(),
        )
        .map_err(|rejected| anyhow!("{}", rejected.messages.join("; ")))
    }

    /// Makes a backup of everything.
    pub(crate) async fn backup(&self, name: &str, options: &backup::Options) -> Result<Timeline> {
        let validated = self.validated(name)?;
        let (job, watcher, calls) = self.job();
        let report = backup::run(&job, &validated, options).await?;
        if !report.issues.is_complete() {
            return Err(anyhow!("the backup is not complete: {:?}", report.issues));
        }
        Ok(watcher.timeline(&calls))
    }

    /// Restores everything.
    pub(crate) async fn restore(&self, from: &str, options: &restore::Options) -> Result<Timeline> {
        let mut source: Backup =
            serde_json::from_value(catalog::read(self.store.as_ref(), from).await?)?;
        LOCATION.clone_into(&mut source.spec.storage_location);
        let labels = source.metadata.labels.get_or_insert_default();
        labels.insert(label::STORAGE_LOCATION.to_owned(), LOCATION.to_owned());
        let mut restore = Restore::default();
        restore.metadata.name = Some(from.to_owned());
        restore.metadata.uid = Some(from.to_owned());
        from.clone_into(&mut restore.spec.backup_name);
        let locations = std::slice::from_ref(&self.location);
        let defaults = restore::Defaults::default();
        let validated =
            restore::validate(&restore, &[source], locations, &defaults, SystemClock.now())
                .map_err(|rejected| anyhow!("{}", rejected.messages.join("; ")))?;
        let (job, watcher, calls) = self.job();
        restore::run(&job, &validated, options).await?;
        Ok(watcher.timeline(&calls))
    }

    fn job(&self) -> (Job, Arc<Watcher>, Arc<Mutex<Calls>>) {
        let calls = Arc::new(Mutex::new(Calls::default()));
        let ports = Ports {
            cluster: Arc::new(TimedCluster::new(
                self.connection.clone(),
                Arc::clone(&calls),
            )),
            store: Arc::new(TimedStore::new(Arc::clone(&self.store), Arc::clone(&calls))),
            snapshots: SnapshotLocations::default(),
            clock: Arc::new(SystemClock),
        };
        let watcher = Arc::new(Watcher {
            started: Instant::now(),
            stages: Mutex::default(),
        });
        let observer = Arc::clone(&watcher);
        (
            Job::new(ports, observer, CancellationToken::new()),
            watcher,
            calls,
        )
    }
}

/// Notes when stages begin.
struct Watcher {
    started: Instant,
    stages: Mutex<Vec<(f64, String)>>,
}

impl Watcher {
    fn timeline(&self, calls: &Mutex<Calls>) -> Timeline {
        Timeline {
            seconds: self.started.elapsed().as_secs_f64(),
            stages: self
                .stages
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            calls: calls.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl Observer for Watcher {
    fn on(&self, event: &Event) {
        if let Event::Stage(text) = event {
            let at = self.started.elapsed().as_secs_f64();
            self.stages
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((at, text.clone()));
        }
    }
}

fn location(bucket: &str) -> BackupStorageLocation {
    let mut location = BackupStorageLocation::default();
    location.metadata.name = Some(LOCATION.to_owned());
    "fs".clone_into(&mut location.spec.provider);
    location.spec.object_storage = ObjectStorageLocation {
        bucket: bucket.to_owned(),
        ..ObjectStorageLocation::default()
    };
    location.spec.default = true;
    location.status = Some(BackupStorageLocationStatus {
        phase: Some(LocationPhase::Available),
        ..BackupStorageLocationStatus::default()
    });
    location
}

fn collection(resource: &ApiResource) -> String {
    if resource.group.is_empty() {
        format!("/api/{}/{}", resource.version, resource.plural)
    } else {
        format!(
            "/apis/{}/{}/{}",
            resource.group, resource.version, resource.plural
        )
    }
}

/// The newest revision of a cluster.
pub(crate) async fn revision(endpoint: &Endpoint) -> Result<String> {
    #[derive(Deserialize)]
    struct List {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        resource_version: String,
    }
    let body = endpoint.get("/api/v1/namespaces?limit=1").await?;
    let list: List = serde_json::from_slice(&body)?;
    Ok(list.metadata.resource_version)
}
