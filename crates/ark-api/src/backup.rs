//! The kind `Backup`: a backup that is wanted, runs or exists. Types only.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Condition, GoDuration, LabelSelector, Time, TypedLocalObjectReference,
    hook::{BackupHooks, HookStatus},
    wire::{name, null, zero},
};

phases! {
    /// Where a backup stands. `New` may go straight to `InProgress`: queueing
    /// came later than the kind. What was interrupted by the end of a server begins
    /// again in `InProgress`, and what is awaited may fail or be cancelled.
    pub enum BackupPhase {
        /// Nobody looked at it yet.
        New => [Queued, ReadyToStart, InProgress, FailedValidation, Failed, Deleting],
        /// Waits for its turn.
        Queued => [ReadyToStart, InProgress, FailedValidation, Failed, Deleting],
        /// Its turn has come.
        ReadyToStart => [InProgress, FailedValidation, Failed, Deleting],
        /// Its spec is not valid; nothing was done.
        FailedValidation => [Deleting],
        /// Items are being collected.
        InProgress => [
            WaitingForPluginOperations,
            WaitingForPluginOperationsPartiallyFailed,
            Finalizing,
            FinalizingPartiallyFailed,
            Completed,
            PartiallyFailed,
            Failed,
            Deleting
        ],
        /// All items are collected; operations on volumes still run.
        WaitingForPluginOperations => [
            InProgress,
            Finalizing,
            FinalizingPartiallyFailed,
            Completed,
            PartiallyFailed,
            Failed,
            Deleting
        ],
        /// Like `WaitingForPluginOperations`, and something failed already.
        WaitingForPluginOperationsPartiallyFailed => [
            InProgress,
            FinalizingPartiallyFailed,
            PartiallyFailed,
            Failed,
            Deleting
        ],
        /// Items changed by finished operations are collected again.
        Finalizing => [InProgress, Completed, Failed, Deleting],
        /// Like `Finalizing`, and something failed already.
        FinalizingPartiallyFailed => [InProgress, PartiallyFailed, Failed, Deleting],
        /// Each selected item and volume is in the backup.
        Completed => [Deleting],
        /// The backup exists, but something is missing from it.
        PartiallyFailed => [Deleting],
        /// There is no usable backup.
        Failed => [Deleting],
        /// It and all its data are being deleted.
        Deleting => [],
    }
    terminal [FailedValidation, Completed, PartiallyFailed, Failed, Deleting]
}

impl BackupPhase {
    /// Whether a job works on it, or did when its server ended.
    pub fn is_under_way(&self) -> bool {
        matches!(
            self,
            Self::InProgress
                | Self::WaitingForPluginOperations
                | Self::WaitingForPluginOperationsPartiallyFailed
                | Self::Finalizing
                | Self::FinalizingPartiallyFailed
        )
    }
}

/// What to back up and how.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "Backup",
    namespaced,
    status = "BackupStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A backup of objects and volumes of this cluster: asked for in spec, told about in status."
)]
#[serde(rename_all = "camelCase", default, remote = "Self")]
pub struct BackupSpec {
    /// Metadata for the Backup that a schedule makes from this template. It
    /// has no effect in a Backup itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<TemplateMetadata>,
    /// Namespaces to back up; may hold wildcards. None or `*` means all.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_namespaces: Vec<String>,
    /// Namespaces to leave out.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_namespaces: Vec<String>,
    /// Resources to back up, as `resource.group` or by any other name that
    /// kubectl knows. None or `*` means all. Not to be mixed with the four
    /// scoped lists below.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_resources: Vec<String>,
    /// Resources to leave out. Not to be mixed with the four scoped lists.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_resources: Vec<String>,
    /// Cluster-scoped resources to back up. None means those that belong to
    /// what is backed up; `*` means all.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_cluster_scoped_resources: Vec<String>,
    /// Cluster-scoped resources to leave out; `*` means all.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_cluster_scoped_resources: Vec<String>,
    /// Resources in namespaces to back up. None or `*` means all.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_namespace_scoped_resources: Vec<String>,
    /// Resources in namespaces to leave out; `*` means all.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_namespace_scoped_resources: Vec<String>,
    /// Labels that an object must have to be backed up. Not to be mixed with
    /// orLabelSelectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub label_selector: Option<LabelSelector>,
    /// Label selectors of which an object must match at least one.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub or_label_selectors: Vec<LabelSelector>,
    /// Whether snapshots of persistent volumes are taken. Absent means where
    /// possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_volumes: Option<bool>,
    /// How long the backup is kept, counted from its start. Absent means the
    /// server's default, 720h if that is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<GoDuration>,
    /// Key of the label by whose value claims are put into one group snapshot.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub volume_group_snapshot_label_key: String,
    /// Whether cluster-scoped resources are backed up. Absent means those that
    /// belong to what is backed up, or all when all namespaces are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_cluster_resources: Option<bool>,
    /// Commands to run in pods before and after they are backed up.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hooks: BackupHooks,
    /// Name of the BackupStorageLocation. Empty means the default one.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub storage_location: String,
    /// Names of the VolumeSnapshotLocations, at most one for each provider.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub volume_snapshot_locations: Vec<String>,
    /// Old name of defaultVolumesToFsBackup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_volumes_to_restic: Option<bool>,
    /// Whether the files of all pod volumes are backed up unless a pod says
    /// otherwise. Absent means the server's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_volumes_to_fs_backup: Option<bool>,
    /// Objects to back up first: for a resource, their names (`name` or
    /// `namespace/name`) in order, separated by commas.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ordered_resources: BTreeMap<String, String>,
    /// How long to wait for a CSI snapshot to be ready. Absent means 10m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csi_snapshot_timeout: Option<GoDuration>,
    /// How long an operation of an item may go on after the items are
    /// collected. Absent means 4h.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_operation_timeout: Option<GoDuration>,
    /// The ConfigMap with the policies that decide on volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub resource_policy: Option<TypedLocalObjectReference>,
    /// Whether the data of snapshots is moved into the storage location.
    /// Absent means the server's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_move_data: Option<bool>,
    /// The data mover to use. Empty or `velero` means the built-in one.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub datamover: String,
    /// Settings for reading volumes as files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploader_config: Option<BackupUploaderConfig>,
}

spec_may_be_absent!(BackupSpec);
has_phase!(Backup, BackupPhase, New);

/// Metadata of the backups that a schedule makes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateMetadata {
    /// Labels of the backups. Where present, they take the place of the
    /// schedule's own labels.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
}

/// How volumes are read as files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupUploaderConfig {
    /// Files that are read at the same time. Zero means as many as there are
    /// processors.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub parallel_files_upload: i64,
}

/// How a backup goes or went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupStatus {
    /// Major version of the backup format; 1.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: i64,
    /// Full version of the backup format.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub format_version: String,
    /// When the backup may be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Time>,
    /// Where the backup stands.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<BackupPhase>,
    /// Place in the queue, counted from 1. Zero means not queued.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub queue_position: i64,
    /// Everything that is wrong with the spec.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub validation_errors: Vec<String>,
    /// When work began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timestamp: Option<Time>,
    /// When work ended, well or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_timestamp: Option<Time>,
    /// Volume snapshots that a provider was asked for.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub volume_snapshots_attempted: i64,
    /// Volume snapshots that a provider made.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub volume_snapshots_completed: i64,
    /// Why the backup as a whole failed.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub failure_reason: String,
    /// Number of warnings in the backup's log.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub warnings: i64,
    /// Number of errors in the backup's log.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub errors: i64,
    /// Items so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<BackupProgress>,
    /// CSI snapshots that were asked for.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub csi_volume_snapshots_attempted: i64,
    /// CSI snapshots that were made.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub csi_volume_snapshots_completed: i64,
    /// Operations that were begun and may outlast the collecting of items.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub backup_item_operations_attempted: i64,
    /// Such operations that succeeded.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub backup_item_operations_completed: i64,
    /// Such operations that failed.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub backup_item_operations_failed: i64,
    /// Hooks so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_status: Option<HookStatus>,
    /// The phase, summed up for tools that know conditions only.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// How many items a backup has and how many of them are done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupProgress {
    /// Items to be backed up. May grow while item actions find more.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub total_items: i64,
    /// Items dealt with so far, those that failed included.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub items_backed_up: i64,
}
