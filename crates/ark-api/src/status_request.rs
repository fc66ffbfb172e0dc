//! The kind `ServerStatusRequest`: asks the server for its version. Types only.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Time,
    wire::{name, null, zero},
};

phases! {
    /// Whether the server has answered.
    pub enum ServerStatusRequestPhase {
        /// Nobody looked at it yet.
        New => [Processed],
        /// The status has the answer.
        Processed => [],
    }
    terminal [Processed]
}

/// Nothing: the question is always the same.
#[derive(
    CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema,
)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "ServerStatusRequest",
    namespaced,
    shortname = "ssr",
    status = "ServerStatusRequestStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Asks the server in the same namespace for its version and its plugins."
)]
#[serde(rename_all = "camelCase", default, remote = "Self")]
pub struct ServerStatusRequestSpec {}

spec_may_be_absent!(ServerStatusRequestSpec);
has_phase!(ServerStatusRequest, ServerStatusRequestPhase, New);

/// The server's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerStatusRequestStatus {
    /// Whether the server has answered.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<ServerStatusRequestPhase>,
    /// When the server answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processed_timestamp: Option<Time>,
    /// Version of the server.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub server_version: String,
    /// What the server can do besides: providers and item actions.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub plugins: Vec<PluginInfo>,
}

/// One plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginInfo {
    /// Its name.
    pub name: String,
    /// What it is for, such as ObjectStore or BackupItemAction.
    pub kind: String,
}
