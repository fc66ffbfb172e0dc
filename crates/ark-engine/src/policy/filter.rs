//! Filters for single namespaces and single kinds: the sections
//! `namespacedFilterPolicies` and `clusterScopedFilterPolicy` of a policy, as in
//! Velero's main (issue 9448).
//!
//! In a namespace that a policy names, only kinds that it names are saved, and of
//! them only objects that its selectors and patterns admit; the backup's own
//! selector does not count there. A cluster-scoped kind that is named is narrowed,
//! every other one is as the backup says. Neither brings back what the backup
//! leaves out.

use std::collections::{BTreeMap, BTreeSet};

use ark_api::LabelSelector;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;
use serde::Deserialize;

use crate::port::Discovery;
use crate::select::{Glob, LabelFilter, ResourceFilter};

/// Both sections, read and checked.
#[derive(Debug, Clone, Default)]
pub struct FilterPolicies {
    namespaces: Vec<(Vec<Glob>, Vec<Entry>)>,
    cluster: Vec<Entry>,
}

/// One entry of `resourceFilters`.
#[derive(Debug, Clone)]
struct Entry {
    /// Kinds as written; `None` is every kind that no other entry names.
    kinds: Option<Vec<String>>,
    labels: LabelFilter,
    names: Vec<Glob>,
    excluded_names: Vec<Glob>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NamespacedText {
    namespaces: Vec<String>,
    #[serde(rename = "resourceFilters")]
    filters: Vec<EntryText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterText {
    #[serde(rename = "resourceFilters")]
    filters: Vec<EntryText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EntryText {
    #[serde(default)]
    kinds: Vec<String>,
    #[serde(default)]
    label_selector: Option<SelectorText>,
    #[serde(default)]
    or_label_selectors: Vec<SelectorText>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    excluded_names: Vec<String>,
}

/// A label selector, of which nothing is passed over.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SelectorText {
    #[serde(default)]
    match_labels: BTreeMap<String, String>,
    #[serde(default)]
    match_expressions: Vec<ExpressionText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpressionText {
    key: String,
    operator: String,
    #[serde(default)]
    values: Vec<String>,
}

impl SelectorText {
    fn selector(self) -> LabelSelector {
        let expressions = self.match_expressions.into_iter();
        let requirement = |one: ExpressionText| LabelSelectorRequirement {
            key: one.key,
            operator: one.operator,
            values: Some(one.values),
        };
        LabelSelector {
            match_labels: Some(self.match_labels),
            match_expressions: Some(expressions.map(requirement).collect()),
        }
    }
}

impl FilterPolicies {
    /// Checks both sections; notes everything that is wrong.
    pub(super) fn read(
        namespaced: Vec<NamespacedText>,
        cluster: Option<ClusterText>,
        problems: &mut Vec<String>,
    ) -> Self {
        let mut policies = Self::default();
        let mut named = BTreeSet::new();
        for (number, text) in namespaced.into_iter().enumerate() {
            let place = format!("namespacedFilterPolicies[{number}]");
            if text.namespaces.is_empty() {
                problems.push(format!("{place}: name at least one namespace"));
            }
            for pattern in &text.namespaces {
                if !named.insert(pattern.clone()) {
                    problems.push(format!("{place}: `{pattern}` is named twice"));
                }
            }
            let patterns = globs(&text.namespaces, &place, problems);
            let filters = entries(text.filters, &place, true, problems);
            policies.namespaces.push((patterns, filters));
        }
        if let Some(text) = cluster {
            policies.cluster = entries(text.filters, "clusterScopedFilterPolicy", false, problems);
        }
        policies
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty() && self.cluster.is_empty()
    }

    /// The filters for the kinds that a cluster serves and the namespaces it has.
    pub fn resolve<'n>(
        &self,
        discovery: &Discovery,
        namespaces: impl IntoIterator<Item = &'n str>,
    ) -> ObjectFilters {
        let resolved: Vec<Vec<Rule>> = self
            .namespaces
            .iter()
            .map(|(_, entries)| rules(entries, discovery))
            .collect();
        // An exact name comes before every pattern, whatever their order.
        let policy_of = |namespace: &str| {
            let by = |fits: &dyn Fn(&Glob) -> bool| {
                let mut policies = self.namespaces.iter();
                policies.position(|(globs, _)| globs.iter().any(fits))
            };
            by(&|glob| glob.literal() == Some(namespace))
                .or_else(|| by(&|glob| glob.matches(namespace)))
        };
        let namespaces = namespaces.into_iter();
        ObjectFilters {
            namespaces: namespaces
                .filter_map(|name| Some((name.to_owned(), resolved[policy_of(name)?].clone())))
                .collect(),
            cluster: rules(&self.cluster, discovery),
        }
    }
}

fn globs(patterns: &[String], place: &str, problems: &mut Vec<String>) -> Vec<Glob> {
    let read = |pattern: &String| match Glob::parse(pattern) {
        Ok(glob) => Some(glob),
        Err(error) => {
            problems.push(format!("{place}: {error}"));
            None
        }
    };
    patterns.iter().filter_map(read).collect()
}

fn entries(
    texts: Vec<EntryText>,
    place: &str,
    rest_allowed: bool,
    problems: &mut Vec<String>,
) -> Vec<Entry> {
    if texts.is_empty() {
        problems.push(format!("{place}: resourceFilters needs at least one entry"));
    }
    let mut named: BTreeSet<String> = BTreeSet::new();
    let mut rests = 0;
    let mut all = Vec::new();
    for (number, text) in texts.into_iter().enumerate() {
        let place = format!("{place}.resourceFilters[{number}]");
        let is_rest = text.kinds.is_empty() || text.kinds == ["*"];
        rests += usize::from(is_rest);
        if is_rest && !rest_allowed {
            problems.push(format!(
                "{place}: name the kinds; all others cannot be meant here"
            ));
        }
        if is_rest && rests > 1 {
            problems.push(format!(
                "{place}: another entry is for all other kinds already"
            ));
        }
        if is_rest && !(text.names.is_empty() && text.excluded_names.is_empty()) {
            problems.push(format!("{place}: names need kinds"));
        }
        for kind in text.kinds.iter().filter(|kind| *kind != "*") {
            if !named.insert(kind.to_lowercase()) {
                problems.push(format!(
                    "{place}: `{kind}` is named by another entry already"
                ));
            }
        }
        let any_of: Vec<LabelSelector> = text
            .or_label_selectors
            .into_iter()
            .map(SelectorText::selector)
            .collect();
        // An empty one says nothing.
        let one = text.label_selector.map(SelectorText::selector);
        let one = one.filter(|one| *one != SelectorText::default().selector());
        let labels = LabelFilter::new(one.as_ref(), Some(&any_of)).unwrap_or_else(|found| {
            problems.extend(found.into_iter().map(|one| format!("{place}: {one}")));
            LabelFilter::default()
        });
        all.push(Entry {
            kinds: (!is_rest).then_some(text.kinds),
            labels,
            names: globs(&text.names, &place, problems),
            excluded_names: globs(&text.excluded_names, &place, problems),
        });
    }
    all
}

/// The filters of a backup, for the kinds and namespaces of one cluster.
#[derive(Debug, Clone, Default)]
pub struct ObjectFilters {
    namespaces: BTreeMap<String, Vec<Rule>>,
    cluster: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    /// `None` for every kind that no other rule names.
    kinds: Option<ResourceFilter>,
    labels: LabelFilter,
    names: Vec<Glob>,
    excluded_names: Vec<Glob>,
}

fn rules(entries: &[Entry], discovery: &Discovery) -> Vec<Rule> {
    let rule = |entry: &Entry| Rule {
        kinds: entry
            .kinds
            .as_ref()
            .map(|kinds| ResourceFilter::resolve(kinds, &[], discovery)),
        labels: entry.labels.clone(),
        names: entry.names.clone(),
        excluded_names: entry.excluded_names.clone(),
    };
    entries.iter().map(rule).collect()
}

impl Rule {
    fn admits_name(&self, name: &str) -> bool {
        let one_of = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(name));
        (self.names.is_empty() || one_of(&self.names)) && !one_of(&self.excluded_names)
    }
}

/// What the filters say of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They do not speak of it: the backup decides.
    Silent,
    /// It is in, if its labels are looked at.
    In,
    /// It is out.
    Out,
}

impl ObjectFilters {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty() && self.cluster.is_empty()
    }

    /// What they say of an object of the kind `plural.group`. `labels` is `None` for
    /// one that another object brought, whose labels do not matter.
    pub fn judge(
        &self,
        kind: &str,
        namespace: Option<&str>,
        name: &str,
        labels: Option<&BTreeMap<String, String>>,
    ) -> Verdict {
        let rules = match namespace {
            None => &self.cluster,
            Some(namespace) => match self.namespaces.get(namespace) {
                Some(rules) => rules,
                None => return Verdict::Silent,
            },
        };
        let named = |rule: &&Rule| rule.kinds.as_ref().is_some_and(|kinds| kinds.allows(kind));
        let rest = |rule: &&Rule| rule.kinds.is_none();
        let mut all = rules.iter();
        let rule = all.clone().find(named).or_else(|| all.find(rest));
        match rule {
            Some(rule) => {
                let fits = labels.is_none_or(|labels| rule.labels.matches(labels));
                if fits && rule.admits_name(name) {
                    Verdict::In
                } else {
                    Verdict::Out
                }
            }
            None if namespace.is_some() => Verdict::Out,
            None => Verdict::Silent,
        }
    }
}

#[cfg(test)]
mod tests;
