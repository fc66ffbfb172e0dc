//! The definitions of all kinds, made from the types.
//!
//! The derived schemas are made no stricter than those of Velero: where the
//! derive macros say more than Velero does, `loosen` takes it away. The one
//! thing added are rules on durations, which refuse only texts that no Go
//! client could read back, and would stop every stock client that lists the
//! kind.
//!
//! The definitions do not carry the label `component: velero`: `velero
//! uninstall` deletes each definition that does, and with it all objects.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use crate::{
    Backup, BackupRepository, BackupStorageLocation, DataDownload, DataUpload, DeleteBackupRequest,
    DownloadRequest, PodVolumeBackup, PodVolumeRestore, Restore, Schedule, ServerStatusRequest,
    VolumeSnapshotLocation,
};

/// Counters of bytes, the only integers for which Velero names a size.
const INT64: [&str; 4] = [
    "totalBytes",
    "bytesDone",
    "incrementalBytes",
    "snapshotSize",
];

/// Spec fields that hold durations, outside of lists: rules inside of lists
/// cost the API server too much.
const DURATIONS: [&str; 7] = [
    "ttl",
    "csiSnapshotTimeout",
    "itemOperationTimeout",
    "backupSyncPeriod",
    "validationFrequency",
    "maintenanceFrequency",
    "operationTimeout",
];

/// A schema could not be made into a definition.
#[derive(Debug, thiserror::Error)]
#[error("the derived definition of {kind} is not a definition")]
pub struct CrdError {
    /// The kind.
    kind: String,
    #[source]
    source: serde_json::Error,
}

/// The definitions of all 13 kinds, in alphabetical order of their names.
///
/// `Kind::crd()`, which the derive macro adds to each type, is not what is
/// installed: it has a status sub-resource.
pub fn all() -> Result<Vec<CustomResourceDefinition>, CrdError> {
    [
        BackupRepository::crd(),
        Backup::crd(),
        BackupStorageLocation::crd(),
        DataDownload::crd(),
        DataUpload::crd(),
        DeleteBackupRequest::crd(),
        DownloadRequest::crd(),
        PodVolumeBackup::crd(),
        PodVolumeRestore::crd(),
        Restore::crd(),
        Schedule::crd(),
        ServerStatusRequest::crd(),
        VolumeSnapshotLocation::crd(),
    ]
    .into_iter()
    .map(finish)
    .collect()
}

/// Labels of everything that belongs to an installation.
pub fn labels() -> BTreeMap<String, String> {
    ["app.kubernetes.io/name", "app.kubernetes.io/part-of"]
        .into_iter()
        .map(|key| (key.to_owned(), "ark".to_owned()))
        .collect()
}

fn finish(mut crd: CustomResourceDefinition) -> Result<CustomResourceDefinition, CrdError> {
    let kind = crd.spec.names.kind.clone();
    let failed = |source| CrdError {
        kind: kind.clone(),
        source,
    };
    crd.metadata.labels = Some(labels());
    crd.spec.names.list_kind = Some(format!("{kind}List"));
    for version in &mut crd.spec.versions {
        version.subresources = None;
        let Some(schema) = version
            .schema
            .as_mut()
            .and_then(|schema| schema.open_api_v3_schema.as_mut())
        else {
            continue;
        };
        let mut document = serde_json::to_value(&*schema).map_err(failed)?;
        loosen(&mut document);
        identify(&mut document);
        *schema = serde_json::from_value(document).map_err(failed)?;
    }
    Ok(crd)
}

/// Takes away what the derived schema says beyond Velero's: a spec that must
/// be there, sizes and signs of integers. Every field that may be
/// absent may also be null, as old writers have it.
fn loosen(schema: &mut Value) {
    let Value::Object(root) = schema else { return };
    root.remove("required");
    root.remove("title");
    object(root);
    // A spec or status may be absent, but never null.
    for part in ["spec", "status"] {
        if let Some(Value::Object(part)) =
            root.get_mut("properties").and_then(|all| all.get_mut(part))
        {
            part.remove("nullable");
        }
    }
}

fn object(schema: &mut Map<String, Value>) {
    unwrap_lines(schema);
    let required: Vec<String> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| {
            names
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        let Value::Object(property) = property else {
            continue;
        };
        field(name, property);
        let optional = !required.contains(name);
        // A null where there is a default is replaced by that default.
        if optional && !property.contains_key("enum") && !property.contains_key("default") {
            property.insert("nullable".to_owned(), Value::Bool(true));
        } else {
            property.remove("nullable");
        }
    }
}

fn field(name: &str, schema: &mut Map<String, Value>) {
    if let Some(Value::Array(names)) = schema.get_mut("enum") {
        names.retain(|name| !name.is_null());
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => {
            schema.remove("format");
            schema.remove("minimum");
            if INT64.contains(&name) {
                schema.insert("format".to_owned(), json!("int64"));
            }
        }
        Some("string") if DURATIONS.contains(&name) => {
            schema.insert(
                "x-kubernetes-validations".to_owned(),
                json!([duration_rule()]),
            );
        }
        _ => {}
    }
    if let Some(Value::Object(items)) = schema.get_mut("items") {
        object(items);
    }
    object(schema);
}

/// What Go's `time.ParseDuration` accepts, save that it also has a limit.
fn duration_rule() -> Value {
    const UNIT: &str = "(ns|us|\u{b5}s|\u{3bc}s|ms|s|m|h)";
    let pattern = format!(r"^[-+]?(0|(([0-9]+[.]?[0-9]*|[.][0-9]+){UNIT})+)$");
    json!({
        "rule": format!("self.matches('{pattern}')"),
        "message": "must be a duration such as 1h30m or 720h",
    })
}

/// Says what the fields are that every object has.
fn identify(schema: &mut Value) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    let text = |text: &str| json!({ "type": "string", "description": text });
    properties.insert(
        "apiVersion".to_owned(),
        text("Group and version of the kind."),
    );
    properties.insert("kind".to_owned(), text("Name of the kind."));
    properties.insert("metadata".to_owned(), json!({ "type": "object" }));
}

/// Source comments are broken into lines; texts for people are not.
fn unwrap_lines(schema: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs: Vec<String> = text
            .split("\n\n")
            .map(|paragraph| paragraph.replace('\n', " "))
            .collect();
        *text = paragraphs.join("\n\n");
    }
}

#[cfg(test)]
mod tests;
