//! Plans of whole backups: a snapshot, and what holds for every plan.

use std::collections::BTreeSet;

use ark_archive::{Limits, Spool};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::fixture::{discovery, key, pack, restore};
use super::*;

fn object(api_version: &str, namespace: Option<&str>, name: &str) -> Value {
    let mut object = json!({"apiVersion": api_version, "metadata": {"name": name}});
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}

fn spool(objects: &[(&str, Value)]) -> Spool {
    let (tarball, _) = pack(objects);
    Spool::build(&tarball[..], &std::env::temp_dir(), &Limits::default()).unwrap()
}

fn shop() -> Vec<(&'static str, Value)> {
    let crd = "customresourcedefinitions.apiextensions.k8s.io";
    vec![
        ("configmaps", object("v1", Some("shop"), "settings")),
        ("pods", object("v1", Some("shop"), "web-0")),
        ("deployments.apps", object("apps/v1", Some("shop"), "web")),
        ("services", object("v1", Some("shop"), "web")),
        (
            "widgets.example.com",
            object("example.com/v1", Some("shop"), "one"),
        ),
        (
            "gadgets.example.com",
            object("example.com/v1", Some("shop"), "two"),
        ),
        (
            crd,
            object("apiextensions.k8s.io/v1", None, "widgets.example.com"),
        ),
        ("namespaces", object("v1", None, "shop")),
        ("persistentvolumes", object("v1", None, "pv-1")),
        ("persistentvolumeclaims", object("v1", Some("shop"), "data")),
        ("configmaps", object("v1", Some("bank"), "settings")),
        ("nodes", object("v1", None, "n1")),
        ("secrets", object("v1", Some("shop"), "password")),
    ]
}

/// A plan as text, a line for each thing it says.
fn text(plan: &RestorePlan) -> Vec<String> {
    let mut lines = Vec::new();
    for wave in &plan.waves {
        for kind in &wave.kinds {
            let served = kind
                .served
                .iter()
                .map(ApiResource::api_version)
                .collect::<Vec<_>>()
                .join(",");
            for item in &kind.items {
                let key = item.source_key(&kind.group_resource);
                let target = item.target.as_deref().unwrap_or("-");
                lines.push(format!("{}: {key} -> {target} [{served}]", wave.name));
            }
        }
    }
    lines.extend(
        plan.namespaces
            .iter()
            .map(|(target, source)| format!("namespace {target} like {source}")),
    );
    lines.extend(
        plan.left_out
            .iter()
            .map(|(rule, count)| format!("left out {count}: {rule}")),
    );
    lines.extend(
        plan.unserved
            .iter()
            .map(|(kind, count)| format!("unserved {count}: {kind}")),
    );
    lines
}

#[test]
fn a_plan_names_every_object_and_every_reason() {
    let spool = spool(&shop());
    let everything = restore(&json!({"namespaceMapping": {"shop": "shop-2"}}));
    let all = plan(spool.iter(), &discovery(), &everything);
    let one = restore(&json!({"includedNamespaces": ["shop"], "excludedResources": ["secrets"]}));
    let shop = plan(spool.iter(), &discovery(), &one);
    insta::assert_yaml_snapshot!((text(&all), text(&shop)));
}

#[test]
fn kinds_whose_definitions_did_not_come_are_given_up() {
    let spool = spool(&shop());
    let mut plan = plan(spool.iter(), &discovery(), &restore(&json!({})));
    assert_eq!(
        plan.unserved.keys().collect::<Vec<_>>(),
        ["gadgets.example.com"]
    );
    let before = plan.total();
    plan.give_up_unserved();
    assert_eq!(
        plan.unserved.keys().collect::<Vec<_>>(),
        ["gadgets.example.com", "widgets.example.com"]
    );
    assert_eq!(plan.total(), before - 1);
}

const KINDS: &[(&str, &str, bool)] = &[
    ("configmaps", "v1", true),
    ("pods", "v1", true),
    ("persistentvolumeclaims", "v1", true),
    ("persistentvolumes", "v1", false),
    ("nodes", "v1", false),
    ("deployments.apps", "apps/v1", true),
    ("gadgets.example.com", "example.com/v1", true),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_object_is_planned_once_or_counted_once(
        objects in proptest::collection::btree_set((0..KINDS.len(), 0..3_usize, 0..4_usize), 0..24),
        chosen in 0..3_usize,
        cluster in proptest::option::of(any::<bool>()),
    ) {
        let objects: Vec<(&str, Value)> = objects
            .iter()
            .map(|(kind, namespace, name)| {
                let (kind, version, namespaced) = KINDS[*kind];
                let namespace = format!("ns-{namespace}");
                let name = if namespaced { format!("o-{name}") } else { format!("{namespace}-{name}") };
                (kind, object(version, namespaced.then_some(namespace.as_str()), &name))
            })
            .collect();
        let spec = json!({
            "includedNamespaces": [format!("ns-{chosen}")],
            "includeClusterResources": cluster,
            "namespaceMapping": {"ns-0": "elsewhere"},
        });
        let restore = restore(&spec);
        let spool = spool(&objects);
        let plan = plan(spool.iter(), &discovery(), &restore);

        let planned: Vec<ItemKey> = plan.keys().collect();
        let unique: BTreeSet<&ItemKey> = planned.iter().collect();
        prop_assert_eq!(unique.len(), planned.len());
        let left_out: u64 = plan.left_out.values().sum();
        let unserved: u64 = plan.unserved.values().sum();
        prop_assert_eq!(plan.total() + left_out + unserved, objects.len() as u64);
        let all: BTreeSet<ItemKey> = objects.iter().map(|(kind, object)| key(kind, object)).collect();
        prop_assert!(planned.iter().all(|key| all.contains(key)));

        let waves: Vec<usize> = plan
            .waves
            .iter()
            .flat_map(|wave| wave.kinds.iter().map(|kind| order::wave_of(&kind.group_resource)))
            .collect();
        prop_assert!(waves.is_sorted(), "kinds that are needed come first");
        for item in plan.waves.iter().flat_map(|wave| &wave.kinds).flat_map(|kind| &kind.items) {
            let expected = item.source.as_deref().map(|source| restore.mapping.target(source));
            prop_assert_eq!(item.target.as_deref(), expected);
            if let Some(target) = expected {
                prop_assert!(plan.namespaces.contains_key(target));
            }
        }
    }
}
