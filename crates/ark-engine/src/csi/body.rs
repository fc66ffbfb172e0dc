//! The objects that Ark makes. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::GROUP;
use super::class::Class;

/// While a content has it, its driver still has to hear of its deletion.
const CONTENT_FINALIZER: &str =
    "snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection";
/// Marks a content whose snapshot is leaving, so that the driver takes it up.
const BEING_DELETED: &str = "snapshot.storage.kubernetes.io/volumesnapshot-being-deleted";
/// The secret that a snapshot is deleted with: name and namespace.
const DELETION_SECRET: (&str, &str) = (
    "snapshot.storage.kubernetes.io/deletion-secret-name",
    "snapshot.storage.kubernetes.io/deletion-secret-namespace",
);

/// What becomes of a snapshot at the storage system when its content is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// It stays.
    Retain,
    /// It goes, too.
    Delete,
}

impl Policy {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Retain => "Retain",
            Self::Delete => "Delete",
        }
    }
}

/// Namespace, name and labels of an object to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub namespace: &'a str,
    pub name: &'a str,
    pub labels: &'a BTreeMap<String, String>,
}

fn api_version(version: &str) -> String {
    format!("{GROUP}/{version}")
}

/// A snapshot to be taken of a claim.
pub(crate) fn of_claim(version: &str, of: Named<'_>, claim: &str, class: &str) -> Value {
    json!({
        "apiVersion": api_version(version),
        "kind": "VolumeSnapshot",
        "metadata": {"namespace": of.namespace, "name": of.name, "labels": of.labels},
        "spec": {
            "source": {"persistentVolumeClaimName": claim},
            "volumeSnapshotClassName": class,
        },
    })
}

/// A snapshot that stands for the content of the same name.
pub(crate) fn of_content(version: &str, of: Named<'_>) -> Value {
    json!({
        "apiVersion": api_version(version),
        "kind": "VolumeSnapshot",
        "metadata": {"namespace": of.namespace, "name": of.name, "labels": of.labels},
        "spec": {"source": {"volumeSnapshotContentName": of.name}},
    })
}

/// A snapshot that the storage system has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub driver: &'a str,
    pub handle: &'a str,
    /// A class of the driver in this cluster.
    pub class: Option<&'a Class>,
    /// `Filesystem` or `Block`, where it is known.
    pub volume_mode: Option<&'a str>,
}

/// A content of the same name as its snapshot, made of what the storage system has.
pub(crate) fn content(version: &str, of: Named<'_>, stored: &Stored<'_>, policy: Policy) -> Value {
    let mut content = json!({
        "apiVersion": api_version(version),
        "kind": "VolumeSnapshotContent",
        "metadata": {"name": of.name, "labels": of.labels},
        "spec": {
            "deletionPolicy": policy.text(),
            "driver": stored.driver,
            "source": {"snapshotHandle": stored.handle},
            "volumeSnapshotRef": {"namespace": of.namespace, "name": of.name},
        },
    });
    if let Some(mode) = stored.volume_mode {
        content["spec"]["sourceVolumeMode"] = mode.into();
    }
    if let Some(class) = stored.class {
        content["spec"]["volumeSnapshotClassName"] = class.name.as_str().into();
        if let Some((name, namespace)) = &class.secret {
            content["metadata"]["annotations"] =
                json!({DELETION_SECRET.0: name, DELETION_SECRET.1: namespace});
        }
    }
    if policy == Policy::Delete {
        // There from the beginning: a content that is deleted without it is just gone.
        content["metadata"]["finalizers"] = json!([CONTENT_FINALIZER]);
    }
    content
}

/// The change of a content's status that names its snapshot.
pub(crate) fn has_handle(handle: &str) -> Value {
    json!({"status": {"snapshotHandle": handle}})
}

/// The change of a content that is kept: nothing that happens to its snapshot or to the
/// namespace deletes what the storage system has.
pub(crate) fn keep(labels: &BTreeMap<String, String>) -> Value {
    json!({"metadata": {"labels": labels}, "spec": {"deletionPolicy": Policy::Retain.text()}})
}

/// The change of a content that is about to be deleted.
pub(crate) fn leave(policy: Policy) -> Value {
    json!({
        "metadata": {"annotations": {BEING_DELETED: "yes"}},
        "spec": {"deletionPolicy": policy.text()},
    })
}
