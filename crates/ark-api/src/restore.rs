//! The kind `Restore`: a restore that is wanted, runs or has run. Types only.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Condition, GoDuration, LabelSelector, Time, TypedLocalObjectReference,
    hook::{HookStatus, RestoreHooks},
    wire::{name, null, zero},
};

phases! {
    /// Where a restore stands. What was interrupted by the end of a server goes on in
    /// `InProgress`, and what is awaited may be cancelled.
    pub enum RestorePhase {
        /// Nobody looked at it yet.
        New => [FailedValidation, InProgress, Failed],
        /// Its spec is not valid; nothing was done.
        FailedValidation => [],
        /// Items are being restored.
        InProgress => [
            WaitingForPluginOperations,
            WaitingForPluginOperationsPartiallyFailed,
            Finalizing,
            FinalizingPartiallyFailed,
            Completed,
            PartiallyFailed,
            Failed
        ],
        /// All items are restored; operations on volumes still run.
        WaitingForPluginOperations => [Finalizing, FinalizingPartiallyFailed],
        /// Like `WaitingForPluginOperations`, and something failed already.
        WaitingForPluginOperationsPartiallyFailed => [FinalizingPartiallyFailed],
        /// What is left when all operations have ended: volumes are patched,
        /// hooks are waited for.
        Finalizing => [InProgress, Completed, PartiallyFailed, Failed],
        /// Like `Finalizing`, and something failed already.
        FinalizingPartiallyFailed => [InProgress, PartiallyFailed, Failed],
        /// Everything is restored.
        Completed => [],
        /// Something could not be restored.
        PartiallyFailed => [],
        /// The restore as a whole failed.
        Failed => [],
    }
    terminal [FailedValidation, Completed, PartiallyFailed, Failed]
}

named! {
    /// What to do with objects that exist already. The schema admits any
    /// string; who runs the restore refuses unknown ones.
    pub enum ExistingResourcePolicy {
        /// Leave them as they are.
        None = "none",
        /// Patch them to be as in the backup.
        Update = "update",
    }
}

impl RestorePhase {
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

/// What to restore and how.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "Restore",
    namespaced,
    status = "RestoreStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A restore of a backup into this cluster: asked for in spec, told about in status."
)]
#[serde(rename_all = "camelCase", default, remote = "Self")]
pub struct RestoreSpec {
    /// Name of the Backup to restore. Either this or scheduleName.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub backup_name: String,
    /// Name of a Schedule whose latest successful backup is restored.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub schedule_name: String,
    /// Namespaces to restore, by their names in the backup; may hold
    /// wildcards. None or `*` means all.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_namespaces: Vec<String>,
    /// Namespaces to leave out.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_namespaces: Vec<String>,
    /// Resources to restore. None or `*` means all that the backup has.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_resources: Vec<String>,
    /// Resources to leave out.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_resources: Vec<String>,
    /// New names for namespaces: from the name in the backup to the name in
    /// the cluster. Others keep their names.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace_mapping: BTreeMap<String, String>,
    /// Labels that an object must have to be restored. Not to be mixed with
    /// orLabelSelectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub label_selector: Option<LabelSelector>,
    /// Label selectors of which an object must match at least one.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub or_label_selectors: Vec<LabelSelector>,
    /// Whether persistent volumes are restored from their snapshots. Absent
    /// means where possible.
    #[serde(rename = "restorePVs", skip_serializing_if = "Option::is_none")]
    pub restore_pvs: Option<bool>,
    /// Objects whose status is restored as well. Absent means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_status: Option<RestoreStatusSpec>,
    /// Whether services get the node ports that they had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preserve_node_ports: Option<bool>,
    /// Whether cluster-scoped resources are restored. Absent means those that
    /// belong to what is restored, or all when all namespaces are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_cluster_resources: Option<bool>,
    /// What to run in pods that are restored.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hooks: RestoreHooks,
    /// What to do with objects that exist already: `none` leaves them, which
    /// is the default, `update` patches them to be as in the backup.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub existing_resource_policy: Option<ExistingResourcePolicy>,
    /// How long an operation of an item may go on after the items are
    /// restored. Absent means 4h.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_operation_timeout: Option<GoDuration>,
    /// The ConfigMap with rules that change objects before they are created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub resource_modifier: Option<TypedLocalObjectReference>,
    /// Settings for writing volumes from files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploader_config: Option<RestoreUploaderConfig>,
}

spec_may_be_absent!(RestoreSpec);
has_phase!(Restore, RestorePhase, New);

/// Which objects get their status back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RestoreStatusSpec {
    /// Resources whose status is restored. None means all.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_resources: Vec<String>,
    /// Resources whose status is not restored.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_resources: Vec<String>,
}

/// How volumes are written from files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RestoreUploaderConfig {
    /// Whether runs of zeros become holes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write_sparse_files: Option<bool>,
    /// Files that are written at the same time. Zero means as many as there
    /// are processors.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub parallel_files_download: i64,
}

/// How a restore goes or went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RestoreStatus {
    /// Where the restore stands.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<RestorePhase>,
    /// Everything that is wrong with the spec.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub validation_errors: Vec<String>,
    /// Number of warnings.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub warnings: i64,
    /// Number of errors.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub errors: i64,
    /// Why the restore as a whole failed.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub failure_reason: String,
    /// When work began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timestamp: Option<Time>,
    /// When work ended, well or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_timestamp: Option<Time>,
    /// Items so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<RestoreProgress>,
    /// Operations that were begun and may outlast the restoring of items.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub restore_item_operations_attempted: i64,
    /// Such operations that succeeded.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub restore_item_operations_completed: i64,
    /// Such operations that failed.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub restore_item_operations_failed: i64,
    /// Hooks so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_status: Option<HookStatus>,
    /// The phase, summed up for tools that know conditions only.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// How many items a restore has and how many of them are done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RestoreProgress {
    /// Items to be restored. May grow while item actions find more.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub total_items: i64,
    /// Items dealt with so far.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub items_restored: i64,
}
