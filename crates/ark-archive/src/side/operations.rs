//! Asynchronous operations that item actions started: `itemoperations` files.

use serde::{Deserialize, Serialize};

use super::null_is_default;

/// An operation of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupOperation {
    /// What was started.
    pub spec: BackupOperationSpec,
    /// How far it is.
    pub status: OperationStatus,
}

/// What a backup's item action started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupOperationSpec {
    /// Backup.
    pub backup_name: String,
    /// Its uid.
    #[serde(rename = "backupUID")]
    pub backup_uid: String,
    /// Name of the item action.
    pub backup_item_action: String,
    /// The object it is about.
    pub resource_identifier: ResourceIdentifier,
    /// The action's own id.
    #[serde(rename = "operationID")]
    pub operation_id: String,
    /// Objects to read again when it is done.
    #[serde(default, deserialize_with = "null_is_default")]
    pub post_operation_items: Vec<ResourceIdentifier>,
}

/// An operation of a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreOperation {
    /// What was started.
    pub spec: RestoreOperationSpec,
    /// How far it is.
    pub status: OperationStatus,
}

/// What a restore's item action started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreOperationSpec {
    /// Restore.
    pub restore_name: String,
    /// Its uid.
    #[serde(rename = "restoreUID")]
    pub restore_uid: String,
    /// Name of the item action.
    pub restore_item_action: String,
    /// The object it is about.
    pub resource_identifier: ResourceIdentifier,
    /// The action's own id.
    #[serde(rename = "operationID")]
    pub operation_id: String,
}

/// Names an object. The keys are capitalised on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResourceIdentifier {
    /// API group, empty for the core group.
    #[serde(alias = "group")]
    pub group: String,
    /// Plural resource name.
    #[serde(alias = "resource")]
    pub resource: String,
    /// Namespace, empty for cluster-scoped objects.
    #[serde(alias = "namespace")]
    pub namespace: String,
    /// Name.
    #[serde(alias = "name")]
    pub name: String,
}

/// How far an operation is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OperationStatus {
    /// How far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<OperationPhase>,
    /// Why it failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Units done.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_completed: i64,
    /// Units in all.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_total: i64,
    /// What the units are, `Byte`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub operation_units: String,
    /// What it does at the moment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
}

/// Phases of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationPhase {
    /// Not begun.
    New,
    /// Running.
    InProgress,
    /// Done.
    Completed,
    /// Ended with an error or ran out of time.
    Failed,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde asks for"
)]
fn is_zero(value: &i64) -> bool {
    *value == 0
}
