//! Deleting a snapshot that only its handle is known of: a content is made for it that
//! takes it along when it goes. The driver's sidecar does the deletion, and only then lets
//! the content go. It looks at a new content first, and what is deleted in the middle of
//! that may lose its snapshot's handle, so that is waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::body::{self, Named, Policy, Stored};
use super::class::Class;
use super::{Kinds, group, state};
use crate::port::{Clock, Cluster, ClusterErrorKind, CreateOptions, Patch, Target};

/// Snapshots that are deleted at the same time.
const AT_ONCE: usize = 20;
/// How long a driver may take to delete one.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long it may take to look at one first, and how long it may complain of it.
const FIRST_LOOK: Duration = Duration::from_mins(1);
const COMPLAINT: Duration = Duration::from_secs(5);
/// Pause between two looks: the first, and the longest.
const LOOK: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Where a content points whose snapshot nobody shall make.
const NOWHERE: &str = "default";

/// A snapshot that a storage system keeps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kept {
    pub driver: String,
    /// The handle of the group that it was taken with; empty if it was taken alone.
    pub group: String,
    pub handle: String,
}

/// What is deleted in one go: a snapshot, or a group of them.
#[derive(Debug, Clone)]
struct Doomed {
    driver: String,
    /// Empty of a single snapshot.
    group: String,
    handles: Vec<String>,
}

impl Doomed {
    /// Groups go as wholes where the cluster knows groups: a driver need not delete a
    /// member alone, and its sidecar does not ask for it.
    fn all(handles: Vec<Kept>, groups_are_known: bool) -> Vec<Self> {
        let mut doomed: Vec<Self> = Vec::new();
        for one in handles {
            let group = if groups_are_known {
                one.group
            } else {
                String::new()
            };
            let same = |last: &&mut Self| {
                !group.is_empty() && last.group == group && last.driver == one.driver
            };
            match doomed.last_mut().filter(same) {
                Some(last) => last.handles.push(one.handle),
                None => doomed.push(Self {
                    driver: one.driver,
                    group,
                    handles: vec![one.handle],
                }),
            }
        }
        doomed
    }
}

/// Deletes snapshots; answers why some remain.
pub(crate) async fn all(
    cluster: &dyn Cluster,
    clock: &dyn Clock,
    handles: Vec<Kept>,
    labels: &BTreeMap<String, String>,
) -> Vec<String> {
    let lost = |why: &str| {
        let count = handles.len();
        vec![format!("{count} CSI snapshots cannot be deleted: {why}")]
    };
    let discovery = match cluster.discover().await {
        Ok(discovery) => discovery,
        Err(error) => return lost(&error.to_string()),
    };
    let Some(kinds) = Kinds::of(&discovery) else {
        return lost(
            "the cluster does not serve CSI snapshots (snapshot.storage.k8s.io). Delete the backup where \
             their driver runs",
        );
    };
    let classes = match kinds.read_classes(cluster).await {
        Ok(classes) => classes,
        Err(error) => return lost(&error.to_string()),
    };
    let doomed = Doomed::all(handles, kinds.groups.is_some());
    let deletions: Vec<_> = doomed
        .iter()
        .map(|doomed| {
            let class = classes.iter().find(|class| class.driver == doomed.driver);
            one(cluster, clock, &kinds, (doomed, class), labels)
        })
        .collect();
    let ended = stream::iter(deletions).buffer_unordered(AT_ONCE);
    ended.filter_map(async |ended| ended.err()).collect().await
}

async fn one(
    cluster: &dyn Cluster,
    clock: &dyn Clock,
    kinds: &Kinds,
    (doomed, class): (&Doomed, Option<&Class>),
    labels: &BTreeMap<String, String>,
) -> Result<(), String> {
    let Doomed {
        driver,
        group,
        handles,
    } = doomed;
    let what = handles.join(", ");
    let failed = |why: String| format!("CSI snapshot {what} of driver `{driver}`: {why}");
    // The same for the same snapshot: deleting again finds the content of last time.
    let digest = Sha256::digest(format!("{driver} {group} {}", handles[0]));
    let name = format!("ark-deletion-{}", hex::encode(&digest[..16]));
    let named = Named {
        namespace: NOWHERE,
        name: &name,
        labels,
    };
    let (resource, content, status) = match &kinds.groups {
        Some(groups) if !group.is_empty() => {
            let stored = group::Stored {
                driver,
                group,
                snapshots: handles,
            };
            let resource = &groups.contents;
            let content = group::content(&resource.version, named, &stored, Policy::Delete);
            (resource, content, group::has_handle(group))
        }
        _ => {
            let stored = Stored {
                driver,
                handle: &handles[0],
                class,
                volume_mode: None,
            };
            let resource = &kinds.contents;
            let content = body::content(&resource.version, named, &stored, Policy::Delete);
            (resource, content, body::has_handle(&handles[0]))
        }
    };
    let content = Bytes::from(content.to_string());
    let made = cluster.create(resource, None, content, CreateOptions::default());
    match made.await {
        Err(error) if error.kind != ClusterErrorKind::AlreadyExists => {
            return Err(failed(error.to_string()));
        }
        _ => {}
    }
    let target = Target {
        resource,
        namespace: None,
        name: &name,
    };
    match seen(cluster, clock, target).await.map_err(&failed)? {
        Seen::Known => {}
        // Not found by its driver, perhaps: what the status names is deleted nevertheless.
        Seen::NotReady => {
            let status = Patch::MergeStatus(Bytes::from(status.to_string()));
            let patched = cluster.patch(target, status).await;
            patched.map_err(|error| failed(error.to_string()))?;
        }
        Seen::Never => {
            let free = Patch::Merge(Bytes::from_static(br#"{"metadata":{"finalizers":null}}"#));
            // Nobody would ever take the finalizer off. What fails here is left to be seen.
            let _ = cluster.patch(target, free).await;
            let _ = cluster.delete(target).await;
            let seconds = FIRST_LOOK.as_secs();
            return Err(failed(format!(
                "no driver of this cluster has looked at it within {seconds} s"
            )));
        }
    }
    let deleted = cluster.delete(target).await;
    deleted.map_err(|error| failed(error.to_string()))?;
    gone(cluster, clock, target).await.map_err(failed)
}

/// What became of a content that was made.
enum Seen {
    /// The driver knows its snapshot, and its sidecar is done with it.
    Known,
    /// The driver says that something is wrong, or that it takes longer.
    NotReady,
    /// No driver has looked at it.
    Never,
}

/// Waits until the driver's sidecar has looked at a content.
async fn seen(
    cluster: &dyn Cluster,
    clock: &dyn Clock,
    target: Target<'_>,
) -> Result<Seen, String> {
    let (mut waited, mut complained) = (Duration::ZERO, Duration::ZERO);
    let mut looked = false;
    loop {
        let found = cluster.get(target).await;
        let complains = match found {
            Ok(None) => return Ok(Seen::Known),
            Ok(Some(content)) if content.head().deleting => return Ok(Seen::Known),
            Ok(Some(content)) => {
                let value: Value = content.to_value().unwrap_or_default();
                if value["status"]["readyToUse"] == true {
                    return Ok(Seen::Known);
                }
                looked = value["status"].is_object();
                state::complaint(&value).is_some()
            }
            Err(error) if error.is_retryable() => false,
            Err(error) => return Err(error.to_string()),
        };
        if complains {
            complained += LOOK.0;
        }
        if complained >= COMPLAINT || waited >= FIRST_LOOK && looked {
            return Ok(Seen::NotReady);
        }
        if waited >= FIRST_LOOK {
            return Ok(Seen::Never);
        }
        clock.sleep(LOOK.0).await;
        waited += LOOK.0;
    }
}

/// Waits until the driver has deleted the snapshot.
async fn gone(cluster: &dyn Cluster, clock: &dyn Clock, target: Target<'_>) -> Result<(), String> {
    let (mut waited, mut pause) = (Duration::ZERO, LOOK.0);
    loop {
        let found = cluster.get(target).await;
        let complaint = match found {
            Ok(None) => return Ok(()),
            Ok(Some(content)) => {
                let value: Value = content.to_value().unwrap_or_default();
                state::complaint(&value).map(str::to_owned)
            }
            Err(error) if error.is_retryable() => Some(error.to_string()),
            Err(error) => return Err(error.to_string()),
        };
        let refused = complaint.as_deref().is_some_and(state::is_refusal);
        if refused || waited >= PATIENCE {
            return Err(complaint.unwrap_or_else(|| {
                let seconds = waited.as_secs();
                format!("no driver of this cluster has deleted it within {seconds} s")
            }));
        }
        clock.sleep(pause).await;
        waited += pause;
        pause = (pause * 2).min(LOOK.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_go_as_wholes_where_they_are_known() {
        let handle = |driver: &str, group: &str, handle: &str| Kept {
            driver: driver.into(),
            group: group.into(),
            handle: handle.into(),
        };
        let handles = vec![
            handle("d", "", "a"),
            handle("d", "", "b"),
            handle("d", "g", "c"),
            handle("d", "g", "e"),
            handle("f", "g", "h"),
        ];
        let told = |known| {
            let doomed = Doomed::all(handles.clone(), known);
            let each = doomed.iter().map(|one| one.handles.join("+"));
            each.collect::<Vec<_>>()
        };
        assert_eq!(told(true), ["a", "b", "c+e", "h"]);
        assert_eq!(told(false), ["a", "b", "c", "e", "h"]);
    }
}
