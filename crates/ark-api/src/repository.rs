//! The kind `BackupRepository`: a deduplicating store for volume data, one for
//! each namespace, location and type. Types only.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    GoDuration, Time,
    mover::UploaderType,
    wire::{name, null, zero},
};

phases! {
    /// Whether a repository can be used.
    pub enum RepositoryPhase {
        /// Nobody looked at it yet.
        New => [Ready, NotReady],
        /// It exists and can be opened.
        Ready => [NotReady],
        /// It could not be made or opened.
        NotReady => [Ready],
    }
    terminal []
}

named! {
    /// How a run of maintenance ended.
    pub enum MaintenanceResult {
        /// Well.
        Succeeded = "Succeeded",
        /// With an error.
        Failed = "Failed",
    }
}

/// Which data the repository holds, and where.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "BackupRepository",
    plural = "backuprepositories",
    namespaced,
    status = "BackupRepositoryStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A repository that holds the data of one namespace's volumes.",
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Repository Type",
        type_ = "string",
        json_path = ".spec.repositoryType",
        description = "Format of the repository"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct BackupRepositorySpec {
    /// Namespace of the volumes.
    pub volume_namespace: String,
    /// Name of the BackupStorageLocation that holds the repository.
    pub backup_storage_location: String,
    /// Format of the repository. Absent means kopia.
    #[serde(
        default,
        deserialize_with = "name",
        skip_serializing_if = "Option::is_none"
    )]
    pub repository_type: Option<UploaderType>,
    /// Old form of the repository's address.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub restic_identifier: String,
    /// How often space that is no longer used is given back.
    pub maintenance_frequency: GoDuration,
    /// Settings of the repository.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub repository_config: BTreeMap<String, String>,
}

has_phase!(BackupRepository, RepositoryPhase, New);

/// What is known of a repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupRepositoryStatus {
    /// Whether the repository can be used.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<RepositoryPhase>,
    /// Why the repository cannot be used.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// When maintenance last went well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_maintenance_time: Option<Time>,
    /// The latest runs of maintenance, oldest first.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub recent_maintenance: Vec<MaintenanceRun>,
}

/// One run of maintenance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MaintenanceRun {
    /// How it ended.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub result: Option<MaintenanceResult>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timestamp: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete_timestamp: Option<Time>,
    /// Why it failed.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
}
