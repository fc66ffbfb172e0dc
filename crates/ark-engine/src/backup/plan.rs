//! What a backup will ask the cluster for: a value, made without a client.

use std::collections::{BTreeMap, BTreeSet};

use ark_api::label;

use super::by_label;
use super::ordered;
use super::validate::ValidatedBackup;
use crate::action::backup::Related;
use crate::hook::HookRules;
use crate::object::{Head, Object};
use crate::outcome::{Issue, Scope, Severity};
use crate::policy::{ObjectFilters, ResourcePolicies, Verdict};
use crate::port::{ApiResource, Discovery};
use crate::select::{Glob, IncludeExclude, Selection};

/// Verbs that a kind must offer to be worth saving: what can be listed can be
/// saved, and what can be created, read and deleted can be restored.
const NEEDED_VERBS: &[&str] = &["list", "create", "get", "delete"];

/// Kinds served by two groups: only the one met first is collected.
const COHABITING: &[(&str, [&str; 2])] = &[
    ("deployments", ["extensions", "apps"]),
    ("daemonsets", ["extensions", "apps"]),
    ("replicasets", ["extensions", "apps"]),
    ("networkpolicies", ["extensions", "networking.k8s.io"]),
    ("events", ["", "events.k8s.io"]),
];

/// The core kinds that come first, in this order.
const CORE_FIRST: &[&str] = &["pods", "persistentvolumeclaims", "persistentvolumes"];

/// Above this share of all namespaces, one list of a kind in all of them is
/// cheaper than a list in each.
const LIST_EACH_BELOW: usize = 4;

/// Which versions of a kind are saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Versions {
    /// The one that the server prefers.
    #[default]
    Preferred,
    /// Every one that the server serves (feature `EnableAPIGroupVersions`).
    All,
}

impl Versions {
    /// What a list of feature names asks for.
    pub fn of_features<T: AsRef<str>>(features: &[T]) -> Self {
        const FEATURE: &str = "EnableAPIGroupVersions";
        if features.iter().any(|name| name.as_ref() == FEATURE) {
            Self::All
        } else {
            Self::Preferred
        }
    }
}

/// What a backup will do, before it does anything.
#[derive(Debug, Clone)]
pub struct BackupPlan {
    /// Kinds to list, in order.
    pub kinds: Vec<PlannedKind>,
    /// Namespaces whose objects are wanted.
    pub namespaces: BTreeSet<String>,
    /// Namespaces to save although nothing in them may be selected.
    pub namespace_objects: BTreeSet<String>,
    /// Filters of the policies, for single namespaces and kinds.
    pub filters: ObjectFilters,
    /// Label selectors to list with; their union is wanted. With `filters` there is
    /// one list of everything, since each namespace may have selectors of its own.
    pub label_queries: Vec<Option<String>>,
    /// The rules, for objects that others refer to.
    pub selection: Selection,
    /// What to do with volumes.
    pub policies: ResourcePolicies,
    /// Which versions are saved.
    pub versions: Versions,
    /// Hooks of the spec.
    pub hooks: HookRules,
    /// What is known to be missing already.
    pub issues: Vec<Issue>,
}

/// One kind to list.
#[derive(Debug, Clone)]
pub struct PlannedKind {
    /// The kind.
    pub resource: ApiResource,
    /// Namespaces to list one by one; `None` is the whole cluster at once.
    pub scopes: Vec<Option<String>>,
    /// Whether the cluster's revision speaks of this kind.
    pub fenced: bool,
    /// Objects to keep before all others, by namespace and name.
    pub first: Vec<(Option<String>, String)>,
}

impl BackupPlan {
    /// Whether every object of `resource` in the wanted namespaces is listed
    /// anyway, so that nothing of it need be fetched by name.
    pub fn lists_all_of(&self, resource: &ApiResource) -> bool {
        self.filters.is_empty()
            && self.label_queries.iter().any(Option::is_none)
            && self.selection.collects(resource)
    }

    /// Whether an object that a list brought is wanted.
    pub fn wants(&self, resource: &ApiResource, head: &Head) -> bool {
        let namespace = head.namespace.as_deref();
        if !self.wants_namespace(namespace) {
            return false;
        }
        let kind = resource.group_resource();
        let labels = Some(&head.labels);
        match self.filters.judge(&kind, namespace, &head.name, labels) {
            Verdict::In => true,
            Verdict::Out => false,
            Verdict::Silent => self.selection.labels.matches(&head.labels),
        }
    }

    /// Whether an object that another one refers to is wanted: its labels do not
    /// matter.
    pub fn wants_related(&self, related: &Related) -> bool {
        let namespace = related.namespace.as_deref();
        let kind = related.group_resource.to_string();
        self.wants_namespace(namespace)
            && self.filters.judge(&kind, namespace, &related.name, None) != Verdict::Out
    }

    /// Whether objects in this namespace are wanted; cluster-scoped ones are.
    pub fn wants_namespace(&self, namespace: Option<&str>) -> bool {
        namespace.is_none_or(|namespace| self.namespaces.contains(namespace))
    }
}

/// Makes the plan from what the cluster serves and which namespaces it has.
pub fn plan(
    backup: &ValidatedBackup,
    discovery: &Discovery,
    namespaces: &[Object],
    versions: Versions,
) -> BackupPlan {
    let mut issues = Vec::new();
    let selection = Selection {
        namespaces: backup.namespaces.clone(),
        kinds: backup.filters.rules(discovery),
        labels: backup.labels.clone(),
    };
    let wanted = wanted_namespaces(&selection.namespaces, namespaces, &mut issues);
    let of_labels = by_label::warning(&backup.policies, &selection.namespaces);
    issues.extend(of_labels.map(|message| Issue::job(Severity::Warning, message)));
    let namespace_objects = namespace_objects(&selection, namespaces, &wanted);
    let explicit = backup.filters.groups(discovery);
    for failed in &discovery.failed {
        let group = failed
            .group_version
            .split_once('/')
            .map_or("", |(group, _)| group);
        if explicit
            .as_ref()
            .is_none_or(|groups| groups.contains(group))
        {
            issues.push(Issue::job(
                Severity::Error,
                format!(
                    "{}: the server could not say what it serves: {}",
                    failed.group_version, failed.reason
                ),
            ));
        }
    }
    let mut collected = ordered_kinds(discovery, versions);
    collected.retain(|resource| {
        resource.group_resource() != "namespaces" && selection.collects(resource)
    });
    let mut kinds = first_of_cohabiting(collected)
        .into_iter()
        .map(|resource| PlannedKind {
            scopes: scopes(&resource, &wanted, namespaces.len()),
            fenced: !discovery.aggregated_groups.contains(&resource.group),
            first: Vec::new(),
            resource,
        })
        .filter(|kind| !kind.scopes.is_empty())
        .collect::<Vec<_>>();
    ordered::place(&backup.ordered, discovery, &mut kinds, &mut issues);
    let filters = backup
        .policies
        .filters
        .resolve(discovery, wanted.iter().map(String::as_str));
    let label_queries = if filters.is_empty() {
        backup.labels.queries()
    } else {
        vec![None]
    };
    BackupPlan {
        kinds,
        namespaces: wanted,
        namespace_objects,
        filters,
        label_queries,
        selection,
        policies: backup.policies.clone(),
        versions,
        hooks: HookRules::new(&backup.backup.spec.hooks, discovery),
        issues,
    }
}

pub(super) fn wanted_namespaces(
    filter: &IncludeExclude,
    namespaces: &[Object],
    issues: &mut Vec<Issue>,
) -> BTreeSet<String> {
    let exists = |name: &str| {
        namespaces
            .iter()
            .any(|namespace| namespace.head().name == name)
    };
    for name in filter.names().filter(|name| !exists(name)) {
        issues.push(Issue {
            severity: Severity::Error,
            scope: Scope::Namespace(name.to_owned()),
            message: format!("namespace `{name}` is included by name but does not exist"),
        });
    }
    let matches = |glob: &&Glob| namespaces.iter().any(|n| glob.matches(&n.head().name));
    let patterns = filter.patterns().chain(filter.excluded_patterns());
    let meant = |glob: &&Glob| glob.as_str() != by_label::NOWHERE;
    for glob in patterns.filter(meant).filter(|glob| !matches(glob)) {
        issues.push(Issue::job(
            Severity::Warning,
            format!("`{}` matches no namespace", glob.as_str()),
        ));
    }
    namespaces
        .iter()
        .map(Object::head)
        .filter(|head| filter.allows(&head.name))
        // A namespace on its way out is meant by its name or by everything, not by a pattern.
        .filter(|head| !head.deleting || filter.includes_all() || filter.includes_name(&head.name))
        .filter(|head| {
            head.labels
                .get(label::EXCLUDE_FROM_BACKUP)
                .is_none_or(|v| v != "true")
        })
        .map(|head| head.name.clone())
        .collect()
}

/// Namespace objects that are saved for their own sake. Others follow the
/// objects in them.
fn namespace_objects(
    selection: &Selection,
    namespaces: &[Object],
    wanted: &BTreeSet<String>,
) -> BTreeSet<String> {
    let named = !selection.namespaces.is_everything();
    namespaces
        .iter()
        .map(Object::head)
        .filter(|head| wanted.contains(&head.name) && !head.deleting)
        .filter(|head| named || selection.labels.matches(&head.labels))
        .map(|head| head.name.clone())
        .collect()
}

/// Groups in the server's order with `extensions`
/// last, core kinds with pods, claims and volumes first.
fn ordered_kinds(discovery: &Discovery, versions: Versions) -> Vec<ApiResource> {
    let mut kinds: Vec<ApiResource> = discovery
        .resources
        .iter()
        .filter(|resource| resource.preferred || versions == Versions::All)
        .filter(|resource| NEEDED_VERBS.iter().all(|verb| resource.can(verb)))
        .cloned()
        .collect();
    kinds.sort_by_key(|resource| {
        let core = CORE_FIRST.iter().position(|name| *name == resource.plural);
        let core = core
            .filter(|_| resource.group.is_empty())
            .unwrap_or(CORE_FIRST.len());
        (
            resource.group == "extensions",
            !resource.group.is_empty(),
            core,
        )
    });
    kinds
}

/// Of kinds that two groups serve, the group that comes first among those the
/// filters let through.
fn first_of_cohabiting(mut kinds: Vec<ApiResource>) -> Vec<ApiResource> {
    let mut first_group: BTreeMap<&str, String> = BTreeMap::new();
    kinds.retain(|resource| {
        let cohabits = COHABITING.iter().find(|(plural, groups)| {
            *plural == resource.plural && groups.contains(&resource.group.as_str())
        });
        let Some((plural, _)) = cohabits else {
            return true;
        };
        let first = first_group
            .entry(plural)
            .or_insert_with(|| resource.group.clone());
        *first == resource.group
    });
    kinds
}

fn scopes(resource: &ApiResource, wanted: &BTreeSet<String>, all: usize) -> Vec<Option<String>> {
    if !resource.namespaced || wanted.len() * LIST_EACH_BELOW > all.max(LIST_EACH_BELOW) {
        return vec![None];
    }
    wanted.iter().cloned().map(Some).collect()
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
