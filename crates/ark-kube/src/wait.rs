//! Waiting for the API server and its controllers to get somewhere.
//!
//! By looking again and again through the [`Cluster`] port, with growing pauses:
//! no watch, so it works for kinds that did not exist a second ago.

use std::fmt::Write as _;
use std::time::Duration;

use ark_engine::object::ObjectError;
use ark_engine::port::{ApiResource, Cluster, ClusterError, ClusterErrorKind, ListQuery, Target};
use serde_json::Value;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::builtin;

/// Why something awaited did not come.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// It was not there in time.
    #[error("{what} within {} s: {state}", waited.as_secs())]
    Timeout {
        /// What was awaited: `crontabs.example.com is not served`.
        what: String,
        /// How it looked last.
        state: String,
        /// How long was waited.
        waited: Duration,
    },
    /// It will not come, however long one waits.
    #[error("{what}: {reason}")]
    Hopeless {
        /// What was awaited.
        what: String,
        /// Why, in the cluster's words.
        reason: String,
    },
    /// A call failed that waiting does not mend.
    #[error(transparent)]
    Call(#[from] ClusterError),
    /// The awaited object is not JSON of an object's shape.
    #[error("cannot look into {what}")]
    Unreadable {
        /// The object.
        what: String,
        /// Why.
        #[source]
        source: ObjectError,
    },
}

/// What one look shows.
enum Look {
    Done,
    NotYet(String),
    Hopeless(String),
}

/// Waits until objects of a custom resource definition can be created: its names
/// are accepted, it is established, and each served version answers.
pub async fn definition_served(
    cluster: &dyn Cluster,
    name: &str,
    timeout: Duration,
) -> Result<(), WaitError> {
    let resource = builtin::definitions();
    let what = format!("the definition `{name}` is not served");
    until(&what, timeout, async || {
        let Some(definition) = fetch(cluster, &resource, None, name).await? else {
            return Ok(Look::NotYet("there is no such definition".to_owned()));
        };
        for condition in ["NamesAccepted", "Established"] {
            if let Some(state) = unmet(&definition, condition) {
                return Ok(Look::NotYet(state));
            }
        }
        for version in served_versions(&definition) {
            if let Some(state) = silent(cluster, version).await? {
                return Ok(Look::NotYet(state));
            }
        }
        Ok(Look::Done)
    })
    .await
}

/// Waits until a namespace exists and accepts objects.
///
/// # Errors
/// [`WaitError::Timeout`], also for a namespace that is being deleted all the time.
pub async fn namespace_active(
    cluster: &dyn Cluster,
    name: &str,
    timeout: Duration,
) -> Result<(), WaitError> {
    let resource = ApiResource::namespaces();
    let what = format!("the namespace `{name}` is not active");
    until(&what, timeout, async || {
        let Some(namespace) = fetch(cluster, &resource, None, name).await? else {
            return Ok(Look::NotYet("there is no such namespace".to_owned()));
        };
        Ok(match namespace["status"]["phase"].as_str() {
            Some("Active") => Look::Done,
            phase => Look::NotYet(format!("its phase is {}", phase.unwrap_or("not set"))),
        })
    })
    .await
}

/// Waits until a namespace and everything in it is gone. Names what holds it up.
pub async fn namespace_gone(
    cluster: &dyn Cluster,
    name: &str,
    timeout: Duration,
) -> Result<(), WaitError> {
    let resource = ApiResource::namespaces();
    let target = Target {
        resource: &resource,
        namespace: None,
        name,
    };
    object_gone(cluster, target, timeout).await
}

/// Waits until an object is gone.
pub async fn object_gone(
    cluster: &dyn Cluster,
    target: Target<'_>,
    timeout: Duration,
) -> Result<(), WaitError> {
    let what = format!("{target} is not gone");
    until(&what, timeout, async || {
        let found = fetch(cluster, target.resource, target.namespace, target.name).await?;
        Ok(found.map_or(Look::Done, |object| Look::NotYet(holdup(&object))))
    })
    .await
}

/// Waits until all replicas of a deployment are of its newest form and available.
///
/// # Errors
/// [`WaitError::Hopeless`] as soon as the cluster itself has given up on it.
pub async fn deployment_ready(
    cluster: &dyn Cluster,
    namespace: &str,
    name: &str,
    timeout: Duration,
) -> Result<(), WaitError> {
    let resource = builtin::deployments();
    let what = format!("the deployment `{namespace}/{name}` is not ready");
    until(&what, timeout, async || {
        let found = fetch(cluster, &resource, Some(namespace), name).await?;
        Ok(found.map_or_else(
            || Look::NotYet("there is no such deployment".to_owned()),
            |deployment| rollout(&deployment),
        ))
    })
    .await
}

fn rollout(deployment: &Value) -> Look {
    let status = &deployment["status"];
    let count = |field: &str| status[field].as_i64().unwrap_or_default();
    let wanted = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    if count("observedGeneration") < deployment["metadata"]["generation"].as_i64().unwrap_or(0) {
        return Look::NotYet("its newest form is not seen yet".to_owned());
    }
    if let Some(progress) = condition(deployment, "Progressing")
        && progress["reason"] == "ProgressDeadlineExceeded"
    {
        return Look::Hopeless(progress["message"].as_str().unwrap_or_default().to_owned());
    }
    let (updated, available) = (count("updatedReplicas"), count("availableReplicas"));
    if updated >= wanted && available >= wanted && count("replicas") <= updated {
        return Look::Done;
    }
    Look::NotYet(format!(
        "{updated} of {wanted} replicas updated, {available} available"
    ))
}

async fn until(
    what: &str,
    timeout: Duration,
    look: impl AsyncFn() -> Result<Look, WaitError>,
) -> Result<(), WaitError> {
    let deadline = Instant::now() + timeout;
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    loop {
        let state = match look().await? {
            Look::Done => return Ok(()),
            Look::Hopeless(reason) => {
                return Err(WaitError::Hopeless {
                    what: what.to_owned(),
                    reason,
                });
            }
            Look::NotYet(state) => state,
        };
        let now = Instant::now();
        if now >= deadline {
            return Err(WaitError::Timeout {
                what: what.to_owned(),
                state,
                waited: timeout,
            });
        }
        tokio::time::sleep(backoff.pause().min(deadline - now)).await;
    }
}

async fn fetch(
    cluster: &dyn Cluster,
    resource: &ApiResource,
    namespace: Option<&str>,
    name: &str,
) -> Result<Option<Value>, WaitError> {
    let target = Target {
        resource,
        namespace,
        name,
    };
    let Some(object) = cluster.get(target).await? else {
        return Ok(None);
    };
    object
        .to_value()
        .map(Some)
        .map_err(|source| WaitError::Unreadable {
            what: target.to_string(),
            source,
        })
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions
        .iter()
        .find(|condition| condition["type"] == kind)
}

/// Why a condition does not hold; `None` when it does.
fn unmet(object: &Value, kind: &str) -> Option<String> {
    let Some(found) = condition(object, kind) else {
        return Some(format!("{kind} is not decided yet"));
    };
    (found["status"] != "True").then(|| {
        let message = found["message"].as_str().unwrap_or("without a reason");
        format!("{kind} does not hold: {message}")
    })
}

fn served_versions(definition: &Value) -> Vec<ApiResource> {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let versions = spec["versions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    versions
        .iter()
        .filter(|version| version["served"] == true)
        .map(|version| ApiResource {
            group: text(&spec["group"]),
            version: text(&version["name"]),
            plural: text(&spec["names"]["plural"]),
            singular: text(&spec["names"]["singular"]),
            kind: text(&spec["names"]["kind"]),
            namespaced: spec["scope"] == "Namespaced",
            verbs: Vec::new(),
            short_names: Vec::new(),
            preferred: true,
        })
        .collect()
}

/// What an API path answers when it does not answer with a list yet. The
/// conditions are set a moment before the path is served.
async fn silent(
    cluster: &dyn Cluster,
    resource: ApiResource,
) -> Result<Option<String>, ClusterError> {
    let query = ListQuery::all(resource);
    match cluster.list(&query, None, 1).await {
        Ok(_) => Ok(None),
        // The path is there; whoever waits need not be allowed to list.
        Err(error) if error.kind == ClusterErrorKind::Forbidden => Ok(None),
        Err(error) if error.kind == ClusterErrorKind::NotFound || error.is_retryable() => {
            Ok(Some(error.message))
        }
        Err(error) => Err(error),
    }
}

/// What keeps an object from being gone.
fn holdup(object: &Value) -> String {
    let mut text = if object["metadata"]["deletionTimestamp"].is_null() {
        "it is not being deleted".to_owned()
    } else {
        "it is being deleted".to_owned()
    };
    let list = |value: &Value| {
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let finalizers = list(&object["metadata"]["finalizers"]);
    if !finalizers.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(text, ", held by {finalizers}");
    }
    for kind in ["NamespaceContentRemaining", "NamespaceFinalizersRemaining"] {
        if let Some(found) = condition(object, kind).filter(|c| c["status"] == "True") {
            let _ = write!(text, "; {}", found["message"].as_str().unwrap_or_default());
        }
    }
    text
}
