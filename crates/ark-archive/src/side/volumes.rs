//! What became of volumes: `volumeinfo` and `volumesnapshots` files.
//!
//! Keys and their spelling are Velero's (see its `volume` packages); times are
//! RFC 3339 texts and sizes are bytes, passed through as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::null_is_default;

/// One volume of a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupVolumeInfo {
    /// Claim.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pvc_name: String,
    /// Namespace of the claim.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pvc_namespace: String,
    /// Persistent volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pv_name: String,
    /// `NativeSnapshot`, `PodVolumeBackup` or `CSISnapshot`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub backup_method: String,
    /// Whether a data mover copies or copied the snapshot.
    pub snapshot_data_moved: bool,
    /// Whether the snapshot stays after its data was moved.
    pub preserve_local_snapshot: bool,
    /// Whether nothing was backed up.
    pub skipped: bool,
    /// Why nothing was backed up.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub skipped_reason: String,
    /// What chose the method, for people. Ark's own; other programs pass over it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub chosen_by: String,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timestamp: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_timestamp: Option<String>,
    /// `succeeded` or `failed`; empty while not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub result: String,
    /// For CSI snapshots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csi_snapshot_info: Option<CsiSnapshotInfo>,
    /// For snapshots whose data is moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_data_movement_info: Option<DataMovementInfo>,
    /// For snapshots of a cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native_snapshot_info: Option<NativeSnapshotInfo>,
    /// For file backups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvb_info: Option<PodVolumeInfo>,
    /// What a restore needs of the persistent volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pv_info: Option<PersistentVolumeInfo>,
}

/// One volume of a restore.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RestoreVolumeInfo {
    /// Claim.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pvc_name: String,
    /// Namespace of the claim.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pvc_namespace: String,
    /// Persistent volume.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pv_name: String,
    /// `NativeSnapshot`, `PodVolumeRestore` or `CSISnapshot`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub restore_method: String,
    /// Whether a data mover fills the volume.
    pub snapshot_data_moved: bool,
    /// For CSI snapshots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csi_snapshot_info: Option<CsiSnapshotInfo>,
    /// For moved data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_data_movement_info: Option<DataMovementInfo>,
    /// For snapshots of a cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native_snapshot_info: Option<NativeSnapshotInfo>,
    /// For file restores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvr_info: Option<PodVolumeInfo>,
}

/// A CSI snapshot. With data movement, handle, content name and operation are
/// the text `unknown`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CsiSnapshotInfo {
    /// Handle at the storage system.
    pub snapshot_handle: String,
    /// Bytes.
    pub size: i64,
    /// CSI driver.
    pub driver: String,
    /// Name of the `VolumeSnapshotContent`.
    pub vsc_name: String,
    /// Asynchronous operation that waits for it.
    #[serde(rename = "operationID", skip_serializing_if = "String::is_empty")]
    pub operation_id: String,
    /// Whether it can be used; `null` while not known. Capital on disk.
    #[serde(rename = "ReadyToUse", alias = "readyToUse")]
    pub ready_to_use: Option<bool>,
    /// Handle of the group snapshot it belongs to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub volume_group_snapshot_handle: String,
}

/// Snapshot data copied into a file repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataMovementInfo {
    /// Who moves: `velero` for the built-in one.
    pub data_mover: String,
    /// `kopia`, `restic` and so on.
    pub uploader_type: String,
    /// Snapshot that stays.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub retained_snapshot: String,
    /// Snapshot id in the repository.
    pub snapshot_handle: String,
    /// Asynchronous operation.
    #[serde(rename = "operationID")]
    pub operation_id: String,
    /// Bytes of the volume.
    pub size: i64,
    /// Bytes that were new.
    #[serde(skip_serializing_if = "is_zero")]
    pub incremental_size: i64,
    /// Phase of the operation. Capital on disk.
    #[serde(rename = "Phase", alias = "phase")]
    pub phase: String,
}

/// A snapshot made by a cloud's own API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NativeSnapshotInfo {
    /// Snapshot id at the cloud.
    pub snapshot_handle: String,
    /// Volume type, `gp3`.
    pub volume_type: String,
    /// Availability zone.
    #[serde(rename = "volumeAZ")]
    pub volume_az: String,
    /// I/O operations per second, as a text.
    pub iops: String,
    /// `Completed` and so on. Capital on disk.
    #[serde(rename = "Phase", alias = "phase")]
    pub phase: String,
}

/// A file backup or restore of a pod's volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodVolumeInfo {
    /// Snapshot id in the repository.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub snapshot_handle: String,
    /// Bytes of the volume.
    #[serde(skip_serializing_if = "is_zero")]
    pub size: i64,
    /// Bytes that were new.
    #[serde(skip_serializing_if = "is_zero")]
    pub incremental_size: i64,
    /// `kopia`, `restic` and so on.
    pub uploader_type: String,
    /// Volume as the pod names it.
    pub volume_name: String,
    /// Pod.
    pub pod_name: String,
    /// Namespace of the pod.
    pub pod_namespace: String,
    /// Node it ran on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node_name: String,
    /// `Completed` and so on. Capital on disk.
    #[serde(rename = "Phase", alias = "phase")]
    pub phase: String,
}

/// What a restore needs of a persistent volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersistentVolumeInfo {
    /// `Delete` or `Retain`.
    pub reclaim_policy: String,
    /// Labels of the volume.
    #[serde(deserialize_with = "null_is_default")]
    pub labels: BTreeMap<String, String>,
}

/// One snapshot made by a cloud's own API, and of what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeSnapshot {
    /// What was to be done.
    pub spec: VolumeSnapshotSpec,
    /// What became of it.
    pub status: VolumeSnapshotStatus,
}

/// The volume that is snapshotted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotSpec {
    /// Backup.
    pub backup_name: String,
    /// Its uid.
    #[serde(rename = "backupUID")]
    pub backup_uid: String,
    /// Snapshot location.
    pub location: String,
    /// Persistent volume. Written with a capital P by releases 0.10 to 1.10.
    #[serde(alias = "PersistentVolumeName")]
    pub persistent_volume_name: String,
    /// Volume id at the cloud.
    #[serde(rename = "providerVolumeID")]
    pub provider_volume_id: String,
    /// Volume type, `gp3`.
    pub volume_type: String,
    /// Availability zone.
    #[serde(rename = "volumeAZ", skip_serializing_if = "String::is_empty")]
    pub volume_az: String,
    /// I/O operations per second.
    #[serde(rename = "volumeIOPS", skip_serializing_if = "Option::is_none")]
    pub volume_iops: Option<i64>,
}

/// How far a snapshot is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotStatus {
    /// Snapshot id at the cloud.
    #[serde(
        rename = "providerSnapshotID",
        skip_serializing_if = "String::is_empty"
    )]
    pub provider_snapshot_id: String,
    /// How far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<VolumeSnapshotPhase>,
}

/// Phases of a native snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeSnapshotPhase {
    /// Not begun.
    New,
    /// There.
    Completed,
    /// Could not be made.
    Failed,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn is_zero(value: &i64) -> bool {
    *value == 0
}
