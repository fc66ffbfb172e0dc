//! What the server serves, asked afresh, tolerating groups that fail.
//!
//! Two aggregated calls name nearly everything. A group-version that the server
//! marks stale, or that an `APIService` registers but the aggregated answer
//! lacks, is asked by itself; what then fails is reported as a failed group and
//! costs nothing else.

use std::collections::{BTreeSet, HashSet};

use ark_engine::port::{ApiResource, ClusterError, ClusterErrorKind, Discovery, FailedGroup};
use futures::StreamExt as _;

use crate::call::{Call, JSON};
use crate::cluster::parse;
use crate::connect::Connection;

mod wire;
use wire::{ApiServices, GroupDiscoveryList, PlainGroups, PlainResources, PlainVersions};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
                          application/json";
/// Group-versions asked one by one at the same time.
const AT_ONCE: usize = 8;

/// A group-version and what is known of it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    group: String,
    version: String,
    preferred: bool,
    /// `None`: it must be asked by itself.
    resources: Option<Vec<ApiResource>>,
}

impl Entry {
    fn group_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

pub(crate) async fn discover(connection: &Connection) -> Result<Discovery, ClusterError> {
    let (core, groups, services) = futures::join!(
        root(connection, "/api"),
        root(connection, "/apis"),
        api_services(connection),
    );
    let mut entries = core?;
    entries.extend(groups?);
    let services = services?;
    add_registered(&mut entries, &services);
    let remote: HashSet<String> = services
        .iter()
        .filter(|s| s.remote)
        .map(Service::key)
        .collect();
    let aggregated_groups: BTreeSet<String> = services
        .iter()
        .filter(|service| service.remote)
        .map(|service| service.group.clone())
        .collect();

    let mut discovery = Discovery {
        aggregated_groups: aggregated_groups.into_iter().collect(),
        ..Discovery::default()
    };
    let mut answers = futures::stream::iter(entries)
        .map(|entry| complete(connection, entry))
        .buffered(AT_ONCE);
    while let Some((entry, answer)) = answers.next().await {
        match answer {
            Ok(resources) => discovery.resources.extend(resources),
            // A local group that is registered but not served has no objects.
            Err(error)
                if error.kind == ClusterErrorKind::NotFound
                    && !remote.contains(&entry.group_version()) => {}
            Err(error) => discovery.failed.push(FailedGroup {
                group_version: entry.group_version(),
                reason: error.message,
            }),
        }
    }
    prefer_each(&mut discovery.resources);
    Ok(discovery)
}

/// A kind that the preferred version of its group lacks is preferred in the
/// first version that has it: no kind is without.
fn prefer_each(resources: &mut [ApiResource]) {
    let key = |one: &ApiResource| (one.group.clone(), one.plural.clone());
    let mut settled: HashSet<_> = resources
        .iter()
        .filter(|resource| resource.preferred)
        .map(key)
        .collect();
    for resource in resources {
        if settled.insert(key(resource)) {
            resource.preferred = true;
        }
    }
}

async fn complete(
    connection: &Connection,
    mut entry: Entry,
) -> (Entry, Result<Vec<ApiResource>, ClusterError>) {
    if let Some(resources) = entry.resources.take() {
        return (entry, Ok(resources));
    }
    let group_version = entry.group_version();
    let root = if entry.group.is_empty() {
        "/api"
    } else {
        "/apis"
    };
    let call = Call::get(
        format!("{root}/{group_version}"),
        format!("discover {group_version}"),
    );
    let resources = match connection.call_once(&call).await {
        Ok(body) => parse::<PlainResources>(&call.operation, &body)
            .map(|list| list.resources(&entry.group, &entry.version, entry.preferred)),
        Err(error) => Err(error),
    };
    (entry, resources)
}

/// `/api` or `/apis`, aggregated where the server can, else a list of groups to ask.
async fn root(connection: &Connection, path: &str) -> Result<Vec<Entry>, ClusterError> {
    let call = Call::bulk(path.to_owned(), format!("discover {path}")).accept(AGGREGATED);
    let body = connection.call(&call).await?;
    entries(&call.operation, &body)
}

fn entries(operation: &str, body: &[u8]) -> Result<Vec<Entry>, ClusterError> {
    match parse::<wire::Kind>(operation, body)?.kind.as_str() {
        "APIGroupDiscoveryList" => {
            parse::<GroupDiscoveryList>(operation, body).map(GroupDiscoveryList::entries)
        }
        "APIVersions" => parse::<PlainVersions>(operation, body).map(PlainVersions::entries),
        _ => parse::<PlainGroups>(operation, body).map(PlainGroups::entries),
    }
}

/// One `APIService`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Service {
    group: String,
    version: String,
    /// Whether another server answers for it.
    remote: bool,
}

impl Service {
    fn key(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// Empty where the caller may not list them, or the server has none.
async fn api_services(connection: &Connection) -> Result<Vec<Service>, ClusterError> {
    let call = Call::bulk(
        "/apis/apiregistration.k8s.io/v1/apiservices".to_owned(),
        "list apiservices.apiregistration.k8s.io".to_owned(),
    )
    .accept(JSON);
    match connection.call(&call).await {
        Ok(body) => parse::<ApiServices>(&call.operation, &body).map(ApiServices::services),
        Err(error)
            if matches!(
                error.kind,
                ClusterErrorKind::Forbidden | ClusterErrorKind::NotFound
            ) =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// Adds group-versions that are registered but missing: new definitions reach
/// the aggregated answer a moment later than they are served.
fn add_registered(entries: &mut Vec<Entry>, services: &[Service]) {
    for service in services {
        let known = |e: &Entry| e.group == service.group && e.version == service.version;
        if entries.iter().any(known) {
            continue;
        }
        let after = entries.iter().rposition(|e| e.group == service.group);
        let entry = Entry {
            group: service.group.clone(),
            version: service.version.clone(),
            preferred: after.is_none(),
            resources: None,
        };
        match after {
            Some(last) => entries.insert(last + 1, entry),
            None => entries.push(entry),
        }
    }
}

#[cfg(test)]
mod tests;
