//! The kind `Schedule`: backups made by the clock. Types only.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    BackupSpec, Condition, Time,
    wire::{name, null, zero},
};

phases! {
    /// Whether a schedule can run.
    pub enum SchedulePhase {
        /// Nobody looked at it yet.
        New => [Enabled, FailedValidation],
        /// It makes backups when their time has come.
        Enabled => [FailedValidation],
        /// Its spec is not valid.
        FailedValidation => [Enabled],
    }
    terminal []
}

/// When to make which backup.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "Schedule",
    namespaced,
    status = "ScheduleStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Makes a Backup from a template whenever its time has come.",
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.phase",
        description = "Whether the schedule can run"
    ),
    printcolumn(
        name = "Schedule",
        type_ = "string",
        json_path = ".spec.schedule",
        description = "When a backup is made, as a cron expression"
    ),
    printcolumn(
        name = "LastBackup",
        type_ = "date",
        json_path = ".status.lastBackup",
        description = "When the last backup was made"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(name = "Paused", type_ = "boolean", json_path = ".spec.paused")
)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleSpec {
    /// The spec of each backup.
    pub template: BackupSpec,
    /// When a backup is made: a cron expression with five fields, in UTC unless
    /// CRON_TZ and a time zone come first, or `@every` and a duration.
    pub schedule: String,
    /// Whether the schedule becomes the owner of its backups, so that they go
    /// when it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_owner_references_in_backup: Option<bool>,
    /// Whether no backups are made for now.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub paused: bool,
    /// Whether the backup that would be due at once, when the schedule is made
    /// or resumed, is left out. Absent means the server's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_immediately: Option<bool>,
}

has_phase!(Schedule, SchedulePhase, New);

/// What became of a schedule so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ScheduleStatus {
    /// Whether the schedule can run.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<SchedulePhase>,
    /// When the last backup was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<Time>,
    /// When a backup was last left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_skipped: Option<Time>,
    /// Everything that is wrong with the spec.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub validation_errors: Vec<String>,
    /// The phase, summed up for tools that know conditions only.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
