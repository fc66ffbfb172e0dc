//! Namespaces that a policy chooses by label become names in the lists of the
//! spec, for everybody to see, as Velero's main writes them (pull request 10275).
//! Pure.

use ark_api::BackupSpec;

use crate::policy::{NamespaceLabels, NamespacePolicy, ResourcePolicies};
use crate::select::IncludeExclude;

/// A pattern that no namespace matches, since none begins with a hyphen. An empty
/// list would mean all of them; Velero writes the same pattern.
pub(super) const NOWHERE: &str = "[-]*";

/// Adds what the policy chooses to the lists. A list of includes that was left
/// open is replaced, one with names or patterns is added to, and `*` stays. Excludes
/// win, and a list that comes to nothing stays empty. Doing it again with the same
/// labels changes nothing.
pub(super) fn write(
    spec: &mut BackupSpec,
    left_open: bool,
    policy: &NamespacePolicy,
    labels: &NamespaceLabels,
) {
    let out = policy.excluded(labels);
    let new = |name: &&String| !spec.excluded_namespaces.contains(name);
    let added: Vec<String> = out.iter().filter(new).cloned().collect();
    spec.excluded_namespaces.extend(added.iter().cloned());
    let excludes = &spec.excluded_namespaces;
    let chosen = policy.included(labels);
    let includes = &mut spec.included_namespaces;
    if left_open && chosen.is_some() {
        includes.clear();
    }
    if includes.iter().any(|name| name == "*") {
        return;
    }
    // What the spec itself excludes, too, stays a mistake that is told.
    includes.retain(|name| name != NOWHERE && !added.contains(name));
    for name in chosen.unwrap_or_default() {
        if !includes.contains(&name) && !excludes.contains(&name) {
            includes.push(name);
        }
    }
    if includes.is_empty() {
        includes.push(NOWHERE.to_owned());
    }
}

/// What is worth a warning about the lists that came of it.
pub(super) fn warning(policies: &ResourcePolicies, lists: &IncludeExclude) -> Option<String> {
    let source = policies.source();
    if policies.namespaces.is_empty() {
        return None;
    }
    if lists.patterns().any(|glob| glob.as_str() == NOWHERE) {
        return Some(format!(
            "no namespace is backed up: what the backup and the includeExcludePolicy of ConfigMap \
             `{source}` include does not exist, or is excluded too"
        ));
    }
    (policies.namespaces.includes() && lists.includes_all()).then(|| {
        format!(
            "includedNamespacesByLabel of ConfigMap `{source}` changes nothing, because the backup \
             includes `*`, which is every namespace: leave its includedNamespaces out to choose by label"
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn policies(lists: &str) -> ResourcePolicies {
        let text = format!("version: v1\nincludeExcludePolicy: {lists}");
        ResourcePolicies::read("rules", &[("k".to_owned(), text)].into()).unwrap()
    }

    fn labels() -> NamespaceLabels {
        let one = |(name, team): (&str, &str)| {
            let labels = BTreeMap::from([("team".to_owned(), team.to_owned())]);
            (name.to_owned(), labels)
        };
        [("bank", "red"), ("shop", "blue"), ("shop-db", "blue")]
            .map(one)
            .into()
    }

    fn written(includes: &[&str], excludes: &[&str], lists: &str) -> (Vec<String>, Vec<String>) {
        let own = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let policies = policies(lists);
        let mut spec = BackupSpec {
            included_namespaces: own(if includes.is_empty() {
                &["*"]
            } else {
                includes
            }),
            excluded_namespaces: own(excludes),
            ..BackupSpec::default()
        };
        let labels = labels();
        write(
            &mut spec,
            includes.is_empty(),
            &policies.namespaces,
            &labels,
        );
        let once = spec.clone();
        write(&mut spec, false, &policies.namespaces, &labels);
        assert_eq!(spec, once, "said once");
        (spec.included_namespaces, spec.excluded_namespaces)
    }

    #[test]
    fn what_labels_choose_becomes_names_of_the_spec() {
        const BLUE: &str = "{includedNamespacesByLabel: ['team=blue']}";
        const NOT_BLUE: &str = "{excludedNamespacesByLabel: ['team=blue']}";
        const BOTH: &str =
            "{includedNamespacesByLabel: [team], excludedNamespacesByLabel: ['team=red']}";
        const AND: &str =
            "{includedNamespacesByLabel: [team, 'team!=red'], labelSelectorLogic: and}";
        const NONE: &str = "{includedNamespacesByLabel: ['team=green']}";
        type Names = &'static [&'static str];
        let table: &[(Names, Names, &str, Names, Names)] = &[
            (&[], &[], BLUE, &["shop", "shop-db"], &[]),
            (&[], &["shop"], BLUE, &["shop-db"], &["shop"]),
            (&["bank"], &[], BLUE, &["bank", "shop", "shop-db"], &[]),
            (&["b*"], &[], BLUE, &["b*", "shop", "shop-db"], &[]),
            (&["*"], &[], BLUE, &["*"], &[]),
            (&[], &[], NOT_BLUE, &["*"], &["shop", "shop-db"]),
            (
                &["shop", "bank"],
                &["x"],
                NOT_BLUE,
                &["bank"],
                &["x", "shop", "shop-db"],
            ),
            (&["shop"], &[], NOT_BLUE, &[NOWHERE], &["shop", "shop-db"]),
            (&[], &[], BOTH, &["shop", "shop-db"], &["bank"]),
            (&[], &[], AND, &["shop", "shop-db"], &[]),
            (&[], &[], NONE, &[NOWHERE], &[]),
            (&["bank"], &[], NONE, &["bank"], &[]),
            (&[NOWHERE], &[], BLUE, &["shop", "shop-db"], &[]),
        ];
        for (includes, excludes, lists, within, out) in table {
            let (found, left_out) = written(includes, excludes, lists);
            assert_eq!(found, *within, "{includes:?} {excludes:?} {lists}");
            assert_eq!(left_out, *out, "{includes:?} {excludes:?} {lists}");
        }
    }

    #[test]
    fn what_has_no_effect_and_what_leaves_nothing_is_warned_of() {
        let warned = |includes: &str, lists: &str| {
            let lists_of_spec = IncludeExclude::new(&[includes.to_owned()], &[]).unwrap();
            warning(&policies(lists), &lists_of_spec)
        };
        let found = [
            warned("*", "{includedNamespacesByLabel: [team]}"),
            warned(NOWHERE, "{includedNamespacesByLabel: [team]}"),
            warned("*", "{excludedNamespacesByLabel: [team]}"),
            warned("shop", "{includedNamespacesByLabel: [team]}"),
            warned("*", "{}"),
        ];
        insta::assert_yaml_snapshot!(found);
    }
}
