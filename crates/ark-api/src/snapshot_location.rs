//! The kind `VolumeSnapshotLocation`: where a provider keeps its snapshots.
//! Types only.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    storage_location::{LocationPhase, SecretKeySelector},
    wire::{name, null, zero},
};

/// The provider and its settings.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "VolumeSnapshotLocation",
    namespaced,
    shortname = "vsl",
    status = "VolumeSnapshotLocationStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A place where a provider of volumes keeps their snapshots."
)]
#[serde(rename_all = "camelCase")]
pub struct VolumeSnapshotLocationSpec {
    /// The provider of the volumes.
    pub provider: String,
    /// Settings of the provider.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub config: BTreeMap<String, String>,
    /// The Secret with the credentials. Absent means those of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub credential: Option<SecretKeySelector>,
}

/// What is known of a snapshot location.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotLocationStatus {
    /// Whether the location can be used. Nothing sets it.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<LocationPhase>,
}
