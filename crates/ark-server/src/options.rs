//! What a server can be told. Plain values: the binary reads flags and the
//! environment, this crate does not.

use std::path::PathBuf;
use std::time::Duration;

use crate::disabled::DisabledControllers;

/// Options of [`run`](crate::run); the defaults are those of Velero's server.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The namespace whose resources this server acts on, and no others. `None`:
    /// the namespace of the connection.
    pub namespace: Option<String>,
    /// Kubeconfig; `None` for the usual places and the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig.
    pub context: Option<String>,
    /// Where health and metrics are served, `HOST:PORT` or `:PORT`; port 0 takes
    /// a free one.
    pub metrics_address: String,
    /// Backups at the same time.
    pub concurrent_backups: usize,
    /// Restores at the same time.
    pub concurrent_restores: usize,
    /// Controllers that do not run.
    pub disabled_controllers: DisabledControllers,
    /// Whether schedules that do not say it skip the backup that is due when they
    /// are made.
    pub schedule_skip_immediately: bool,
    /// The most calls to the API server in flight at once.
    pub max_concurrent_calls: usize,
    /// What applies where a backup says nothing.
    pub backup_defaults: ark_engine::backup::Defaults,
    /// What applies where a restore says nothing.
    pub restore_defaults: ark_engine::restore::Defaults,
    /// How a backup runs.
    pub backup: ark_engine::backup::Options,
    /// How a restore runs.
    pub restore: ark_engine::restore::Options,
    /// How often a location is looked through for backups that the cluster does
    /// not know, where the location does not say; zero for never.
    pub backup_sync_period: Duration,
    /// How often a location is checked, where the location does not say; zero for
    /// once.
    pub store_validation_frequency: Duration,
    /// How often expired backups are looked for.
    pub garbage_collection_frequency: Duration,
    /// Whether to act only while holding a lease. Off, nobody may run a second
    /// server in the namespace.
    pub leader_election: bool,
    /// What the lease calls this server: the pod's name. `None`: something that no
    /// other process has.
    pub identity: Option<String>,
    /// How long a lease holds without being renewed; another server takes over
    /// after that.
    pub lease_duration: Duration,
    /// The location to create when the namespace has none.
    pub initial_location: Option<ark_api::BackupStorageLocation>,
    /// How long running jobs may take to clean up when the server ends.
    pub shutdown_grace: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            namespace: None,
            kubeconfig: None,
            context: None,
            metrics_address: ":8085".to_owned(),
            concurrent_backups: 1,
            concurrent_restores: 1,
            disabled_controllers: DisabledControllers::default(),
            schedule_skip_immediately: false,
            max_concurrent_calls: 64,
            backup_defaults: ark_engine::backup::Defaults::default(),
            restore_defaults: ark_engine::restore::Defaults::default(),
            backup: ark_engine::backup::Options::default(),
            restore: ark_engine::restore::Options::default(),
            backup_sync_period: Duration::from_mins(1),
            store_validation_frequency: Duration::from_mins(1),
            garbage_collection_frequency: Duration::from_hours(1),
            leader_election: true,
            identity: None,
            lease_duration: Duration::from_secs(15),
            initial_location: None,
            shutdown_grace: Duration::from_secs(20),
        }
    }
}
