//! The lists of kinds of a backup: checked, and what they come to. Pure.
//!
//! Two styles exist and do not mix: one pair of lists for all kinds (old), or
//! one pair for cluster-scoped and one for namespaced kinds (new).

use std::collections::BTreeSet;

use ark_api::BackupSpec;

use crate::policy::KindPolicy;
use crate::port::Discovery;
use crate::select::{IncludeExclude, KindRules, ResourceFilter};

/// The kinds that hold CSI snapshots. They enter a backup with the volume they
/// belong to, never by themselves, and the stored spec says so.
const SNAPSHOTS: &str = "volumesnapshots.snapshot.storage.k8s.io";
const SNAPSHOT_CONTENTS: &str = "volumesnapshotcontents.snapshot.storage.k8s.io";

/// One pair of lists, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lists {
    pub includes: Vec<String>,
    pub excludes: Vec<String>,
}

impl Lists {
    fn add(&mut self, includes: &[String], excludes: &[String]) {
        let own = self.clone();
        let new = |name: &&String| !own.includes.contains(name) && !own.excludes.contains(name);
        self.includes.extend(includes.iter().filter(new).cloned());
        self.excludes.extend(excludes.iter().filter(new).cloned());
    }
}

/// What decides about kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filters {
    Old {
        lists: Lists,
        cluster_resources: Option<bool>,
    },
    New {
        cluster: Lists,
        namespaced: Lists,
    },
}

impl Filters {
    /// The filters of a spec. What [`leave_out_snapshots`] wrote into it is
    /// taken off again: a list that only says what is always so says nothing.
    pub(super) fn of(spec: &BackupSpec) -> Self {
        let lists = |includes: &[String], excludes: &[String]| Lists {
            includes: includes.to_vec(),
            excludes: excludes
                .iter()
                .filter(|name| *name != SNAPSHOTS && *name != SNAPSHOT_CONTENTS)
                .cloned()
                .collect(),
        };
        if uses_old(spec) {
            return Self::Old {
                lists: lists(&spec.included_resources, &spec.excluded_resources),
                cluster_resources: spec.include_cluster_resources,
            };
        }
        Self::New {
            cluster: lists(
                &spec.included_cluster_scoped_resources,
                &spec.excluded_cluster_scoped_resources,
            ),
            namespaced: lists(
                &spec.included_namespace_scoped_resources,
                &spec.excluded_namespace_scoped_resources,
            ),
        }
    }

    /// Adds the kinds of a policy, but for those that the spec itself names in
    /// either list. Old filters know no scopes and stay as they are.
    pub(super) fn add(&mut self, policy: &KindPolicy) {
        if let Self::New {
            cluster,
            namespaced,
        } = self
        {
            cluster.add(
                &policy.included_cluster_scoped_resources,
                &policy.excluded_cluster_scoped_resources,
            );
            namespaced.add(
                &policy.included_namespace_scoped_resources,
                &policy.excluded_namespace_scoped_resources,
            );
        }
    }

    /// The rules for the kinds that a cluster serves.
    pub(super) fn rules(&self, discovery: &Discovery) -> KindRules {
        let resolve =
            |lists: &Lists| ResourceFilter::resolve(&lists.includes, &lists.excludes, discovery);
        match self {
            Self::Old {
                lists,
                cluster_resources,
            } => KindRules::Old {
                filter: resolve(lists),
                cluster_resources: *cluster_resources,
            },
            Self::New {
                cluster,
                namespaced,
            } => KindRules::New {
                cluster: resolve(cluster),
                cluster_included: !cluster.includes.is_empty(),
                namespaced: resolve(namespaced),
            },
        }
    }

    /// Groups that the include lists name, or `None` where they may mean any.
    pub(super) fn groups(&self, discovery: &Discovery) -> Option<BTreeSet<String>> {
        let names: Vec<&String> = match self {
            Self::Old { lists, .. } => lists.includes.iter().collect(),
            Self::New {
                cluster,
                namespaced,
            } => cluster
                .includes
                .iter()
                .chain(&namespaced.includes)
                .collect(),
        };
        if names.is_empty() || names.iter().any(|name| name.contains(['*', '?', '['])) {
            return None;
        }
        let group = |name: &&String| {
            let filter = ResourceFilter::resolve(std::slice::from_ref(*name), &[], discovery);
            let mut known = discovery.resources.iter();
            let found = known.find(|one| filter.allows(&one.group_resource()));
            // A bare name that nobody knows may be one of a group that did not answer.
            found
                .map(|one| one.group.clone())
                .or_else(|| name.split_once('.').map(|(_, group)| group.to_owned()))
        };
        names.iter().map(group).collect()
    }
}

pub(super) fn uses_old(spec: &BackupSpec) -> bool {
    !spec.included_resources.is_empty()
        || !spec.excluded_resources.is_empty()
        || spec.include_cluster_resources.is_some()
}

fn uses_new(spec: &BackupSpec) -> bool {
    !spec.included_cluster_scoped_resources.is_empty()
        || !spec.excluded_cluster_scoped_resources.is_empty()
        || !spec.included_namespace_scoped_resources.is_empty()
        || !spec.excluded_namespace_scoped_resources.is_empty()
}

/// Says in the spec that CSI snapshots are not collected by listing, as other
/// tools expect to read it there. Saying it again changes nothing.
pub(super) fn leave_out_snapshots(spec: &mut BackupSpec) {
    if uses_old(spec) && uses_new(spec) {
        return;
    }
    if uses_old(spec) {
        for name in [SNAPSHOTS, SNAPSHOT_CONTENTS] {
            leave_out(
                name,
                &mut spec.included_resources,
                &mut spec.excluded_resources,
            );
        }
        return;
    }
    leave_out(
        SNAPSHOT_CONTENTS,
        &mut spec.included_cluster_scoped_resources,
        &mut spec.excluded_cluster_scoped_resources,
    );
    leave_out(
        SNAPSHOTS,
        &mut spec.included_namespace_scoped_resources,
        &mut spec.excluded_namespace_scoped_resources,
    );
}

fn leave_out(name: &str, includes: &mut Vec<String>, excludes: &mut Vec<String>) {
    // A list that names nothing else must not become empty, for that means all;
    // and what leaves out everything needs no more words.
    if includes.iter().any(|one| one != name) {
        includes.retain(|one| one != name);
    }
    let said = |one: &String| one == name || one == "*";
    if !includes.iter().any(|one| one == name) && !excludes.iter().any(said) {
        excludes.push(name.to_owned());
    }
}

/// Adds a message for everything that is wrong with the lists.
pub(super) fn check(spec: &BackupSpec, messages: &mut Vec<String>) {
    if uses_old(spec) && uses_new(spec) {
        messages.push(
            "includedResources, excludedResources and includeClusterResources cannot be combined with \
             the lists for cluster-scoped and namespace-scoped resources: use one style"
                .to_owned(),
        );
    }
    let mut add = |name: &str, problems: Vec<String>| {
        messages.extend(problems.iter().map(|problem| format!("{name}: {problem}")));
    };
    let (includes, excludes) = (&spec.included_resources, &spec.excluded_resources);
    add("resources", problems(includes, excludes));
    add(
        "cluster-scoped resources",
        problems_by_scope(
            &spec.included_cluster_scoped_resources,
            &spec.excluded_cluster_scoped_resources,
        ),
    );
    add(
        "namespace-scoped resources",
        problems_by_scope(
            &spec.included_namespace_scoped_resources,
            &spec.excluded_namespace_scoped_resources,
        ),
    );
}

fn problems(includes: &[String], excludes: &[String]) -> Vec<String> {
    IncludeExclude::new(includes, excludes)
        .err()
        .unwrap_or_default()
}

/// A scope may be left out as a whole by `*`, and then nothing else is said of it.
fn problems_by_scope(includes: &[String], excludes: &[String]) -> Vec<String> {
    if *excludes != ["*"] {
        return problems(includes, excludes);
    }
    let mut found = problems(includes, &[]);
    if !includes.is_empty() {
        found.push("the list of excludes is `*`, so nothing can be included beside it".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: serde_json::Value) -> BackupSpec {
        serde_json::from_value(json).unwrap()
    }

    fn stored(json: serde_json::Value) -> serde_json::Value {
        let mut spec = spec(json);
        leave_out_snapshots(&mut spec);
        let once = serde_json::to_value(&spec).unwrap();
        leave_out_snapshots(&mut spec);
        assert_eq!(serde_json::to_value(&spec).unwrap(), once);
        once
    }

    #[test]
    fn the_stored_spec_says_that_snapshots_are_not_listed() {
        let json = serde_json::json!({});
        assert_eq!(
            stored(json.clone()),
            serde_json::json!({
                "excludedClusterScopedResources": [SNAPSHOT_CONTENTS],
                "excludedNamespaceScopedResources": [SNAPSHOTS],
            })
        );
        let mut said = spec(json.clone());
        leave_out_snapshots(&mut said);
        assert_eq!(
            Filters::of(&said),
            Filters::of(&spec(json)),
            "it says nothing new"
        );
        assert_eq!(
            stored(serde_json::json!({"includedResources": ["pods", SNAPSHOTS]})),
            serde_json::json!({
                "includedResources": ["pods"],
                "excludedResources": [SNAPSHOTS, SNAPSHOT_CONTENTS],
            })
        );
        assert_eq!(
            stored(serde_json::json!({"includedResources": [SNAPSHOTS]})),
            serde_json::json!({
                "includedResources": [SNAPSHOTS],
                "excludedResources": [SNAPSHOT_CONTENTS],
            }),
            "a list that becomes empty would mean everything"
        );
    }

    #[test]
    fn a_policy_adds_only_what_the_spec_does_not_name() {
        let own = spec(serde_json::json!({
            "includedNamespaceScopedResources": ["pods"],
            "excludedNamespaceScopedResources": ["events"],
        }));
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let policy = KindPolicy {
            included_namespace_scoped_resources: names(&["pods", "events", "secrets"]),
            excluded_namespace_scoped_resources: names(&["pods", "leases"]),
            excluded_cluster_scoped_resources: names(&["nodes"]),
            ..KindPolicy::default()
        };
        let mut filters = Filters::of(&own);
        filters.add(&policy);
        let lists = |includes: &[&str], excludes: &[&str]| Lists {
            includes: names(includes),
            excludes: names(excludes),
        };
        let expected = Filters::New {
            cluster: lists(&[], &["nodes"]),
            namespaced: lists(&["pods", "secrets"], &["events", "leases"]),
        };
        assert_eq!(filters, expected);
    }

    #[test]
    fn a_scope_is_left_out_as_a_whole_or_not_at_all() {
        let messages = |json| {
            let mut messages = Vec::new();
            check(&spec(json), &mut messages);
            messages
        };
        let whole = serde_json::json!({"excludedClusterScopedResources": ["*"]});
        assert_eq!(messages(whole), Vec::<String>::new());
        for bad in [
            serde_json::json!({"excludedClusterScopedResources": ["*"], "includedClusterScopedResources": ["a"]}),
            serde_json::json!({"excludedNamespaceScopedResources": ["*", "a"]}),
            serde_json::json!({"includedNamespaceScopedResources": ["*", "a"]}),
            serde_json::json!({"excludedResources": ["*"]}),
            serde_json::json!({"includeClusterResources": false, "excludedNamespaceScopedResources": ["a"]}),
            serde_json::json!({"includedResources": ["a"], "excludedResources": ["a"]}),
        ] {
            assert_eq!(messages(bad.clone()).len(), 1, "{bad}");
        }
    }
}
