//! An object that should be created exists already: what to make of it. Pure;
//! [`super::apply`] carries the decision out.

use serde_json::{Map, Value, json};

use super::clean::{self, Origin};

/// Config maps that a controller keeps in every namespace. Whatever an archive
/// says, the controller puts its own content back, so a difference is no news.
const CONTROLLED: &[&str] = &["kube-root-ca.crt", "openshift-service-ca.crt"];

/// What the restore wanted to create.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// `plural.group`.
    pub kind: &'a str,
    /// The object as it is created, restore labels included.
    pub desired: &'a Value,
    /// The object as the backup holds it.
    pub stored: &'a Value,
    /// Whether existing objects are patched.
    pub update: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision {
    /// It is as wanted.
    Unchanged,
    /// It is as wanted and gets the labels of this restore.
    Label,
    /// It differs and stays.
    Differs,
    /// It is patched; when that fails, it gets at least the labels.
    Patch(Value),
    /// A service account gets what it lacks; a failure is a warning.
    Merge(Value),
}

/// Decides. An object counts as unchanged when it is as the restore would
/// create it or as it was when it was saved.
pub(crate) fn decide(wanted: Wanted<'_>, live: &Value, origin: &Origin) -> Decision {
    let desired = normal(wanted.desired);
    let stored = normal(wanted.stored);
    let current = normal(live);
    let name = live
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if wanted.kind == "configmaps" && CONTROLLED.contains(&name) {
        return Decision::Unchanged;
    }
    if current == desired || current == stored {
        return if wanted.update {
            Decision::Label
        } else {
            Decision::Unchanged
        };
    }
    if wanted.kind == "serviceaccounts" {
        return Decision::Merge(merge_account(wanted.desired, live, origin));
    }
    if !wanted.update {
        return Decision::Differs;
    }
    let mut patch = difference(&current, &desired, Some(&stored)).unwrap_or_else(|| json!({}));
    merge_into(&mut patch, origin.patch());
    Decision::Patch(patch)
}

fn normal(object: &Value) -> Value {
    let mut object = object.clone();
    clean::normalise(&mut object);
    object
}

/// The merge patch that makes `desired` of `current`. What the cluster has as the
/// backup had it is left alone, also where the restore would not create it:
/// a service keeps its address, a pod its node.
fn difference(current: &Value, desired: &Value, stored: Option<&Value>) -> Option<Value> {
    if current == desired || Some(current) == stored {
        return None;
    }
    let (Some(have), Some(want)) = (current.as_object(), desired.as_object()) else {
        return Some(desired.clone());
    };
    let mut patch = Map::new();
    for (key, value) in want {
        let stored = stored.and_then(|stored| stored.get(key));
        let change = match have.get(key) {
            Some(current) => difference(current, value, stored),
            None => Some(value.clone()),
        };
        patch.extend(change.map(|change| (key.clone(), change)));
    }
    for (key, current) in have.iter().filter(|(key, _)| !want.contains_key(*key)) {
        if stored.and_then(|stored| stored.get(key)) != Some(current) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Adds what the live service account lacks: references to secrets, labels,
/// annotations. What it has stays.
fn merge_account(desired: &Value, live: &Value, origin: &Origin) -> Value {
    let mut patch = json!({});
    for list in ["secrets", "imagePullSecrets"] {
        let have = live[list].as_array().cloned().unwrap_or_default();
        let more: Vec<Value> = desired[list]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| !have.iter().any(|other| other["name"] == one["name"]))
            .cloned()
            .collect();
        if !more.is_empty() {
            patch[list] = have.into_iter().chain(more).collect();
        }
    }
    for map in ["labels", "annotations"] {
        let pointer = format!("/metadata/{map}");
        let have = live.pointer(&pointer).and_then(Value::as_object);
        let want = desired.pointer(&pointer).and_then(Value::as_object);
        for (key, value) in want.into_iter().flatten() {
            if !have.is_some_and(|have| have.contains_key(key)) {
                patch["metadata"][map][key] = value.clone();
            }
        }
    }
    merge_into(&mut patch, origin.patch());
    patch
}

/// Puts `more` on top of `patch`, map by map.
fn merge_into(patch: &mut Value, more: Value) {
    match (patch, more) {
        (Value::Object(patch), Value::Object(more)) => {
            for (key, value) in more {
                merge_into(patch.entry(key).or_insert(Value::Null), value);
            }
        }
        (patch, more) => *patch = more,
    }
}

#[cfg(test)]
mod tests;
