//! The kinds `DataUpload` and `DataDownload`: moving the data of snapshots into
//! object storage and back. Types only.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    GoDuration, MoverPhase, Time,
    mover::MoveProgress,
    wire::{name, null, zero},
};

named! {
    /// Kinds of snapshots whose data can be moved.
    pub enum SnapshotType {
        /// Snapshots of the Container Storage Interface.
        Csi = "CSI",
    }
}

named! {
    /// Operating systems of nodes.
    pub enum NodeOs {
        /// Whatever the node has.
        Auto = "auto",
        /// Linux.
        Linux = "linux",
        /// Windows.
        Windows = "windows",
    }
}

/// The snapshot and where its data goes.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v2alpha1",
    kind = "DataUpload",
    namespaced,
    status = "DataUploadStatus",
    derive = "PartialEq",
    doc = "Moves the data of one volume snapshot into a storage location.",
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.phase",
        description = "Where the upload stands"
    ),
    printcolumn(
        name = "Started",
        type_ = "date",
        json_path = ".status.startTimestamp",
        description = "When work began"
    ),
    printcolumn(
        name = "Bytes Done",
        type_ = "integer",
        format = "int64",
        json_path = ".status.progress.bytesDone",
        description = "Bytes read so far"
    ),
    printcolumn(
        name = "Total Bytes",
        type_ = "integer",
        format = "int64",
        json_path = ".status.progress.totalBytes",
        description = "Bytes to read"
    ),
    printcolumn(
        name = "Incremental Bytes",
        type_ = "integer",
        format = "int64",
        json_path = ".status.incrementalBytes",
        description = "Bytes that were new",
        priority = 10
    ),
    printcolumn(
        name = "Storage Location",
        type_ = "string",
        json_path = ".spec.backupStorageLocation",
        description = "Where the data goes"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Node",
        type_ = "string",
        json_path = ".status.node",
        description = "Node that does the work"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct DataUploadSpec {
    /// The kind of snapshot.
    pub snapshot_type: SnapshotType,
    /// The snapshot, where its kind is CSI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csi_snapshot: Option<CsiSnapshotSpec>,
    /// Name of the claim that the snapshot was taken of.
    #[serde(rename = "sourcePVC")]
    pub source_pvc: String,
    /// The data mover to use. Empty or `velero` means the built-in one; others
    /// are left to whoever runs them.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub datamover: String,
    /// Name of the BackupStorageLocation that the data goes to.
    pub backup_storage_location: String,
    /// Namespace of the claim.
    pub source_namespace: String,
    /// Settings of the data mover.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub data_mover_config: BTreeMap<String, String>,
    /// Whether it shall stop.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub cancel: bool,
    /// How long steps inside the cluster may take, such as making a volume
    /// from the snapshot.
    pub operation_timeout: GoDuration,
}

has_phase!(DataUpload, MoverPhase, New);

/// A CSI snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CsiSnapshotSpec {
    /// Name of the VolumeSnapshot, in the claim's namespace.
    pub volume_snapshot: String,
    /// Storage class for the volume that is made from the snapshot.
    pub storage_class: String,
    /// Class of the snapshot.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub snapshot_class: String,
    /// Driver of the snapshot.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub driver: String,
}

/// How an upload goes or went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DataUploadStatus {
    /// Where it stands.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<MoverPhase>,
    /// Folder from which the data was read.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub path: String,
    /// The snapshot in the repository.
    #[serde(
        rename = "snapshotID",
        deserialize_with = "null",
        skip_serializing_if = "zero"
    )]
    pub snapshot_id: String,
    /// What the data mover wants to have back for the restore.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub data_mover_result: BTreeMap<String, String>,
    /// What there is to say about the outcome.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// When work began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timestamp: Option<Time>,
    /// When work ended, well or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_timestamp: Option<Time>,
    /// Bytes so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<MoveProgress>,
    /// Bytes that were not in the repository before.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub incremental_bytes: i64,
    /// Node that does the work.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub node: String,
    /// Operating system of the node that used the volume.
    #[serde(
        rename = "nodeOS",
        deserialize_with = "name",
        skip_serializing_if = "Option::is_none"
    )]
    pub node_os: Option<NodeOs>,
    /// Node whose agent took it.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub accepted_by_node: String,
    /// When a node agent took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_timestamp: Option<Time>,
}

/// The volume and where its data comes from.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v2alpha1",
    kind = "DataDownload",
    namespaced,
    status = "DataDownloadStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Moves the data of one volume back from a storage location.",
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.phase",
        description = "Where the download stands"
    ),
    printcolumn(
        name = "Started",
        type_ = "date",
        json_path = ".status.startTimestamp",
        description = "When work began"
    ),
    printcolumn(
        name = "Bytes Done",
        type_ = "integer",
        format = "int64",
        json_path = ".status.progress.bytesDone",
        description = "Bytes written so far"
    ),
    printcolumn(
        name = "Total Bytes",
        type_ = "integer",
        format = "int64",
        json_path = ".status.progress.totalBytes",
        description = "Bytes to write"
    ),
    printcolumn(
        name = "Storage Location",
        type_ = "string",
        json_path = ".spec.backupStorageLocation",
        description = "Where the data comes from"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Node",
        type_ = "string",
        json_path = ".status.node",
        description = "Node that does the work"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct DataDownloadSpec {
    /// The volume to fill.
    pub target_volume: TargetVolume,
    /// Name of the BackupStorageLocation that the data comes from.
    pub backup_storage_location: String,
    /// The data mover to use. Empty or `velero` means the built-in one.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub datamover: String,
    /// The snapshot in the repository.
    #[serde(rename = "snapshotID")]
    pub snapshot_id: String,
    /// Namespace that the volume was backed up in.
    pub source_namespace: String,
    /// Settings of the data mover.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub data_mover_config: BTreeMap<String, String>,
    /// Whether it shall stop.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub cancel: bool,
    /// How long steps inside the cluster may take.
    pub operation_timeout: GoDuration,
    /// Operating system of the node that used the volume.
    #[serde(
        rename = "nodeOS",
        default,
        deserialize_with = "name",
        skip_serializing_if = "Option::is_none"
    )]
    pub node_os: Option<NodeOs>,
    /// Bytes in the snapshot.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub snapshot_size: i64,
}

has_phase!(DataDownload, MoverPhase, New);

/// The volume that a download fills. All names must be present; they may be
/// empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetVolume {
    /// Name of the claim.
    pub pvc: String,
    /// Name of the volume. May be empty.
    pub pv: String,
    /// Namespace of the claim.
    pub namespace: String,
}

/// How a download goes or went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DataDownloadStatus {
    /// Where it stands.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<MoverPhase>,
    /// What there is to say about the outcome.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// When work began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timestamp: Option<Time>,
    /// When work ended, well or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_timestamp: Option<Time>,
    /// Bytes so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<MoveProgress>,
    /// Node that does the work.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub node: String,
    /// Node whose agent took it.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub accepted_by_node: String,
    /// When a node agent took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_timestamp: Option<Time>,
}

/// What a restore keeps of a finished upload: the value in the config map with
/// the label [`crate::label::RESOURCE_USAGE`], under the restore's UID, in JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataUploadResult {
    /// Name of the BackupStorageLocation that has the data. Always written.
    #[serde(deserialize_with = "null")]
    pub backup_storage_location: String,
    /// The data mover that wrote it.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub datamover: String,
    /// The snapshot in the repository.
    #[serde(
        rename = "snapshotID",
        deserialize_with = "null",
        skip_serializing_if = "zero"
    )]
    pub snapshot_id: String,
    /// Namespace of the claim. Always written.
    #[serde(deserialize_with = "null")]
    pub source_namespace: String,
    /// What the data mover wants to have back.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub data_mover_result: BTreeMap<String, String>,
    /// Operating system of the node that used the volume.
    #[serde(
        rename = "nodeOS",
        deserialize_with = "name",
        skip_serializing_if = "Option::is_none"
    )]
    pub node_os: Option<NodeOs>,
    /// Bytes in the snapshot.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub snapshot_size: i64,
}
