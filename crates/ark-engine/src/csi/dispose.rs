//! Deleting a snapshot that only its handle is known of: a content is made for it that
//! takes it along when it goes. The driver's sidecar does the deletion, and only then lets
//! the content go.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Kinds;
use super::body::{self, Named, Policy, Stored};
use super::class::Class;
use super::state;
use crate::port::{
    Clock, Cluster, ClusterError, ClusterErrorKind, CreateOptions, ListQuery, Patch, Target,
};

/// Snapshots that are deleted at the same time.
const AT_ONCE: usize = 20;
/// How long a driver may take to delete one.
const PATIENCE: Duration = Duration::from_mins(5);
/// Pause between two looks: the first, and the longest.
const LOOK: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Classes a page.
const PAGE: u32 = 100;
/// Where a content points whose snapshot nobody shall make.
const NOWHERE: &str = "default";

/// A snapshot at a storage system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Handle {
    pub driver: String,
    pub handle: String,
}

/// Deletes snapshots; answers why some remain.
pub(crate) async fn all(
    cluster: &dyn Cluster,
    clock: &dyn Clock,
    handles: Vec<Handle>,
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
    let classes = match classes(cluster, &kinds).await {
        Ok(classes) => classes,
        Err(error) => return lost(&error.to_string()),
    };
    let deletions: Vec<_> = handles
        .iter()
        .map(|handle| {
            let class = classes.iter().find(|class| class.driver == handle.driver);
            one(cluster, clock, &kinds, (handle, class), labels)
        })
        .collect();
    let ended = stream::iter(deletions).buffer_unordered(AT_ONCE);
    ended.filter_map(async |ended| ended.err()).collect().await
}

async fn classes(cluster: &dyn Cluster, kinds: &Kinds) -> Result<Vec<Class>, ClusterError> {
    let query = ListQuery {
        resource: kinds.classes.clone(),
        namespace: None,
        label_selector: None,
        field_selector: None,
        at: None,
    };
    let objects = cluster.list_all(&query, PAGE).await?;
    let values = objects.iter().filter_map(|class| class.to_value().ok());
    Ok(values.map(|class| Class::read(&class)).collect())
}

async fn one(
    cluster: &dyn Cluster,
    clock: &dyn Clock,
    kinds: &Kinds,
    (handle, class): (&Handle, Option<&Class>),
    labels: &BTreeMap<String, String>,
) -> Result<(), String> {
    let Handle { driver, handle } = handle;
    let failed = |why: String| format!("CSI snapshot {handle} of driver `{driver}`: {why}");
    // The same for the same snapshot: deleting again finds the content of last time.
    let digest = Sha256::digest(format!("{driver} {handle}"));
    let name = format!("ark-deletion-{}", hex::encode(&digest[..16]));
    let named = Named {
        namespace: NOWHERE,
        name: &name,
        labels,
    };
    let stored = Stored {
        driver,
        handle,
        class,
        volume_mode: None,
    };
    let resource = &kinds.contents;
    let content = body::content(&resource.version, named, &stored, Policy::Delete);
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
    // The sidecar deletes what the status names, and would take a moment to write it.
    let status = Patch::MergeStatus(Bytes::from(body::has_handle(handle).to_string()));
    match cluster.patch(target, status).await {
        Err(error) if error.kind != ClusterErrorKind::NotFound => {
            return Err(failed(error.to_string()));
        }
        _ => {}
    }
    let deleted = cluster.delete(target).await;
    deleted.map_err(|error| failed(error.to_string()))?;
    gone(cluster, clock, target).await.map_err(failed)
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
