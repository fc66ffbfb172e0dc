//! The namespaces that objects return to: made once, with the labels and
//! annotations they had; one that is being deleted is waited for once.
//!
//! A namespace that cannot be had is one error; its objects count as failed
//! without an error of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ark_archive::{GroupResource, ItemKey};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::{Map, Value, json};

use super::apply::Action;
use super::ownership::{self, Ownership};
use crate::archive::Archive;
use crate::object::Object;
use crate::port::{
    ApiResource, Clock, Cluster, ClusterError, ClusterErrorKind, CreateOptions, Patch, Target,
};

/// Namespaces that are made at the same time.
const CONCURRENCY: usize = 16;
/// Attempts at making one.
const ATTEMPTS: u32 = 6;
/// Between two looks at a namespace that is being deleted.
const POLL: Duration = Duration::from_secs(1);

/// Makes namespaces.
pub(super) struct Namespaces {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    resource: ApiResource,
    timeout: Duration,
    /// Where labels and annotations of a target come from.
    sources: BTreeMap<String, String>,
    /// What became of each; the error is said once, when it happens.
    known: Mutex<BTreeMap<String, Result<Action, String>>>,
}

/// What became of one namespace, for the report.
pub(super) struct Ensured {
    /// Its name in the cluster.
    pub name: String,
    /// Created, or there already; otherwise why not.
    pub result: Result<Action, String>,
}

impl Namespaces {
    pub(super) fn new(
        cluster: Arc<dyn Cluster>,
        clock: Arc<dyn Clock>,
        sources: BTreeMap<String, String>,
        timeout: Duration,
    ) -> Self {
        let known = Mutex::default();
        Self {
            cluster,
            clock,
            resource: ApiResource::namespaces(),
            timeout,
            sources,
            known,
        }
    }

    /// Makes those of `names` that nobody asked for yet; returns these.
    pub(super) async fn ensure(&self, names: BTreeSet<String>, archive: &Archive) -> Vec<Ensured> {
        let new: Vec<String> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            names
                .into_iter()
                .filter(|name| !known.contains_key(name))
                .collect()
        };
        let tasks = new.into_iter().map(|name| async move {
            let result = self.one(&name, archive).await;
            Ensured { name, result }
        });
        let done: Vec<Ensured> = stream::iter(tasks)
            .buffer_unordered(CONCURRENCY)
            .collect()
            .await;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(
            done.iter()
                .map(|one| (one.name.clone(), one.result.clone())),
        );
        done
    }

    /// Whether objects can go into a namespace.
    pub(super) fn is_usable(&self, name: &str) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).is_none_or(Result::is_ok)
    }

    async fn one(&self, name: &str, archive: &Archive) -> Result<Action, String> {
        match self.settled(name).await? {
            Some(_) => Ok(Action::Skipped),
            None => self.create(name, archive).await,
        }
    }

    fn target<'a>(&'a self, name: &'a str) -> Target<'a> {
        Target {
            resource: &self.resource,
            namespace: None,
            name,
        }
    }

    /// The namespace when it exists and stays, after it is gone if it does not.
    async fn settled(&self, name: &str) -> Result<Option<Object>, String> {
        let mut waited = Duration::ZERO;
        loop {
            let live = self
                .cluster
                .get(self.target(name))
                .await
                .map_err(|e| e.to_string())?;
            let Some(live) = live else { return Ok(None) };
            if !live.head().deleting {
                return Ok(Some(live));
            }
            if waited >= self.timeout {
                let why = live
                    .to_value()
                    .map(|value| blockers(&value))
                    .unwrap_or_default();
                let seconds = self.timeout.as_secs();
                return Err(format!("it is still being deleted after {seconds} s{why}"));
            }
            self.clock.sleep(POLL).await;
            waited += POLL;
        }
    }

    async fn create(&self, name: &str, archive: &Archive) -> Result<Action, String> {
        let stored = self.stored(name, archive).await?;
        let (body, ownership) = blank(name, stored.as_ref());
        let body = Bytes::from(body.to_string());
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            let options = CreateOptions {
                field_manager: ownership.manager(),
                dry_run: false,
            };
            match self
                .cluster
                .create(&self.resource, None, body.clone(), options)
                .await
            {
                Ok(_) => return self.own(name, ownership).await,
                Err(error) if error.kind == ClusterErrorKind::AlreadyExists => {
                    return self.settled(name).await.map(|_| Action::Skipped);
                }
                Err(error) if error.is_retryable() => {
                    self.clock.sleep(POLL * (1 << attempt.min(4))).await;
                    // The answer may have been lost after the deed.
                    if self.settled(name).await?.is_some() {
                        return Ok(Action::Created);
                    }
                    last = error.to_string();
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(last)
    }

    async fn own(&self, name: &str, ownership: Ownership) -> Result<Action, String> {
        if let Ownership::Patch(patch) = ownership {
            let patch = Patch::Merge(Bytes::from(patch.to_string()));
            let result = self.cluster.patch(self.target(name), patch).await;
            result.map_err(|error: ClusterError| error.to_string())?;
        }
        Ok(Action::Created)
    }

    async fn stored(&self, name: &str, archive: &Archive) -> Result<Option<Value>, String> {
        let source = self.sources.get(name).map_or(name, String::as_str);
        let key = ItemKey {
            group_resource: kind(),
            namespace: None,
            name: source.to_owned(),
        };
        if archive.catalog().find(&key).is_none() {
            return Ok(None);
        }
        let bytes = archive
            .read(&key)
            .await
            .map_err(|error| error.to_string())?;
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| error.to_string())
    }
}

fn kind() -> GroupResource {
    GroupResource {
        resource: "namespaces".to_owned(),
        group: String::new(),
    }
}

/// A namespace like the stored one, under a name that may be another.
fn blank(name: &str, stored: Option<&Value>) -> (Value, Ownership) {
    let mut object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let Some(stored) = stored else {
        return (object, Ownership::Unknown);
    };
    let ownership = ownership::of(stored);
    let copy = |from: &Value, to: &mut Map<String, Value>, key: &str| {
        if let Some(value) = from.get(key).filter(|value| !value.is_null()) {
            to.insert(key.to_owned(), value.clone());
        }
    };
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in ["labels", "annotations"] {
            copy(&stored["metadata"], metadata, key);
        }
        if matches!(ownership, Ownership::Create(_)) {
            copy(&stored["metadata"], metadata, "managedFields");
        }
    }
    if let Some(map) = object.as_object_mut() {
        copy(stored, map, "spec");
    }
    (object, ownership)
}

/// What keeps a namespace from going away, as a clause.
fn blockers(namespace: &Value) -> String {
    let conditions = namespace
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let mut reasons: Vec<String> = conditions
        .into_iter()
        .flatten()
        .filter(|condition| condition["status"] == "True")
        .filter_map(|condition| condition["message"].as_str())
        .map(str::to_owned)
        .collect();
    let finalizers = namespace
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array);
    reasons.extend(
        finalizers
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|finalizer| format!("the finalizer {finalizer} is set")),
    );
    if reasons.is_empty() {
        String::new()
    } else {
        format!(": {}", reasons.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_returns_with_labels_annotations_and_spec_alone() {
        let stored = json!({
            "metadata": {
                "name": "old", "uid": "u", "labels": {"team": "a"}, "annotations": {"b": "c"},
                "managedFields": [{"manager": "m", "operation": "Apply", "apiVersion": "v1"}],
            },
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
        });
        let (object, ownership) = blank("new", Some(&stored));
        assert_eq!(
            object,
            json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": "new", "labels": {"team": "a"}, "annotations": {"b": "c"}},
                "spec": {"finalizers": ["kubernetes"]},
            })
        );
        assert!(matches!(ownership, Ownership::Patch(_)));
    }

    #[test]
    fn what_blocks_a_deletion_is_named() {
        let namespace = json!({
            "metadata": {"finalizers": ["example.com/hold"]},
            "status": {"conditions": [
                {"type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining: pods. has 1 resource instances"},
                {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "fine"},
            ]},
        });
        assert_eq!(
            blockers(&namespace),
            ": Some resources are remaining: pods. has 1 resource instances; \
             the finalizer example.com/hold is set"
        );
        assert_eq!(blockers(&json!({})), "");
    }
}
