//! Taking the objects of snapshots out of the cluster, and with [`Policy::Delete`] the
//! snapshots out of the storage system.
//!
//! A content is told what is to become of its snapshot before anything is deleted, so
//! that nothing depends on what its class says. What is leaving already has been told.

use ark_api::label;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::Value;

use super::body::{self, Policy};
use super::{Kinds, group, state};
use crate::object::Object;
use crate::port::{ApiResource, Cluster, ClusterError, ClusterErrorKind, ListQuery, Patch, Target};

/// Objects a page.
const PAGE: u32 = 500;
/// Snapshots that are cleared at the same time.
const AT_ONCE: usize = 10;

/// Clears everything that has a backup's UID; answers why some remain.
pub(crate) async fn all(
    cluster: &dyn Cluster,
    kinds: &Kinds,
    uid: &str,
    policy: Policy,
) -> Vec<String> {
    labelled(cluster, kinds, (label::BACKUP_UID, uid), policy).await
}

/// Clears everything with a label.
pub(crate) async fn labelled(
    cluster: &dyn Cluster,
    kinds: &Kinds,
    selector: (&str, &str),
    policy: Policy,
) -> Vec<String> {
    if selector.1.is_empty() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    if let Some(groups) = &kinds.groups {
        match list(cluster, &groups.groups, selector, policy).await {
            Ok(found) => {
                let cleared: Vec<_> = found
                    .iter()
                    .map(|one| group(cluster, groups, one, policy))
                    .collect();
                problems.extend(at_once(cleared).await);
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    match list(cluster, &kinds.snapshots, selector, policy).await {
        Ok(snapshots) => {
            let cleared = snapshots
                .iter()
                .map(|one| snapshot(cluster, kinds, one, policy));
            let cleared: Vec<_> = cleared.collect();
            problems.extend(at_once(cleared).await);
        }
        Err(error) => problems.push(error.to_string()),
    }
    // Those whose snapshots are gone, with their namespace perhaps.
    match list(cluster, &kinds.contents, selector, policy).await {
        Ok(contents) => {
            let names = contents.iter().map(|one| one.head().name.as_str());
            let cleared: Vec<_> = names
                .map(|name| content(cluster, kinds, name, policy))
                .collect();
            problems.extend(at_once(cleared).await);
        }
        Err(error) => problems.push(error.to_string()),
    }
    problems
}

async fn list(
    cluster: &dyn Cluster,
    resource: &ApiResource,
    (key, value): (&str, &str),
    policy: Policy,
) -> Result<Vec<Object>, ClusterError> {
    let query = ListQuery {
        resource: resource.clone(),
        namespace: None,
        label_selector: Some(label::selector(key, value)),
        field_selector: None,
        at: None,
    };
    let mut all = cluster.list_all(&query, PAGE).await?;
    // A snapshot that failed is on its way out together with what there is of it.
    all.retain(|one| policy == Policy::Delete || !one.head().deleting);
    Ok(all)
}

async fn at_once(work: Vec<impl Future<Output = Result<(), String>>>) -> Vec<String> {
    let ended = stream::iter(work).buffer_unordered(AT_ONCE);
    let failed = ended.filter_map(async |ended| ended.err());
    failed.collect().await
}

/// Clears one group, by namespace and name.
///
/// # Errors
/// Why it remains, as a sentence.
pub(crate) async fn one_group(
    cluster: &dyn Cluster,
    kinds: &group::Kinds,
    (namespace, name): (&str, &str),
    policy: Policy,
) -> Result<(), String> {
    let target = Target {
        resource: &kinds.groups,
        namespace: Some(namespace),
        name,
    };
    match cluster.get(target).await {
        Ok(Some(found)) => group(cluster, kinds, &found, policy).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// A group's members belong to it, and go with it.
async fn group(
    cluster: &dyn Cluster,
    kinds: &group::Kinds,
    group: &Object,
    policy: Policy,
) -> Result<(), String> {
    let value: Value = group.to_value().unwrap_or_default();
    let content = group::content_name(&value);
    let told = Patch::Merge(Bytes::from(group::leave(policy).to_string()));
    if let Some(name) = &content {
        let target = Target {
            resource: &kinds.contents,
            namespace: None,
            name,
        };
        match cluster.patch(target, told).await {
            Err(error) if error.kind != ClusterErrorKind::NotFound => return Err(error.to_string()),
            _ => {}
        }
    }
    let target = Target {
        resource: &kinds.groups,
        namespace: group.head().namespace.as_deref(),
        name: &group.head().name,
    };
    let deleted = cluster.delete(target).await;
    deleted.map_err(|error| error.to_string())?;
    if let Some(name) = &content {
        let target = Target {
            resource: &kinds.contents,
            namespace: None,
            name,
        };
        let deleted = cluster.delete(target).await;
        deleted.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Clears one snapshot, by namespace and name.
///
/// # Errors
/// Why it remains, as a sentence.
pub(crate) async fn one(
    cluster: &dyn Cluster,
    kinds: &Kinds,
    (namespace, name): (&str, &str),
    policy: Policy,
) -> Result<(), String> {
    let target = Target {
        resource: &kinds.snapshots,
        namespace: Some(namespace),
        name,
    };
    match cluster.get(target).await {
        Ok(Some(found)) => snapshot(cluster, kinds, &found, policy).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

async fn snapshot(
    cluster: &dyn Cluster,
    kinds: &Kinds,
    snapshot: &Object,
    policy: Policy,
) -> Result<(), String> {
    let value: Value = snapshot.to_value().unwrap_or_default();
    let content_name = state::content_name(&value);
    if let Some(content) = &content_name {
        told(cluster, kinds, content, policy).await?;
    }
    let target = Target {
        resource: &kinds.snapshots,
        namespace: snapshot.head().namespace.as_deref(),
        name: &snapshot.head().name,
    };
    let deleted = cluster.delete(target).await;
    deleted.map_err(|error| error.to_string())?;
    match &content_name {
        Some(name) => content(cluster, kinds, name, policy).await,
        None => Ok(()),
    }
}

/// Clears a content.
async fn content(
    cluster: &dyn Cluster,
    kinds: &Kinds,
    name: &str,
    policy: Policy,
) -> Result<(), String> {
    told(cluster, kinds, name, policy).await?;
    let deleted = cluster.delete(content_target(kinds, name)).await;
    deleted.map_err(|error| error.to_string())?;
    Ok(())
}

/// Tells a content what is to become of its snapshot; one that is gone needs nothing.
async fn told(
    cluster: &dyn Cluster,
    kinds: &Kinds,
    name: &str,
    policy: Policy,
) -> Result<(), String> {
    let patch = Patch::Merge(Bytes::from(body::leave(policy).to_string()));
    match cluster.patch(content_target(kinds, name), patch).await {
        Err(error) if error.kind != ClusterErrorKind::NotFound => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn content_target<'a>(kinds: &'a Kinds, name: &'a str) -> Target<'a> {
    Target {
        resource: &kinds.contents,
        namespace: None,
        name,
    }
}
