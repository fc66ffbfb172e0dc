//! Resources as Velero makes them: for each kind one with every field, and one
//! with nothing but what is required.

use std::{collections::BTreeMap, sync::OnceLock};

use ark_api::*;
use serde_json::{Map, Value, json};

/// One kind with its resource and what tests do with its type.
pub(crate) struct Fixture {
    /// The kind's name.
    pub(crate) kind: &'static str,
    /// The resource, with every field that the kind has.
    pub(crate) full: Value,
    /// Reads a resource into the type and writes it again.
    pub(crate) rewrite: fn(&Value) -> Result<Value, serde_json::Error>,
    /// Carries a change out with [`patch::edit`]: another name and, where
    /// there is a status, none.
    pub(crate) edit: fn(&Value) -> Value,
}

fn rewrite<T>(resource: &Value) -> Result<Value, serde_json::Error>
where
    T: serde::de::DeserializeOwned + serde::Serialize,
{
    serde_json::to_value(serde_json::from_value::<T>(resource.clone())?)
}

fn edit<T>(resource: &Value) -> Value
where
    T: Clone + serde::de::DeserializeOwned + serde::Serialize + kube::ResourceExt,
{
    let before: T = serde_json::from_value(resource.clone()).unwrap();
    let mut after = before.clone();
    after.meta_mut().name = Some("edited".to_owned());
    patch::edit(resource, &before, &after).unwrap()
}

fn read(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap()
}

macro_rules! fixtures {
    ($( $kind:ident => $file:literal, )+) => {
        vec![ $( Fixture {
            kind: stringify!($kind),
            full: read(include_str!(concat!("fixtures/", $file, ".yaml"))),
            rewrite: rewrite::<$kind>,
            edit: edit::<$kind>,
        }, )+ ]
    };
}

/// All 13 kinds.
pub(crate) fn all() -> Vec<Fixture> {
    fixtures! {
        Backup => "backup",
        Restore => "restore",
        Schedule => "schedule",
        BackupStorageLocation => "backup-storage-location",
        VolumeSnapshotLocation => "volume-snapshot-location",
        BackupRepository => "backup-repository",
        DeleteBackupRequest => "delete-backup-request",
        DownloadRequest => "download-request",
        ServerStatusRequest => "server-status-request",
        PodVolumeBackup => "pod-volume-backup",
        PodVolumeRestore => "pod-volume-restore",
        DataUpload => "data-upload",
        DataDownload => "data-download",
    }
}

/// For each kind in the order of [`all`], the least that is accepted.
pub(crate) fn minimal() -> Vec<Value> {
    let text = include_str!("fixtures/minimal.yaml");
    text.split("---\n").map(read).collect()
}

/// The schema of a kind's objects.
pub(crate) fn schema_of(kind: &str) -> &'static Value {
    static SCHEMAS: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    let schemas = SCHEMAS.get_or_init(|| {
        let schema = |crd: k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition| {
            let schema = crd.spec.versions[0].schema.clone().unwrap().open_api_v3_schema.unwrap();
            (crd.spec.names.kind, serde_json::to_value(schema).unwrap())
        };
        crd::all().unwrap().into_iter().map(schema).collect()
    });
    &schemas[kind]
}

/// The object under a name, empty when there is none.
pub(crate) fn members(value: &Value, name: &str) -> Map<String, Value> {
    value
        .get(name)
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

/// Whether an object of this schema may lack this member. Of the members of a
/// whole resource that holds for its status alone.
pub(crate) fn optional(schema: &Value, name: &str) -> bool {
    let properties = members(schema, "properties");
    if properties.contains_key("spec") && properties.contains_key("status") {
        return name == "status";
    }
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    !required.contains(&json!(name))
}

/// The resource with null in each field that may be absent, save those that
/// hold one of a few names, and the status.
pub(crate) fn nulled(fixture: &Fixture) -> Value {
    let mut object = fixture.full.clone();
    objects(
        schema_of(fixture.kind),
        &mut object,
        &mut |schema, object| {
            object.retain(|name, value| {
                let known = &schema["properties"][name];
                if known.get("enum").is_some() && optional(schema, name) {
                    return false;
                }
                if name != "status" && optional(schema, name) {
                    *value = Value::Null;
                }
                true
            });
        },
    );
    object
}

/// Calls `visit` with each object that the schema knows the members of.
pub(crate) fn objects(
    schema: &Value,
    value: &mut Value,
    visit: &mut dyn FnMut(&Value, &mut Map<String, Value>),
) {
    let properties = members(schema, "properties");
    if let Value::Object(object) = value {
        for (name, property) in &properties {
            if let Some(inner) = object.get_mut(name) {
                objects(property, inner, visit);
            }
        }
        if !properties.is_empty() {
            visit(schema, object);
        }
    }
    if let (Value::Array(elements), Some(items)) = (value, schema.get("items")) {
        for element in elements {
            objects(items, element, visit);
        }
    }
}
