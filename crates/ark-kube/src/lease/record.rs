//! The Lease object: reading, writing, and the decision about it.
//!
//! Format: `coordination.k8s.io/v1` Lease. Every write carries the resource
//! version that was read, so of two writers one fails.

use std::time::Duration;

use ark_engine::port::{Cluster, ClusterError, ClusterErrorKind, CreateOptions, Patch, Target};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::LeaseOptions;
use crate::{builtin, error};

/// What a Lease says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who has it; empty when it was given back.
    pub holder: String,
    /// How long it is valid without a renewal.
    pub duration: Duration,
    /// When it changed hands, as written by its holder.
    pub acquired: Option<String>,
    /// When it was renewed, as written by its holder.
    pub renewed: String,
    /// How often it changed hands.
    pub transitions: i64,
    /// Version of the object.
    pub resource_version: String,
}

/// A record and when this process saw it first.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What the Lease says.
    pub record: Record,
    /// Since when it has said so, by the clock here.
    pub since: Instant,
}

/// What a candidate should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nobody has the lease: take it.
    Acquire,
    /// It is ours: renew it.
    Renew,
    /// Another has it: look again later.
    Wait,
}

/// Decides what `me` does about a lease at `now`; `None` is a missing Lease.
pub fn decide(lease: Option<&Observed>, me: &str, now: Instant) -> Decision {
    match lease {
        None => Decision::Acquire,
        Some(observed) if observed.record.holder == me => Decision::Renew,
        Some(observed) if observed.record.holder.is_empty() => Decision::Acquire,
        Some(observed) if now >= observed.since + observed.record.duration => Decision::Acquire,
        Some(_) => Decision::Wait,
    }
}

impl Record {
    /// The record that takes or renews the lease.
    pub(super) fn next(old: Option<&Self>, options: &LeaseOptions, now: Timestamp) -> Self {
        let now = micro_time(now);
        let ours = old.filter(|old| old.holder == options.identity);
        let transitions = old.map_or(0, |old| old.transitions);
        Self {
            holder: options.identity.clone(),
            duration: options.duration,
            acquired: match ours {
                Some(ours) => ours.acquired.clone(),
                None => Some(now.clone()),
            },
            renewed: now,
            transitions: match (old, ours) {
                (Some(_), None) => transitions + 1,
                _ => transitions,
            },
            resource_version: String::new(),
        }
    }

    /// The record that gives the lease back.
    pub(super) fn freed(old: &Self, now: Timestamp) -> Self {
        Self {
            holder: String::new(),
            // The API refuses zero.
            duration: Duration::from_secs(1),
            renewed: micro_time(now),
            ..old.clone()
        }
    }

    pub(super) fn is_held_by_other(&self, me: &str) -> bool {
        !self.holder.is_empty() && self.holder != me
    }
}

/// The API's `MicroTime`: exactly six digits of a second.
fn micro_time(now: Timestamp) -> String {
    format!("{now:.6}")
}

#[derive(Deserialize)]
struct RawLease {
    metadata: RawMeta,
    #[serde(default)]
    spec: RawSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMeta {
    resource_version: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct RawSpec {
    holder_identity: Option<String>,
    lease_duration_seconds: Option<u32>,
    acquire_time: Option<String>,
    renew_time: Option<String>,
    lease_transitions: Option<i64>,
}

/// The Lease as it is; `None` when there is none.
pub(super) async fn read(
    cluster: &dyn Cluster,
    options: &LeaseOptions,
) -> Result<Option<Record>, ClusterError> {
    let resource = builtin::leases();
    let target = Target {
        resource: &resource,
        namespace: Some(&options.namespace),
        name: &options.name,
    };
    let Some(object) = cluster.get(target).await? else {
        return Ok(None);
    };
    let raw: RawLease = serde_json::from_slice(&object.json())
        .map_err(|problem| error::malformed(&format!("read {target}"), problem))?;
    let seconds = raw.spec.lease_duration_seconds.unwrap_or_default();
    Ok(Some(Record {
        holder: raw.spec.holder_identity.unwrap_or_default(),
        duration: Duration::from_secs(u64::from(seconds)),
        acquired: raw.spec.acquire_time,
        renewed: raw.spec.renew_time.unwrap_or_default(),
        transitions: raw.spec.lease_transitions.unwrap_or_default(),
        resource_version: raw.metadata.resource_version,
    }))
}

/// Writes the Lease if it still is as `old`; `false` when somebody was faster.
pub(super) async fn write(
    cluster: &dyn Cluster,
    options: &LeaseOptions,
    record: &Record,
    old: Option<&Record>,
) -> Result<bool, ClusterError> {
    let resource = builtin::leases();
    let mut body = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": options.name, "namespace": options.namespace},
        "spec": {
            "holderIdentity": record.holder,
            "leaseDurationSeconds": record.duration.as_secs(),
            "acquireTime": record.acquired,
            "renewTime": record.renewed,
            "leaseTransitions": record.transitions,
        },
    });
    let result = match old {
        None => {
            let body = Bytes::from(body.to_string());
            let namespace = Some(options.namespace.as_str());
            cluster
                .create(&resource, namespace, body, CreateOptions::default())
                .await
        }
        Some(old) => {
            body["metadata"]["resourceVersion"] = old.resource_version.as_str().into();
            let target = Target {
                resource: &resource,
                namespace: Some(&options.namespace),
                name: &options.name,
            };
            cluster
                .patch(target, Patch::Merge(Bytes::from(body.to_string())))
                .await
        }
    };
    match result {
        Ok(_) => Ok(true),
        Err(error)
            if matches!(
                error.kind,
                ClusterErrorKind::Conflict | ClusterErrorKind::AlreadyExists
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
