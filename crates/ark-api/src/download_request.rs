//! The kind `DownloadRequest`: asks for an address from which a file of a
//! backup or restore can be fetched for a while. Types only.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Time,
    wire::{name, null, zero},
};

phases! {
    /// Whether the address is there.
    pub enum DownloadRequestPhase {
        /// Nobody looked at it yet.
        New => [Processed],
        /// The status has the address.
        Processed => [],
    }
    terminal [Processed]
}

named! {
    /// The files that can be asked for.
    pub enum DownloadTargetKind {
        /// Log of a backup.
        BackupLog = "BackupLog",
        /// The objects of a backup, as a tarball.
        BackupContents = "BackupContents",
        /// Snapshots that providers made.
        BackupVolumeSnapshots = "BackupVolumeSnapshots",
        /// Operations that a backup began.
        BackupItemOperations = "BackupItemOperations",
        /// Names of the objects in a backup.
        BackupResourceList = "BackupResourceList",
        /// Warnings and errors of a backup.
        BackupResults = "BackupResults",
        /// Log of a restore.
        RestoreLog = "RestoreLog",
        /// Warnings and errors of a restore.
        RestoreResults = "RestoreResults",
        /// Names of the objects that a restore dealt with.
        RestoreResourceList = "RestoreResourceList",
        /// Operations that a restore began.
        RestoreItemOperations = "RestoreItemOperations",
        /// CSI snapshots of a backup.
        CsiBackupVolumeSnapshots = "CSIBackupVolumeSnapshots",
        /// Contents of the CSI snapshots of a backup.
        CsiBackupVolumeSnapshotContents = "CSIBackupVolumeSnapshotContents",
        /// How each volume was backed up.
        BackupVolumeInfos = "BackupVolumeInfos",
        /// How each volume was restored.
        RestoreVolumeInfo = "RestoreVolumeInfo",
    }
}

/// What is wanted.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "DownloadRequest",
    namespaced,
    status = "DownloadRequestStatus",
    derive = "PartialEq",
    doc = "Asks for an address from which a file of a backup or restore can be fetched."
)]
#[serde(rename_all = "camelCase")]
pub struct DownloadRequestSpec {
    /// The file.
    pub target: DownloadTarget,
}

has_phase!(DownloadRequest, DownloadRequestPhase, New);

/// A file of a backup or restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DownloadTarget {
    /// Which of its files.
    pub kind: DownloadTargetKind,
    /// Name of the Backup or Restore.
    pub name: String,
}

/// Where the file can be fetched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DownloadRequestStatus {
    /// Whether the address is there.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<DownloadRequestPhase>,
    /// The address. Whoever has it can fetch the file until it expires.
    #[serde(
        rename = "downloadURL",
        deserialize_with = "null",
        skip_serializing_if = "zero"
    )]
    pub download_url: String,
    /// When the address expires and this request may be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Time>,
}
