//! What every controller is given: typed access, running jobs, locations.

use std::sync::Arc;

use ark_api::{
    Backup, BackupStorageLocation, DeleteBackupRequest, DownloadRequest, Restore, Schedule,
    ServerStatusRequest, VolumeSnapshotLocation,
};
use ark_engine::backup::{BackupError, Report as BackupReport};
use ark_engine::job::Ports;
use ark_engine::port::{Clock, Cluster, SnapshotLocations, Store};
use ark_engine::restore::{Report as RestoreReport, RestoreError};
use ark_kube::{Connection, Custom, Trigger};
use jiff::Timestamp;

use crate::controller::ReconcileError;
use crate::controller::backup_queue::LastLook;
use crate::events::Events;
use crate::jobs::Jobs;
use crate::locations::Locations;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::secrets::Secrets;
use crate::snapshot_locations;
use crate::task::Tasks;

/// How a backup's job ends.
pub(crate) type BackupResult = Result<BackupReport, BackupError>;
/// How a restore's job ends.
pub(crate) type RestoreResult = Result<RestoreReport, RestoreError>;
/// How a deletion's job ends: what went wrong, as sentences; empty when nothing.
pub(crate) type DeletionResult = Vec<String>;

/// The resources of the server's namespace.
pub(crate) struct Api {
    pub(crate) backups: Custom<Backup>,
    pub(crate) restores: Custom<Restore>,
    pub(crate) schedules: Custom<Schedule>,
    pub(crate) locations: Custom<BackupStorageLocation>,
    pub(crate) snapshot_locations: Custom<VolumeSnapshotLocation>,
    pub(crate) deletions: Custom<DeleteBackupRequest>,
    pub(crate) downloads: Custom<DownloadRequest>,
    pub(crate) status_requests: Custom<ServerStatusRequest>,
}

/// Ways to ask the controllers that run jobs.
pub(crate) struct Triggers {
    pub(crate) queue: Trigger,
    pub(crate) backups: Trigger,
    pub(crate) restores: Trigger,
    pub(crate) deletions: Trigger,
}

/// Shared by all reconciles.
pub(crate) struct Context {
    pub(crate) namespace: String,
    pub(crate) options: ServerOptions,
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) api: Api,
    pub(crate) locations: Locations,
    pub(crate) secrets: Secrets,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) events: Events,
    pub(crate) backup_jobs: Jobs<BackupResult>,
    pub(crate) restore_jobs: Jobs<RestoreResult>,
    pub(crate) deletion_jobs: Jobs<DeletionResult>,
    /// Asks the queue of backups to be looked at.
    pub(crate) queue: Trigger,
    /// When it was last looked at.
    pub(crate) queue_look: LastLook,
    /// Held while a restore is let in or told to wait, so that two reconciles do
    /// not take one slot.
    pub(crate) restore_admission: tokio::sync::Mutex<()>,
    /// Specs of locations as they were last checked, and when.
    pub(crate) checked: Memory,
    /// Specs of locations as they were last synced, and when.
    pub(crate) synced: Memory,
}

impl Context {
    /// Puts together what the controllers need. Sends nothing.
    pub(crate) fn new(
        connection: &Connection,
        namespace: &str,
        options: ServerOptions,
        clock: Arc<dyn Clock>,
        (tasks, triggers, metrics): (&Tasks, Triggers, Arc<Metrics>),
    ) -> Self {
        let cluster: Arc<dyn Cluster> = Arc::new(connection.clone());
        // The end of a restore concerns its own object and all that wait for a
        // slot; looking at the others costs nothing. Backups wait in the queue.
        let Triggers {
            queue,
            backups,
            restores,
            deletions,
        } = triggers;
        let secrets = Secrets::new(Arc::clone(&cluster), namespace);
        let instance = options.identity.as_deref();
        let (events_cluster, events_clock) = (Arc::clone(&cluster), Arc::clone(&clock));
        let events = Events::start(events_cluster, namespace, instance, events_clock, tasks);
        Self {
            namespace: namespace.to_owned(),
            options,
            events,
            cluster: Arc::clone(&cluster),
            clock,
            api: Api {
                backups: Custom::new(connection, namespace),
                restores: Custom::new(connection, namespace),
                schedules: Custom::new(connection, namespace),
                locations: Custom::new(connection, namespace),
                snapshot_locations: Custom::new(connection, namespace),
                deletions: Custom::new(connection, namespace),
                downloads: Custom::new(connection, namespace),
                status_requests: Custom::new(connection, namespace),
            },
            locations: Locations::new(secrets.clone()),
            secrets,
            backup_jobs: Jobs::new("backup", tasks.clone(), {
                let (queue, metrics) = (queue.clone(), Arc::clone(&metrics));
                move |key| {
                    metrics.job_ended("backup");
                    backups.object(&key.name);
                    // Its resource may be gone: then nobody else tells the queue.
                    queue.all();
                }
            }),
            queue,
            queue_look: LastLook::default(),
            restore_jobs: Jobs::new("restore", tasks.clone(), {
                let metrics = Arc::clone(&metrics);
                move |_| {
                    metrics.job_ended("restore");
                    restores.all();
                }
            }),
            deletion_jobs: Jobs::new("deletion of", tasks.clone(), {
                let metrics = Arc::clone(&metrics);
                move |key| {
                    metrics.job_ended("deletion");
                    deletions.object(&key.name);
                }
            }),
            metrics,
            restore_admission: tokio::sync::Mutex::default(),
            checked: Memory::default(),
            synced: Memory::default(),
        }
    }

    /// The snapshot locations of these names, or all, opened.
    pub(crate) async fn snapshots(
        &self,
        names: Option<&[String]>,
    ) -> Result<SnapshotLocations, ReconcileError> {
        let mut locations = self.api.snapshot_locations.list(None).await?.items;
        if let Some(names) = names {
            let is_named = |name: &String| names.contains(name);
            locations.retain(|one| one.metadata.name.as_ref().is_some_and(is_named));
        }
        Ok(snapshot_locations::open(&self.secrets, &locations).await?)
    }

    /// The outside world of a job.
    pub(crate) fn ports(&self, store: Arc<dyn Store>, snapshots: SnapshotLocations) -> Ports {
        Ports {
            cluster: Arc::clone(&self.cluster),
            store,
            snapshots,
            clock: Arc::clone(&self.clock),
        }
    }

    /// This instant.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
