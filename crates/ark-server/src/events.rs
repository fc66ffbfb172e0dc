//! Kubernetes Events: one for each change of a phase, for `kubectl describe`, for
//! dashboards, and for people who do not read logs.
//!
//! Events are best effort. Whoever changes a phase puts one into a bounded queue
//! and goes on; a full queue drops it, and a refusal by the API server is told in
//! the log and has no other consequence. The state is in the resource.

use std::sync::Arc;

use ark_engine::port::{ApiResource, Clock, Cluster, CreateOptions};
use ark_kube::CustomResource;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::phase::{Phased, Verdict};
use crate::task::{OnCancel, TaskKind, Tasks};
use crate::text::cut;

/// Events that wait to be sent. A server changes a few phases a second at most.
const QUEUE: usize = 256;
/// Who reports.
const CONTROLLER: &str = "ark.heptio.com/server";
/// As much of an object's name as an event's name has room for.
const LONGEST_OBJECT: usize = 230;
/// Longest note that the API server takes, in bytes.
const LONGEST_NOTE: usize = 1024;

/// The way to report.
pub(crate) struct Events {
    queue: mpsc::Sender<Value>,
    instance: String,
    clock: Arc<dyn Clock>,
}

impl Events {
    /// Starts the task that sends.
    pub(crate) fn start(
        cluster: Arc<dyn Cluster>,
        namespace: &str,
        instance: Option<&str>,
        clock: Arc<dyn Clock>,
        tasks: &Tasks,
    ) -> Self {
        let (queue, events) = mpsc::channel(QUEUE);
        let sending = send(cluster, namespace.to_owned(), events);
        // Nothing waits for it: what is in the queue when the server ends is lost.
        drop(tasks.spawn(TaskKind::Timer, "events", OnCancel::Drop, sending));
        Self {
            queue,
            instance: instance.unwrap_or("ark-server").to_owned(),
            clock,
        }
    }

    /// Reports a change of the phase, if it changed.
    pub(crate) fn changed<K: CustomResource + Phased>(&self, before: &K, after: &K) {
        let Some(phase) = after.phase_name() else {
            return;
        };
        if before.phase_name() == Some(phase) {
            return;
        }
        let event = event(after, phase, &self.instance, self.clock.now());
        if self.queue.try_send(event).is_err() {
            tracing::debug!("too many events; one is left out");
        }
    }
}

async fn send(cluster: Arc<dyn Cluster>, namespace: String, mut events: mpsc::Receiver<Value>) {
    let resource = resource();
    let mut refused = false;
    while let Some(event) = events.recv().await {
        let body = Bytes::from(event.to_string());
        let options = CreateOptions::default();
        let sent = cluster.create(&resource, Some(&namespace), body, options);
        match sent.await {
            Ok(_) => refused = false,
            // Once until it works again: the log shall not fill with this.
            Err(error) if !refused => {
                refused = true;
                tracing::warn!(%error, "events cannot be written");
            }
            Err(_) => {}
        }
    }
}

fn resource() -> ApiResource {
    ApiResource::v1("events.k8s.io", "events", "Event", true)
}

fn event<K: CustomResource + Phased>(
    object: &K,
    phase: &str,
    instance: &str,
    now: Timestamp,
) -> Value {
    let metadata = object.meta();
    let name = metadata.name.as_deref().unwrap_or_default();
    let note = object.note();
    let note = if note.is_empty() {
        format!("phase {phase}")
    } else {
        note
    };
    let kind = match object.verdict() {
        Verdict::Bad => "Warning",
        Verdict::Good | Verdict::Open | Verdict::Unchanged => "Normal",
    };
    json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": event_name(name, now), "namespace": metadata.namespace},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        "reportingController": CONTROLLER,
        "reportingInstance": cut(instance, 128),
        "action": "ChangePhase",
        "reason": phase,
        "regarding": {
            "apiVersion": K::api_version(&()),
            "kind": K::kind(&()),
            "namespace": metadata.namespace,
            "name": name,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        },
        "note": cut(&note, LONGEST_NOTE),
        "type": kind,
    })
}

/// `<object>.<time in hexadecimal>`, as other controllers name theirs.
fn event_name(object: &str, now: Timestamp) -> String {
    let end = object.floor_char_boundary(LONGEST_OBJECT);
    let object = object[..end].trim_end_matches(['-', '.']);
    format!("{object}.{:x}", now.as_nanosecond())
}

#[cfg(test)]
mod tests {
    use ark_api::Backup;

    use super::*;

    fn failed(reason: &str) -> Backup {
        serde_json::from_value(json!({
            "apiVersion": "velero.io/v1", "kind": "Backup",
            "metadata": {"name": "b", "namespace": "ark", "uid": "u-1", "resourceVersion": "7"},
            "spec": {},
            "status": {"phase": "Failed", "failureReason": reason},
        }))
        .unwrap()
    }

    #[test]
    fn an_event_names_the_object_and_the_reason() {
        let now = Timestamp::from_microsecond(1_700_000_000_000_001).unwrap();
        let event = event(&failed("the bucket is full"), "Failed", "pod-1", now);
        assert_eq!(event["metadata"]["name"], "b.17979cfe362a03e8");
        assert_eq!(event["type"], "Warning");
        assert_eq!(event["reason"], "Failed");
        assert_eq!(event["note"], "the bucket is full");
        assert_eq!(event["eventTime"], "2023-11-14T22:13:20.000001Z");
        assert_eq!(
            event["regarding"],
            json!({
                "apiVersion": "velero.io/v1", "kind": "Backup", "namespace": "ark", "name": "b",
                "uid": "u-1", "resourceVersion": "7",
            })
        );
    }

    #[test]
    fn a_long_name_leaves_room_for_the_time() {
        let name = event_name(
            &format!("{}-{}", "n".repeat(229), "m".repeat(23)),
            Timestamp::MAX,
        );
        assert!(name.len() <= 253 && name.starts_with("nnn"), "{name}");
        assert!(name.contains("n."), "{name}");
    }
}
