//! The kind `BackupStorageLocation`: a bucket that holds backups. Types only.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Condition, GoDuration, Time,
    wire::{name, null, zero},
};

phases! {
    /// Whether a location can be used.
    pub enum LocationPhase {
        /// It was reached when last looked at.
        Available => [Unavailable],
        /// It could not be reached or is not in order.
        Unavailable => [Available],
    }
    terminal []
}

named! {
    /// What may be done in a location.
    pub enum AccessMode {
        /// Backups may be restored, not made or deleted.
        ReadOnly = "ReadOnly",
        /// Everything.
        ReadWrite = "ReadWrite",
    }
}

/// Where a bucket is and how it is used.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "velero.io",
    version = "v1",
    kind = "BackupStorageLocation",
    namespaced,
    shortname = "bsl",
    status = "BackupStorageLocationStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A place in object storage that holds backups.",
    printcolumn(
        name = "Phase",
        type_ = "string",
        json_path = ".status.phase",
        description = "Whether the location can be used"
    ),
    printcolumn(
        name = "Last Validated",
        type_ = "date",
        json_path = ".status.lastValidationTime",
        description = "When the location was last looked at"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Default",
        type_ = "boolean",
        json_path = ".spec.default",
        description = "Whether backups that name no location go here"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct BackupStorageLocationSpec {
    /// The kind of storage: aws (and everything that speaks S3), gcp, azure or
    /// fs.
    pub provider: String,
    /// Settings of the provider.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub config: BTreeMap<String, String>,
    /// The Secret with the credentials. Absent means those of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub credential: Option<SecretKeySelector>,
    /// The bucket.
    pub object_storage: ObjectStorageLocation,
    /// Whether backups that name no location go here.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub default: bool,
    /// What may be done here. Absent means ReadWrite.
    #[serde(
        default,
        deserialize_with = "name",
        skip_serializing_if = "Option::is_none"
    )]
    pub access_mode: Option<AccessMode>,
    /// How often to look for backups that the cluster does not know yet. Zero
    /// means never, absent the server's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_sync_period: Option<GoDuration>,
    /// How often to check whether the location can be used. Zero means never,
    /// absent the server's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_frequency: Option<GoDuration>,
}

impl BackupStorageLocation {
    /// What may be done in this location.
    pub fn access_mode(&self) -> &AccessMode {
        self.spec
            .access_mode
            .as_ref()
            .unwrap_or(&AccessMode::ReadWrite)
    }

    /// Whether the location can be used; none when nobody looked yet.
    pub fn phase(&self) -> Option<&LocationPhase> {
        self.status
            .as_ref()
            .and_then(|status| status.phase.as_ref())
    }
}

/// A bucket and how to trust its server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectStorageLocation {
    /// Name of the bucket, without slashes.
    pub bucket: String,
    /// Folder in the bucket under which everything lies. Empty means the
    /// bucket itself.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "zero")]
    pub prefix: String,
    /// Certificates (PEM) to trust in connections to the storage. Better kept
    /// in a Secret, see caCertRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "base64")]
    pub ca_cert: Option<ByteString>,
    /// The Secret with such certificates. Not to be mixed with caCert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub ca_cert_ref: Option<SecretKeySelector>,
}

/// One entry of a Secret in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeySelector {
    /// Name of the Secret.
    // The API server fills in this default, which is why it is always written.
    #[serde(default, deserialize_with = "null")]
    pub name: String,
    /// Key of the entry.
    pub key: String,
    /// Whether the Secret or the entry may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

fn base64(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "format": "byte" })
}

/// What is known of a location.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BackupStorageLocationStatus {
    /// Whether the location can be used.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub phase: Option<LocationPhase>,
    /// When the bucket's backups were last made known to the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_synced_time: Option<Time>,
    /// When the location was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_validation_time: Option<Time>,
    /// Why the location cannot be used.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// No longer used: state of the bucket when it was last looked through.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub last_synced_revision: String,
    /// No longer used: see spec.accessMode.
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    pub access_mode: Option<AccessMode>,
    /// The phase, summed up for tools that know conditions only.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
