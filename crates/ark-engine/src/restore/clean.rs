//! Taking off an object what only its first cluster could know, and putting on
//! it where it came from. Pure.

use ark_api::label;
use serde_json::{Map, Value};

/// Metadata that the API server gives, or that points at objects by UID.
const GIVEN: &[&str] = &[
    "generateName",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "ownerReferences",
];

/// Labels by which restored objects are known.
const LABELS: &[&str] = &[label::BACKUP_NAME, label::RESTORE_NAME];

/// Removes what the API server gives and the status; finalizers and
/// `managedFields` stay. Returns the status.
pub(crate) fn strip(object: &mut Value) -> Option<Value> {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in GIVEN {
            metadata.remove(*key);
        }
    }
    object.as_object_mut()?.remove("status")
}

/// Where restored objects come from, as label values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    backup: String,
    restore: String,
}

impl Origin {
    /// Names that are too long for a label are shortened.
    pub(crate) fn new(backup: &str, restore: &str) -> Self {
        Self {
            backup: label::valid_value(backup),
            restore: label::valid_value(restore),
        }
    }

    /// Puts both labels on an object.
    pub(crate) fn mark(&self, object: &mut Value) {
        let Some(labels) = metadata_map(object, "labels") else {
            return;
        };
        labels.insert(label::BACKUP_NAME.to_owned(), self.backup.as_str().into());
        labels.insert(label::RESTORE_NAME.to_owned(), self.restore.as_str().into());
    }

    /// The merge patch that puts both labels on an existing object.
    pub(crate) fn patch(&self) -> Value {
        let mut patch = serde_json::json!({"metadata": {"labels": {}}});
        self.mark(&mut patch);
        patch
    }

    /// Whether this very restore made the object.
    pub(crate) fn made(&self, object: &crate::object::Object) -> bool {
        let labels = &object.head().labels;
        labels.get(label::RESTORE_NAME) == Some(&self.restore)
            && labels.get(label::BACKUP_NAME) == Some(&self.backup)
    }
}

/// `metadata.<name>` as a map, made if absent; `None` when the object has no
/// metadata or something else stands there.
fn metadata_map<'a>(object: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    let slot = metadata.entry(name).or_insert(Value::Null);
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut()
}

/// Reduces an object to what two copies of it must share to count as equal:
/// without given metadata, status, ownership and the labels of restores.
pub(crate) fn normalise(object: &mut Value) {
    strip(object);
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    metadata.remove("managedFields");
    if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
        for label in LABELS {
            labels.remove(*label);
        }
    }
    // An empty map and none are the same to the API.
    for key in ["labels", "annotations", "finalizers"] {
        let empty = match metadata.get(key) {
            Some(Value::Object(map)) => map.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::Null) => true,
            _ => false,
        };
        if empty {
            metadata.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored() -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": "a", "namespace": "n", "generateName": "a-", "selfLink": "/x", "uid": "u",
                "resourceVersion": "1", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z",
                "deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0,
                "ownerReferences": [{"uid": "o"}], "finalizers": ["f"],
                "managedFields": [{"manager": "m"}], "labels": {"app": "x"},
            },
            "data": {"k": "v"}, "status": {"phase": "Bound"},
        })
    }

    #[test]
    fn what_the_first_cluster_gave_goes_and_the_rest_stays() {
        let mut object = stored();
        let status = strip(&mut object);
        assert_eq!(status, Some(json!({"phase": "Bound"})));
        assert_eq!(
            object,
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {
                    "name": "a", "namespace": "n", "finalizers": ["f"],
                    "managedFields": [{"manager": "m"}], "labels": {"app": "x"},
                },
                "data": {"k": "v"},
            })
        );
    }

    #[test]
    fn marking_shortens_and_normalising_takes_the_marks_off_again() {
        let long = "r".repeat(70);
        let origin = Origin::new("b", &long);
        let mut object = json!({"metadata": {"name": "a", "labels": null}});
        origin.mark(&mut object);
        let labels = &object["metadata"]["labels"];
        assert_eq!(labels[label::BACKUP_NAME], "b");
        assert_eq!(labels[label::RESTORE_NAME], label::valid_value(&long));
        assert_eq!(origin.patch(), json!({"metadata": {"labels": labels}}));
        let bytes = bytes::Bytes::from(object.to_string());
        assert!(origin.made(&crate::object::Object::parse(bytes).unwrap()));
        normalise(&mut object);
        assert_eq!(object, json!({"metadata": {"name": "a"}}));
    }
}
