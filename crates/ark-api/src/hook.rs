//! Hooks: what runs in containers before and after their pods are backed up
//! and after they are restored. Part of [`crate::BackupSpec`] and
//! [`crate::RestoreSpec`]; types only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    GoDuration, LabelSelector,
    wire::{name, null, zero},
};

named! {
    /// What becomes of a backup or restore when a hook fails.
    pub enum HookErrorMode {
        /// The failure is noted and the work goes on.
        Continue = "Continue",
        /// The failure counts as an error of the item.
        Fail = "Fail",
    }
}

/// All hooks of a backup.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupHooks {
    /// Hooks, each with the pods it is for.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources: Vec<BackupResourceHooks>,
}

/// Hooks of a backup for the pods that one rule selects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupResourceHooks {
    /// Name of this rule, for logs and messages.
    pub name: String,
    /// Namespaces whose pods are meant. None means all.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_namespaces: Vec<String>,
    /// Namespaces whose pods are not meant.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_namespaces: Vec<String>,
    /// Resources that are meant. None means all; only pods can run hooks.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_resources: Vec<String>,
    /// Resources that are not meant.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_resources: Vec<String>,
    /// Labels that the pods must have. None means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub label_selector: Option<LabelSelector>,
    /// Run before the pod is backed up, in this order.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub pre: Vec<BackupHook>,
    /// Run after the pod and everything that belongs to it is backed up.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub post: Vec<BackupHook>,
}

/// One hook of a backup.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupHook {
    /// A command to run in a container of the pod.
    pub exec: ExecHook,
}

/// A command in a container, around a backup.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecHook {
    /// The container to run the command in. Empty means the pod's first one.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub container: String,
    /// The program and its arguments. It is not run by a shell.
    #[schemars(length(min = 1))]
    pub command: Vec<String>,
    /// What to do when the command fails or takes too long.
    #[serde(
        default,
        deserialize_with = "name",
        skip_serializing_if = "Option::is_none"
    )]
    pub on_error: Option<HookErrorMode>,
    /// How long the command may take. Absent means 30 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GoDuration>,
}

/// All hooks of a restore.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RestoreHooks {
    /// Hooks, each with the pods it is for.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources: Vec<RestoreResourceHooks>,
}

/// Hooks of a restore for the pods that one rule selects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreResourceHooks {
    /// Name of this rule, for logs and messages.
    pub name: String,
    /// Namespaces (after mapping) whose pods are meant. None means all.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_namespaces: Vec<String>,
    /// Namespaces whose pods are not meant.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_namespaces: Vec<String>,
    /// Resources that are meant. None means all; only pods can run hooks.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub included_resources: Vec<String>,
    /// Resources that are not meant.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub excluded_resources: Vec<String>,
    /// Labels that the pods must have. None means any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub label_selector: Option<LabelSelector>,
    /// Run when the pod is restored.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub post_hooks: Vec<RestoreHook>,
}

/// One hook of a restore: a command, or init containers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RestoreHook {
    /// A command to run in a container of the restored pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exec: Option<ExecRestoreHook>,
    /// Init containers to add to the pod before it is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<InitRestoreHook>,
}

/// A command in a container of a restored pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecRestoreHook {
    /// The container to run the command in. Empty means the pod's first one.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub container: String,
    /// The program and its arguments. It is not run by a shell.
    #[schemars(length(min = 1))]
    pub command: Vec<String>,
    /// What to do when the command fails or takes too long.
    #[serde(
        default,
        deserialize_with = "name",
        skip_serializing_if = "Option::is_none"
    )]
    pub on_error: Option<HookErrorMode>,
    /// How long the command may take once it runs. Absent means 30 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_timeout: Option<GoDuration>,
    /// How long to wait for the container to start, or to be ready. Absent
    /// means without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_timeout: Option<GoDuration>,
    /// Whether the container must be ready and not only be started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_for_ready: Option<bool>,
}

/// Init containers for a restored pod.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InitRestoreHook {
    /// Containers, in the form in which a pod has them. They run before the
    /// pod's own init containers.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    #[schemars(schema_with = "any_objects")]
    pub init_containers: Vec<serde_json::Value>,
    /// How long the init containers may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GoDuration>,
}

/// How many hooks ran and failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HookStatus {
    /// Hooks that were to be run, failed ones included.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hooks_attempted: i64,
    /// Hooks that failed.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hooks_failed: i64,
}

/// A list of objects that the API server passes through as they are.
fn any_objects(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "array",
        "items": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
    })
}
