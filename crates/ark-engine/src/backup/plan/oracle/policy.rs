//! What the filter policies of a document say, read from its members as the
//! users' guide of Velero's main tells them.

use std::collections::BTreeMap;

use ark_api::BackupSpec;
use serde_json::{Value, json};

use super::{Kind, Place, Thing};

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn words(value: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    list(value).iter().map(word).collect()
}

/// An entry without kinds, or with `*` alone, is for the kinds that no other names.
fn is_rest(entry: &Value) -> bool {
    let kinds = words(&entry["kinds"]);
    kinds.is_empty() || kinds == ["*"]
}

/// A selector that asks for nothing is as good as none.
fn is_said(selector: &Value) -> bool {
    ["matchLabels", "matchExpressions"].iter().any(|part| {
        let part = &selector[part];
        part.as_object().is_some_and(|map| !map.is_empty()) || !list(part).is_empty()
    })
}

fn is_bad_selector(selector: &Value) -> bool {
    list(&selector["matchExpressions"]).iter().any(|one| {
        let valued = !words(&one["values"]).is_empty();
        match one["operator"].as_str().unwrap() {
            "In" | "NotIn" => !valued,
            "Exists" | "DoesNotExist" => valued,
            _ => true,
        }
    })
}

fn is_bad_entry(entry: &Value) -> bool {
    let any_of = list(&entry["orLabelSelectors"]);
    let named = words(&entry["names"]).len() + words(&entry["excludedNames"]).len() > 0;
    (is_rest(entry) && named)
        || (is_said(&entry["labelSelector"]) && !any_of.is_empty())
        || is_bad_selector(&entry["labelSelector"])
        || any_of.iter().any(is_bad_selector)
}

fn has_twice(mut words: Vec<String>) -> bool {
    words.sort();
    words.windows(2).any(|pair| pair[0] == pair[1])
}

fn are_bad_entries(entries: &[Value], rest_allowed: bool) -> bool {
    let rests = entries.iter().filter(|entry| is_rest(entry)).count();
    let kinds = entries.iter().filter(|entry| !is_rest(entry));
    let kinds = kinds.flat_map(|entry| words(&entry["kinds"]));
    entries.is_empty()
        || rests > usize::from(rest_allowed)
        || has_twice(kinds.map(|kind| kind.to_lowercase()).collect())
        || entries.iter().any(is_bad_entry)
}

/// Whether a backup with this spec and this document is refused for its policies.
pub(in crate::backup::plan) fn refuses(document: &Value, spec: &BackupSpec) -> bool {
    let policies = list(&document["namespacedFilterPolicies"]);
    let cluster = document.get("clusterScopedFilterPolicy");
    let patterns = policies.iter().flat_map(|one| words(&one["namespaces"]));
    let entries = |policy: &Value| list(&policy["resourceFilters"]);
    has_twice(patterns.collect())
        || policies
            .iter()
            .any(|one| words(&one["namespaces"]).is_empty())
        || policies
            .iter()
            .any(|one| are_bad_entries(&entries(one), true))
        || cluster.is_some_and(|one| are_bad_entries(&entries(one), false))
        || (super::is_old(spec) && (!policies.is_empty() || cluster.is_some()))
}

fn selects(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let mut wanted = selector["matchLabels"].as_object().into_iter().flatten();
    let mut asked = list(&selector["matchExpressions"]).into_iter();
    wanted.all(|(key, value)| labels.get(key).is_some_and(|label| value == label))
        && asked.all(|one| {
            let label = labels.get(one["key"].as_str().unwrap());
            let listed = label.is_some_and(|label| words(&one["values"]).contains(label));
            match one["operator"].as_str().unwrap() {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => label.is_some(),
                _ => label.is_none(),
            }
        })
}

fn admits(entry: &Value, name: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
    let one_of = |patterns: &Value| {
        let patterns = words(patterns);
        patterns.iter().any(|pattern| super::matches(pattern, name))
    };
    if one_of(&entry["excludedNames"]) {
        return false;
    }
    if !words(&entry["names"]).is_empty() && !one_of(&entry["names"]) {
        return false;
    }
    let Some(labels) = labels else {
        return true;
    };
    let any_of = list(&entry["orLabelSelectors"]);
    selects(&entry["labelSelector"], labels)
        && (any_of.is_empty() || any_of.iter().any(|one| selects(one, labels)))
}

/// The policy of a namespace: the one that names it, else the first with a pattern
/// for it.
fn policy_of(document: &Value, namespace: &str) -> Option<Value> {
    let policies = list(&document["namespacedFilterPolicies"]);
    let find = |fits: &dyn Fn(&String) -> bool| {
        let mut policies = policies.iter();
        policies.find(|one| words(&one["namespaces"]).iter().any(fits))
    };
    let named = find(&|name| name == namespace);
    let fitting = find(&|pattern| super::matches(pattern, namespace));
    named.or(fitting).cloned()
}

/// Whether an object of this name is in, or nothing if the backup's own selector
/// decides. Labels are those it has, or none if they do not matter.
pub(in crate::backup::plan) fn says(
    document: &Value,
    kinds: &[Kind],
    thing: &Thing,
    name: &str,
    with_labels: bool,
) -> Option<bool> {
    let entries = match thing.namespace {
        None => list(&document["clusterScopedFilterPolicy"]["resourceFilters"]),
        Some(namespace) => list(&policy_of(document, namespace)?["resourceFilters"]),
    };
    let kind = &kinds[thing.kind];
    let means = |entry: &&Value| {
        let kinds = words(&entry["kinds"]);
        !is_rest(entry) && kinds.iter().any(|name| super::means(name, kind))
    };
    let named = entries.iter().find(means);
    let rest = entries.iter().find(|entry| is_rest(entry));
    let Some(entry) = named.or(rest) else {
        return thing.namespace.map(|_| false);
    };
    let labels = thing.app.map(|app| ("app".to_owned(), app.to_owned()));
    let labels = labels.into_iter().collect();
    Some(admits(entry, name, with_labels.then_some(&labels)))
}

/// Whether an object gets into the backup by being listed.
pub(in crate::backup::plan) fn lists(
    (document, spec): (&Value, &BackupSpec),
    cluster: (&[Place], &[Kind]),
    thing: &Thing,
    name: &str,
) -> bool {
    let any_labels = BackupSpec {
        label_selector: None,
        or_label_selectors: Vec::new(),
        ..spec.clone()
    };
    let said = says(document, cluster.1, thing, name, true);
    super::lists(&any_labels, cluster, thing)
        && said.unwrap_or_else(|| super::label_matches(spec, thing.app))
}

/// Whether a selector fits a label `app`.
type Fits = fn(Option<&str>) -> bool;

/// Selectors for namespaces, and what they fit.
pub(in crate::backup::plan) const ASKED: &[(&str, Fits)] = &[
    ("app=web", |app| app == Some("web")),
    ("app != web", |app| app != Some("web")),
    ("app in (web, db)", |app| app.is_some()),
    ("app notin (db)", |app| app != Some("db")),
    ("app", |app| app.is_some()),
    ("!app", |app| app.is_none()),
    ("app,app!=db", |app| app == Some("web")),
    ("app=other", |_| false),
];

/// Whether the labels of a namespace put it on a list of selectors.
fn is_listed(policy: &Value, list: &str, place: &Place) -> bool {
    let fits = |text: &String| {
        let (_, fits) = ASKED.iter().find(|(asked, _)| asked == text).unwrap();
        fits(place.app)
    };
    let selectors = words(&policy[list]);
    match policy["labelSelectorLogic"].as_str() {
        Some("AND" | "and") => !selectors.is_empty() && selectors.iter().all(fits),
        _ => selectors.iter().any(fits),
    }
}

/// Whether objects of this namespace are wanted.
pub(in crate::backup::plan) fn wants_place(
    policy: &Value,
    spec: &BackupSpec,
    place: &Place,
) -> bool {
    let all = BackupSpec {
        included_namespaces: Vec::new(),
        ..spec.clone()
    };
    let chosen = is_listed(policy, "includedNamespacesByLabel", place);
    let by_label = chosen && super::wants_place(&all, place);
    let chooses = !words(&policy["includedNamespacesByLabel"]).is_empty();
    let by_name = super::wants_place(spec, place);
    let within = match (chooses, spec.included_namespaces.is_empty()) {
        (false, _) => by_name,
        (true, true) => by_label,
        (true, false) => by_name || by_label,
    };
    within && !is_listed(policy, "excludedNamespacesByLabel", place)
}

/// Whether a namespace's own object is saved although nothing of it may be.
pub(in crate::backup::plan) fn saves_place(
    policy: &Value,
    spec: &BackupSpec,
    places: &[Place],
    place: &Place,
) -> bool {
    let left_open = spec.included_namespaces.is_empty();
    let chooses = !words(&policy["includedNamespacesByLabel"]).is_empty();
    let leaves_out = |place: &Place| is_listed(policy, "excludedNamespacesByLabel", place);
    let everything = super::all_places(spec, places)
        && !(chooses && left_open)
        && !places.iter().any(leaves_out);
    wants_place(policy, spec, place)
        && !place.ending
        && (!everything || super::label_matches(spec, place.app))
}

/// Whether a backup with this spec is refused for the policy.
pub(in crate::backup::plan) fn refuses_by_label(policy: &Value, spec: &BackupSpec) -> bool {
    let lists = ["includedNamespacesByLabel", "excludedNamespacesByLabel"];
    super::is_old(spec) && lists.iter().any(|list| !words(&policy[list]).is_empty())
}

/// A document without any policy.
pub(in crate::backup::plan) fn silent() -> Value {
    json!({"version": "v1"})
}
