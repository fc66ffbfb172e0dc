//! The kinds `PodVolumeBackup` and `PodVolumeRestore`: file backups of the
//! volumes of running pods. Types only.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    MoverPhase, ObjectReference, Time,
    mover::{MoveProgress, UploaderType},
    wire::{name, null, zero},
};

/// The volume and where its files go.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "PodVolumeBackup",
    namespaced,
    status = "PodVolumeBackupStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "The file backup of one volume of one pod.",
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.phase",
        description = "Where the backup of the volume stands"
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
        description = "Where the files go"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Node",
        type_ = "string",
        json_path = ".spec.node",
        description = "Node of the pod"
    ),
    printcolumn(
        name = "Uploader",
        type_ = "string",
        json_path = ".spec.uploaderType",
        description = "Program that reads the files"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct PodVolumeBackupSpec {
    /// Node that the pod runs on.
    pub node: String,
    /// The pod.
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub pod: ObjectReference,
    /// Name of the volume in the pod.
    pub volume: String,
    /// Name of the BackupStorageLocation that holds the repository.
    pub backup_storage_location: String,
    /// Address of the repository. May be empty.
    pub repo_identifier: String,
    /// The program that reads the files. Absent means kopia.
    #[serde(
        default,
        deserialize_with = "name",
        skip_serializing_if = "Option::is_none"
    )]
    pub uploader_type: Option<UploaderType>,
    /// Tags of the snapshot in the repository.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub tags: BTreeMap<String, String>,
    /// Settings of that program.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub uploader_settings: BTreeMap<String, String>,
    /// Whether it shall stop.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub cancel: bool,
}

has_phase!(PodVolumeBackup, MoverPhase, New);

/// How the backup of the volume goes or went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PodVolumeBackupStatus {
    /// Where it stands.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<MoverPhase>,
    /// Folder on the node from which the files were read.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub path: String,
    /// The snapshot in the repository.
    #[serde(
        rename = "snapshotID",
        deserialize_with = "null",
        skip_serializing_if = "zero"
    )]
    pub snapshot_id: String,
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
    /// When a node agent took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_timestamp: Option<Time>,
}

/// The volume and where its files come from.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "PodVolumeRestore",
    namespaced,
    status = "PodVolumeRestoreStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "The restore of the files of one volume of one pod.",
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.phase",
        description = "Where the restore of the volume stands"
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
        description = "Where the files come from"
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
    ),
    printcolumn(
        name = "Uploader Type",
        type_ = "string",
        json_path = ".spec.uploaderType",
        description = "Program that writes the files"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct PodVolumeRestoreSpec {
    /// The pod.
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub pod: ObjectReference,
    /// Name of the volume in the pod.
    pub volume: String,
    /// Name of the BackupStorageLocation that holds the repository.
    pub backup_storage_location: String,
    /// Address of the repository. May be empty.
    pub repo_identifier: String,
    /// The program that wrote the snapshot. Absent means kopia.
    #[serde(
        default,
        deserialize_with = "name",
        skip_serializing_if = "Option::is_none"
    )]
    pub uploader_type: Option<UploaderType>,
    /// The snapshot in the repository.
    #[serde(rename = "snapshotID")]
    pub snapshot_id: String,
    /// Namespace that the volume was backed up in.
    pub source_namespace: String,
    /// Settings of the program that writes the files.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub uploader_settings: BTreeMap<String, String>,
    /// Whether it shall stop.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub cancel: bool,
    /// Bytes in the snapshot.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub snapshot_size: i64,
}

has_phase!(PodVolumeRestore, MoverPhase, New);

/// How the restore of the volume goes or went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PodVolumeRestoreStatus {
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
    /// When a node agent took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_timestamp: Option<Time>,
    /// Node that does the work.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub node: String,
}
