//! Objects that others refer to and no list brought: fetched by name, at the
//! same revision as everything else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ark_archive::GroupResource;
use futures::{StreamExt as _, stream};

use super::BackupError;
use super::keep::Keeper;
use crate::action::backup::{self as action, Related};
use crate::object::Object;
use crate::outcome::{Issue, Scope, Severity};
use crate::port::{ApiResource, Cluster, ClusterError, ListQuery, Revision};

/// Above this many objects of one kind, one list of the kind is cheaper.
const FETCH_EACH_BELOW: usize = 20;
/// Fetches by name at the same time.
const FETCHES: usize = 8;
/// Objects a page when a whole kind is searched.
const PAGE: u32 = 200;

const RBAC: &str = "rbac.authorization.k8s.io";
const DEFINITIONS: (&str, &str) = ("customresourcedefinitions", "apiextensions.k8s.io");

/// Follows references until nothing new turns up, then adds definitions and
/// namespaces.
pub(super) async fn follow(
    keeper: &mut Keeper<'_>,
    at: Option<&Revision>,
) -> Result<(), BackupError> {
    roles_of_accounts(keeper, at).await?;
    loop {
        let wanted = keeper.take_wanted();
        if wanted.is_empty() {
            break;
        }
        fetch(keeper, at, wanted, true).await?;
    }
    definitions(keeper, at).await?;
    namespaces(keeper, at).await
}

/// Cluster roles and bindings of kept service accounts: one pass over the
/// bindings, however many accounts there are.
async fn roles_of_accounts(
    keeper: &mut Keeper<'_>,
    at: Option<&Revision>,
) -> Result<(), BackupError> {
    if keeper.accounts.is_empty() {
        return Ok(());
    }
    let Some(resource) = keeper.discovery.preferred("clusterrolebindings", RBAC) else {
        return Ok(());
    };
    let resource = resource.clone();
    let accounts = std::mem::take(&mut keeper.accounts);
    let cluster = Arc::clone(&keeper.job.ports.cluster);
    let mut pages = Pages::new(cluster, &resource, at);
    loop {
        match pages.next().await {
            Ok(Some(items)) => {
                for object in items {
                    for related in action::roles_bound_to(&object.to_value()?, &accounts) {
                        keeper.want(related);
                    }
                }
            }
            Ok(None) => return Ok(()),
            Err(error) => {
                let message = format!("roles of service accounts are missing: {error}");
                keeper.job.issue(Issue {
                    severity: Severity::Error,
                    scope: Scope::Cluster,
                    message,
                });
                return Ok(());
            }
        }
    }
}

/// The definition of every kind of which something was kept.
async fn definitions(keeper: &mut Keeper<'_>, at: Option<&Revision>) -> Result<(), BackupError> {
    if !keeper.plan.selection.definitions_follow() {
        return Ok(());
    }
    let (plural, group) = DEFINITIONS;
    let kinds = std::mem::take(&mut keeper.kinds);
    for kind in kinds.iter().filter(|kind| kind.contains('.')) {
        let group_resource = GroupResource {
            resource: plural.into(),
            group: group.into(),
        };
        keeper.want(Related {
            group_resource,
            namespace: None,
            name: kind.clone(),
        });
    }
    let wanted = keeper.take_wanted();
    // Most kinds are built in and have no definition: absence is no news.
    fetch(keeper, at, wanted, false).await
}

/// The namespace objects themselves; no filter of kinds leaves them out.
async fn namespaces(keeper: &mut Keeper<'_>, at: Option<&Revision>) -> Result<(), BackupError> {
    let names = std::mem::take(&mut keeper.namespaces);
    let group_resource = GroupResource {
        resource: "namespaces".into(),
        group: String::new(),
    };
    let wanted = names
        .into_iter()
        .chain(keeper.plan.namespace_objects.iter().cloned())
        .map(|name| Related {
            group_resource: group_resource.clone(),
            namespace: None,
            name,
        });
    let wanted: BTreeSet<Related> = wanted.collect();
    fetch(keeper, at, wanted, false).await
}

async fn fetch(
    keeper: &mut Keeper<'_>,
    at: Option<&Revision>,
    wanted: BTreeSet<Related>,
    warn_missing: bool,
) -> Result<(), BackupError> {
    let mut by_kind: BTreeMap<GroupResource, BTreeSet<Related>> = BTreeMap::new();
    for related in wanted {
        by_kind
            .entry(related.group_resource.clone())
            .or_default()
            .insert(related);
    }
    for (kind, related) in by_kind {
        let Some(resource) = keeper
            .discovery
            .preferred(&kind.resource, &kind.group)
            .cloned()
        else {
            continue;
        };
        let is_namespace = kind.group.is_empty() && kind.resource == "namespaces";
        let is_definition = (kind.resource.as_str(), kind.group.as_str()) == DEFINITIONS;
        if !(is_namespace || is_definition || keeper.plan.selection.admits(&resource)) {
            continue;
        }
        let related: BTreeSet<Related> = related
            .into_iter()
            .filter(|one| is_namespace || is_definition || keeper.plan.wants_related(one))
            .collect();
        let missing = if related.len() > FETCH_EACH_BELOW {
            search(keeper, at, &resource, related).await?
        } else {
            fetch_each(keeper, at, &resource, related).await?
        };
        for one in missing.into_iter().filter(|_| warn_missing) {
            let namespace = one.namespace.map(|n| format!("{n}/")).unwrap_or_default();
            let message = format!(
                "{} {namespace}{}: another object refers to it, but it does not exist",
                one.group_resource, one.name
            );
            keeper.job.warn(message);
        }
    }
    Ok(())
}

/// Few objects: one exact list each, so that the fence holds for them too.
async fn fetch_each(
    keeper: &mut Keeper<'_>,
    at: Option<&Revision>,
    resource: &ApiResource,
    wanted: BTreeSet<Related>,
) -> Result<Vec<Related>, BackupError> {
    let cluster = Arc::clone(&keeper.job.ports.cluster);
    let fetches = wanted.into_iter().map(|related| {
        let cluster = Arc::clone(&cluster);
        let query = ListQuery {
            resource: resource.clone(),
            namespace: related.namespace.clone(),
            label_selector: None,
            field_selector: Some(format!("metadata.name={}", related.name)),
            at: at.cloned(),
        };
        async move { (related, cluster.list(&query, None, 1).await) }
    });
    let answers: Vec<_> = stream::iter(fetches).buffered(FETCHES).collect().await;
    let mut missing = Vec::new();
    for (related, answer) in answers {
        match answer.map(|page| page.items.into_iter().next()) {
            Ok(Some(object)) => keeper.keep(resource, object).await?,
            Ok(None) => missing.push(related),
            Err(error) => keeper.job.issue(not_read(&related, &error)),
        }
    }
    Ok(missing)
}

/// Many objects: one pass over the kind, keeping those that are wanted.
async fn search(
    keeper: &mut Keeper<'_>,
    at: Option<&Revision>,
    resource: &ApiResource,
    mut wanted: BTreeSet<Related>,
) -> Result<Vec<Related>, BackupError> {
    let mut pages = Pages::new(Arc::clone(&keeper.job.ports.cluster), resource, at);
    loop {
        let items = match pages.next().await {
            Ok(Some(items)) => items,
            Ok(None) => return Ok(wanted.into_iter().collect()),
            Err(error) => {
                for related in &wanted {
                    keeper.job.issue(not_read(related, &error));
                }
                return Ok(Vec::new());
            }
        };
        for object in items {
            let head = object.head();
            let related = Related {
                group_resource: GroupResource {
                    resource: resource.plural.clone(),
                    group: resource.group.clone(),
                },
                namespace: head.namespace.clone(),
                name: head.name.clone(),
            };
            if wanted.remove(&related) {
                keeper.keep(resource, object).await?;
            }
        }
    }
}

fn not_read(related: &Related, error: &ClusterError) -> Issue {
    let scope = related
        .namespace
        .clone()
        .map_or(Scope::Cluster, Scope::Namespace);
    Issue {
        severity: Severity::Error,
        scope,
        message: error.to_string(),
    }
}

/// The pages of one kind in the whole cluster.
struct Pages {
    cluster: Arc<dyn Cluster>,
    query: ListQuery,
    token: Option<String>,
    done: bool,
}

impl Pages {
    fn new(cluster: Arc<dyn Cluster>, resource: &ApiResource, at: Option<&Revision>) -> Self {
        let query = ListQuery {
            resource: resource.clone(),
            namespace: None,
            label_selector: None,
            field_selector: None,
            at: at.cloned(),
        };
        Self {
            cluster,
            query,
            token: None,
            done: false,
        }
    }

    async fn next(&mut self) -> Result<Option<Vec<Object>>, ClusterError> {
        if self.done {
            return Ok(None);
        }
        let page = self
            .cluster
            .list(&self.query, self.token.as_deref(), PAGE)
            .await?;
        self.done = page.next.is_none();
        self.token = page.next;
        Ok(Some(page.items))
    }
}
