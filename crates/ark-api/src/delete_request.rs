//! The kind `DeleteBackupRequest`: asks for a backup to be deleted with all its
//! data. Types only.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Condition,
    wire::{name, null, zero},
};

phases! {
    /// Where a deletion stands.
    pub enum DeleteBackupRequestPhase {
        /// Nobody looked at it yet.
        New => [InProgress, Processed],
        /// Data is being deleted.
        InProgress => [Processed],
        /// It has ended; the errors say whether all went well.
        Processed => [],
    }
    terminal [Processed]
}

/// What to delete.
#[derive(
    CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema,
)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "DeleteBackupRequest",
    namespaced,
    status = "DeleteBackupRequestStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Asks for a backup to be deleted: its files, its snapshots, its restores and itself.",
    printcolumn(
        name = "BackupName",
        type_ = "string",
        json_path = ".spec.backupName",
        description = "The backup to delete"
    ),
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.phase",
        description = "Where the deletion stands"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct DeleteBackupRequestSpec {
    /// Name of the Backup to delete.
    pub backup_name: String,
}

has_phase!(DeleteBackupRequest, DeleteBackupRequestPhase, New);

/// How the deletion goes or went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DeleteBackupRequestStatus {
    /// Where the deletion stands.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<DeleteBackupRequestPhase>,
    /// What went wrong.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub errors: Vec<String>,
    /// The phase, summed up for tools that know conditions only.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
