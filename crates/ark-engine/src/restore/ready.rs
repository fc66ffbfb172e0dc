//! After custom resource definitions are restored: wait until they are served.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use serde_json::Value;

use crate::port::{ApiResource, Clock, Cluster, ClusterError, Discovery, Target};

/// Between two looks.
const POLL: Duration = Duration::from_millis(250);
/// Definitions that are looked at at the same time.
const CONCURRENCY: usize = 16;

/// Waits for definitions.
pub(super) struct Readiness {
    pub cluster: Arc<dyn Cluster>,
    pub clock: Arc<dyn Clock>,
    /// How long a definition may take.
    pub timeout: Duration,
}

/// A definition that does not get ready, and why.
pub(super) struct Unready {
    pub name: String,
    pub reason: String,
}

impl Readiness {
    /// Waits until each definition is accepted and established.
    pub(super) async fn wait(&self, resource: &ApiResource, names: &[String]) -> Vec<Unready> {
        // Collected for the same reason as in `load`.
        let looks: Vec<_> = names
            .iter()
            .map(|name| async move {
                let reason = self.wait_one(resource, name).await.err()?;
                Some(Unready {
                    name: name.clone(),
                    reason,
                })
            })
            .collect();
        stream::iter(looks)
            .buffer_unordered(CONCURRENCY)
            .filter_map(|unready| async move { unready })
            .collect()
            .await
    }

    async fn wait_one(&self, resource: &ApiResource, name: &str) -> Result<(), String> {
        let mut waited = Duration::ZERO;
        loop {
            let live = self
                .cluster
                .get(Target {
                    resource,
                    namespace: None,
                    name,
                })
                .await;
            let state = match live {
                Ok(Some(live)) => live
                    .to_value()
                    .map(|v| State::of(&v))
                    .map_err(|e| e.to_string())?,
                Ok(None) => return Err("it was deleted while it was waited for".to_owned()),
                Err(error) if error.is_retryable() => State::Waiting(error.to_string()),
                Err(error) => return Err(error.to_string()),
            };
            match state {
                State::Ready => return Ok(()),
                State::Refused(reason) => return Err(reason),
                State::Waiting(reason) if waited >= self.timeout => {
                    return Err(format!(
                        "not ready after {} s: {reason}",
                        self.timeout.as_secs()
                    ));
                }
                State::Waiting(_) => {}
            }
            self.clock.sleep(POLL).await;
            waited += POLL;
        }
    }

    /// Discovers until the kinds of all definitions (`plural.group`) are served.
    /// Those that are still missing after the timeout are returned.
    pub(super) async fn discover(
        &self,
        names: &[String],
    ) -> Result<(Discovery, Vec<String>), ClusterError> {
        let mut waited = Duration::ZERO;
        loop {
            let discovery = self.cluster.discover().await?;
            let missing: Vec<String> = names
                .iter()
                .filter(|name| {
                    !discovery
                        .resources
                        .iter()
                        .any(|r| r.group_resource() == **name)
                })
                .cloned()
                .collect();
            if missing.is_empty() || waited >= self.timeout {
                return Ok((discovery, missing));
            }
            self.clock.sleep(POLL).await;
            waited += POLL;
        }
    }
}

#[derive(Debug, PartialEq)]
enum State {
    Ready,
    Waiting(String),
    /// It will not get ready by waiting.
    Refused(String),
}

impl State {
    fn of(definition: &Value) -> Self {
        let conditions = definition
            .pointer("/status/conditions")
            .and_then(Value::as_array);
        let find = |kind: &str| {
            conditions
                .into_iter()
                .flatten()
                .find(|condition| condition["type"] == kind)
        };
        let is_true =
            |kind: &str| find(kind).is_some_and(|condition| condition["status"] == "True");
        if let Some(names) = find("NamesAccepted").filter(|names| names["status"] == "False") {
            let message = names["message"].as_str().unwrap_or_default();
            return Self::Refused(format!("its names are not accepted: {message}"));
        }
        if is_true("NamesAccepted") && is_true("Established") {
            return Self::Ready;
        }
        let message = find("Established").and_then(|one| one["message"].as_str());
        Self::Waiting(
            message
                .unwrap_or("the API server has not looked at it yet")
                .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ready_means_accepted_and_established() {
        let definition = |names: &str, established: &str| {
            json!({"status": {"conditions": [
                {"type": "NamesAccepted", "status": names, "message": "in use"},
                {"type": "Established", "status": established, "message": "soon"},
            ]}})
        };
        assert_eq!(State::of(&definition("True", "True")), State::Ready);
        assert_eq!(
            State::of(&definition("True", "False")),
            State::Waiting("soon".into())
        );
        assert!(matches!(
            State::of(&definition("False", "True")),
            State::Refused(_)
        ));
        assert!(matches!(State::of(&json!({})), State::Waiting(_)));
    }
}
