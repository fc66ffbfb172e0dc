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

/// An object and its content: snapshots, or groups of them, which are cleared alike. The
/// members of a group belong to it and go with it.
#[derive(Clone, Copy)]
struct Pair<'a> {
    objects: &'a ApiResource,
    contents: &'a ApiResource,
    content_name: fn(&Value) -> Option<String>,
    leave: fn(Policy) -> Value,
}

impl<'a> Pair<'a> {
    fn single(kinds: &'a Kinds) -> Self {
        Self {
            objects: &kinds.snapshots,
            contents: &kinds.contents,
            content_name: state::content_name,
            leave: body::leave,
        }
    }

    fn group(kinds: &'a group::Kinds) -> Self {
        Self {
            objects: &kinds.groups,
            contents: &kinds.contents,
            content_name: group::content_name,
            leave: group::leave,
        }
    }
}

/// Clears everything that has a backup's UID; answers why some remain.
pub(crate) async fn all(
    cluster: &dyn Cluster,
    kinds: &Kinds,
    uid: &str,
    policy: Policy,
) -> Vec<String> {
    let mut problems = Vec::new();
    if uid.is_empty() {
        return problems;
    }
    let groups = kinds.groups.as_ref().map(Pair::group);
    for pair in groups.into_iter().chain([Pair::single(kinds)]) {
        match list(cluster, pair.objects, uid, policy).await {
            Ok(found) => {
                let cleared = found.iter().map(|one| object(cluster, pair, one, policy));
                problems.extend(at_once(cleared.collect()).await);
            }
            Err(error) => problems.push(error.to_string()),
        }
        // Those whose snapshots are gone, with their namespace perhaps.
        match list(cluster, pair.contents, uid, policy).await {
            Ok(found) => {
                let names = found.iter().map(|one| one.head().name.as_str());
                let cleared = names.map(|name| content(cluster, pair, name, policy));
                problems.extend(at_once(cleared.collect()).await);
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    problems
}

async fn list(
    cluster: &dyn Cluster,
    resource: &ApiResource,
    uid: &str,
    policy: Policy,
) -> Result<Vec<Object>, ClusterError> {
    let query = ListQuery {
        label_selector: Some(label::selector(label::BACKUP_UID, uid)),
        ..ListQuery::all(resource.clone())
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
    name: (&str, &str),
    policy: Policy,
) -> Result<(), String> {
    named(cluster, Pair::group(kinds), name, policy).await
}

/// Clears one snapshot, by namespace and name.
///
/// # Errors
/// Why it remains, as a sentence.
pub(crate) async fn one(
    cluster: &dyn Cluster,
    kinds: &Kinds,
    name: (&str, &str),
    policy: Policy,
) -> Result<(), String> {
    named(cluster, Pair::single(kinds), name, policy).await
}

async fn named(
    cluster: &dyn Cluster,
    pair: Pair<'_>,
    (namespace, name): (&str, &str),
    policy: Policy,
) -> Result<(), String> {
    let target = Target {
        resource: pair.objects,
        namespace: Some(namespace),
        name,
    };
    match cluster.get(target).await {
        Ok(Some(found)) => object(cluster, pair, &found, policy).await,
        Ok(None) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

async fn object(
    cluster: &dyn Cluster,
    pair: Pair<'_>,
    object: &Object,
    policy: Policy,
) -> Result<(), String> {
    let value: Value = object.to_value().unwrap_or_default();
    let content_name = (pair.content_name)(&value);
    if let Some(name) = &content_name {
        told(cluster, pair, name, policy).await?;
    }
    let target = Target {
        resource: pair.objects,
        namespace: object.head().namespace.as_deref(),
        name: &object.head().name,
    };
    let deleted = cluster.delete(target).await;
    deleted.map_err(|error| error.to_string())?;
    match &content_name {
        Some(name) => content(cluster, pair, name, policy).await,
        None => Ok(()),
    }
}

async fn content(
    cluster: &dyn Cluster,
    pair: Pair<'_>,
    name: &str,
    policy: Policy,
) -> Result<(), String> {
    told(cluster, pair, name, policy).await?;
    let deleted = cluster.delete(target(pair, name)).await;
    deleted.map(drop).map_err(|error| error.to_string())
}

/// Tells a content what is to become of its snapshot; one that is gone needs nothing.
async fn told(
    cluster: &dyn Cluster,
    pair: Pair<'_>,
    name: &str,
    policy: Policy,
) -> Result<(), String> {
    let patch = Patch::Merge(Bytes::from((pair.leave)(policy).to_string()));
    match cluster.patch(target(pair, name), patch).await {
        Err(error) if error.kind != ClusterErrorKind::NotFound => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn target<'a>(pair: Pair<'a>, name: &'a str) -> Target<'a> {
    Target {
        resource: pair.contents,
        namespace: None,
        name,
    }
}
