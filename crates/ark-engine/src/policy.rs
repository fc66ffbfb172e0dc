//! Resource policies: the document of a `ConfigMap` that a backup's
//! `resourcePolicy` names. Read strictly, decided purely.
//!
//! ```yaml
//! version: v1
//! volumePolicies:
//!   - conditions: {storageClass: [scratch], capacity: "0,10Gi"}
//!     action: {type: skip}
//! includeExcludePolicy:
//!   excludedNamespaceScopedResources: [events]
//!   includedNamespacesByLabel: ["team in (red, blue)"]
//! namespacedFilterPolicies:
//!   - namespaces: ["team-*"]
//!     resourceFilters:
//!       - {kinds: [ConfigMap], names: ["app-*"]}
//! ```
//!
//! The first rule decides whose conditions all hold. No client is here: who
//! validates hands the text in.

mod condition;
mod filter;
mod method;
mod namespace;
mod volume;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::UserMessageFormatter;

pub use filter::{FilterPolicies, ObjectFilters, Verdict};
pub use method::{Method, chosen_by_pod, decide};
pub use namespace::{NamespaceLabels, NamespacePolicy};
pub use volume::Volume;

use crate::select::IncludeExclude;
use condition::Conditions;

/// The one version there is.
const VERSION: &str = "v1";

/// What to do with volumes, and which kinds to add to the filters.
#[derive(Debug, Clone, Default)]
pub struct ResourcePolicies {
    source: String,
    rules: Vec<Rule>,
    /// Kinds to add to the filters of a backup.
    pub kinds: KindPolicy,
    /// Namespaces to choose by their labels.
    pub namespaces: NamespacePolicy,
    /// Filters for single namespaces and kinds.
    pub filters: FilterPolicies,
}

/// What a rule does with a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionType {
    /// Nothing is saved of its data.
    Skip,
    /// Its files are backed up.
    FsBackup,
    /// A snapshot is taken.
    Snapshot,
    /// Another program does what it wants.
    Custom,
}

/// The action of a rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    /// What to do.
    #[serde(rename = "type")]
    pub kind: ActionType,
    /// For another program; opaque to this one.
    #[serde(default)]
    pub parameters: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    conditions: Option<Conditions>,
    action: Action,
}

/// Kinds that a policy adds to the lists by scope of a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindPolicy {
    /// Cluster-scoped kinds to include.
    pub included_cluster_scoped_resources: Vec<String>,
    /// Cluster-scoped kinds to leave out.
    pub excluded_cluster_scoped_resources: Vec<String>,
    /// Namespaced kinds to include.
    pub included_namespace_scoped_resources: Vec<String>,
    /// Namespaced kinds to leave out.
    pub excluded_namespace_scoped_resources: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct IncludeExcludeText {
    included_cluster_scoped_resources: Vec<String>,
    excluded_cluster_scoped_resources: Vec<String>,
    included_namespace_scoped_resources: Vec<String>,
    excluded_namespace_scoped_resources: Vec<String>,
    included_namespaces_by_label: Vec<String>,
    excluded_namespaces_by_label: Vec<String>,
    label_selector_logic: String,
}

impl IncludeExcludeText {
    fn read(self, problems: &mut Vec<String>) -> (KindPolicy, NamespacePolicy) {
        let kinds = KindPolicy {
            included_cluster_scoped_resources: self.included_cluster_scoped_resources,
            excluded_cluster_scoped_resources: self.excluded_cluster_scoped_resources,
            included_namespace_scoped_resources: self.included_namespace_scoped_resources,
            excluded_namespace_scoped_resources: self.excluded_namespace_scoped_resources,
        };
        problems.extend(kinds.problems());
        let namespaces = NamespacePolicy::read(
            &self.included_namespaces_by_label,
            &self.excluded_namespaces_by_label,
            &self.label_selector_logic,
            problems,
        );
        (kinds, namespaces)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    version: String,
    #[serde(default)]
    volume_policies: Option<Vec<Rule>>,
    #[serde(default)]
    include_exclude_policy: Option<IncludeExcludeText>,
    #[serde(default)]
    namespaced_filter_policies: Option<Vec<filter::NamespacedText>>,
    #[serde(default)]
    cluster_scoped_filter_policy: Option<filter::ClusterText>,
}

impl ResourcePolicies {
    /// Reads the data of the `ConfigMap` called `name`; on failure says what is
    /// wrong and in which line.
    pub fn read(name: &str, data: &BTreeMap<String, String>) -> Result<Self, Vec<String>> {
        let mut entries = data.iter();
        let (Some((key, text)), None) = (entries.next(), entries.next()) else {
            let keys = data.len();
            return Err(vec![format!(
                "ConfigMap `{name}` has {keys} keys in its data; it must have exactly one"
            )]);
        };
        let at = |problem: String| format!("ConfigMap `{name}`, key `{key}`: {problem}");
        let document: Document = serde_saphyr::from_str(text).map_err(|error| {
            vec![at(error
                .without_snippet()
                .render_with_formatter(&UserMessageFormatter))]
        })?;
        let mut problems = Vec::new();
        if document.version != VERSION {
            problems.push(at(format!(
                "version is `{}`; the only one known is `{VERSION}`",
                document.version
            )));
        }
        let mut found = Vec::new();
        let lists = document.include_exclude_policy.unwrap_or_default();
        let (kinds, namespaces) = lists.read(&mut found);
        let filters = FilterPolicies::read(
            document.namespaced_filter_policies.unwrap_or_default(),
            document.cluster_scoped_filter_policy,
            &mut found,
        );
        problems.extend(found.into_iter().map(at));
        if problems.is_empty() {
            Ok(Self {
                source: name.to_owned(),
                rules: document.volume_policies.unwrap_or_default(),
                kinds,
                namespaces,
                filters,
            })
        } else {
            Err(problems)
        }
    }

    /// The number, from 1, and the action of the first rule that fits.
    pub fn rule_for(&self, volume: &Volume) -> Option<(usize, &Action)> {
        let fits = |rule: &&Rule| {
            let conditions = rule.conditions.as_ref();
            conditions.is_none_or(|conditions| conditions.hold(volume))
        };
        (1..)
            .zip(&self.rules)
            .find(|(_, rule)| fits(rule))
            .map(|(number, rule)| (number, &rule.action))
    }

    /// Whether any rule speaks of volumes.
    pub fn speaks_of_volumes(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Name of the `ConfigMap`.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl KindPolicy {
    /// Whether it adds nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn problems(&self) -> Vec<String> {
        let pairs = [
            (
                "cluster-scoped",
                &self.included_cluster_scoped_resources,
                &self.excluded_cluster_scoped_resources,
            ),
            (
                "namespace-scoped",
                &self.included_namespace_scoped_resources,
                &self.excluded_namespace_scoped_resources,
            ),
        ];
        let mut problems = Vec::new();
        for (scope, includes, excludes) in pairs {
            let all = |names: &[String]| names.iter().any(|name| name == "*");
            if all(includes) || all(excludes) {
                problems.push(format!(
                    "includeExcludePolicy: `*` is not allowed in the {scope} lists: name the kinds"
                ));
            } else if let Err(found) = IncludeExclude::new(includes, excludes) {
                let found = found.into_iter();
                problems.extend(found.map(|one| format!("includeExcludePolicy, {scope}: {one}")));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests;
