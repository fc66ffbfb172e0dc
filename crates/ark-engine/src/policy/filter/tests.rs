//! Documents of Velero's users' guide, and what they decide.

use super::super::ResourcePolicies;
use super::*;
use crate::port::ApiResource;

fn read(text: &str) -> Result<ResourcePolicies, Vec<String>> {
    let text = format!("version: v1\n{text}");
    ResourcePolicies::read("rules", &BTreeMap::from([("policy".to_owned(), text)]))
}

fn filters(text: &str) -> ObjectFilters {
    let discovery = Discovery {
        resources: vec![
            ApiResource::v1("", "configmaps", "ConfigMap", true),
            ApiResource::v1("", "secrets", "Secret", true),
            ApiResource::v1("apps", "deployments", "Deployment", true),
            ApiResource::v1("storage.k8s.io", "storageclasses", "StorageClass", false),
        ],
        ..Discovery::default()
    };
    let namespaces = [
        "prod",
        "team-front-prod",
        "team-front-dev",
        "team-back",
        "other",
    ];
    read(text).unwrap().filters.resolve(&discovery, namespaces)
}

fn labels(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn names_and_excluded_names_decide_and_other_kinds_are_out() {
    let filters = filters(
        "namespacedFilterPolicies:\n- namespaces: [prod]\n  resourceFilters:\n  \
         - {kinds: [ConfigMap, secrets], names: ['app-*'], excludedNames: ['*-tmp', '*-debug-*']}",
    );
    let judge = |kind: &str, namespace: &str, name: &str| {
        filters.judge(kind, Some(namespace), name, Some(&labels("")))
    };
    assert_eq!(judge("configmaps", "prod", "app-config"), Verdict::In);
    assert_eq!(judge("secrets", "prod", "app-db"), Verdict::In);
    assert_eq!(judge("secrets", "prod", "app-tmp"), Verdict::Out);
    assert_eq!(judge("configmaps", "prod", "app-debug-1"), Verdict::Out);
    assert_eq!(judge("configmaps", "prod", "monitoring"), Verdict::Out);
    assert_eq!(judge("deployments.apps", "prod", "app-1"), Verdict::Out);
    assert_eq!(judge("deployments.apps", "other", "app-1"), Verdict::Silent);
}

#[test]
fn an_exact_namespace_comes_before_patterns_and_those_come_in_order() {
    let filters = filters(
        "namespacedFilterPolicies:\n\
         - {namespaces: ['team-front-*'], resourceFilters: [{kinds: [Deployment, ConfigMap]}]}\n\
         - {namespaces: ['team-*'], resourceFilters: [{kinds: [Deployment]}]}\n\
         - {namespaces: [team-front-prod], resourceFilters: [{kinds: [Secret]}]}",
    );
    for (namespace, admitted) in [
        ("team-front-prod", ["secrets"].as_slice()),
        ("team-front-dev", &["configmaps", "deployments.apps"]),
        ("team-back", &["deployments.apps"]),
    ] {
        for kind in ["configmaps", "secrets", "deployments.apps"] {
            let expected = if admitted.contains(&kind) {
                Verdict::In
            } else {
                Verdict::Out
            };
            let found = filters.judge(kind, Some(namespace), "x", Some(&labels("")));
            assert_eq!(found, expected, "{kind} in {namespace}");
        }
    }
}

#[test]
fn all_other_kinds_have_an_entry_that_named_ones_override() {
    let filters = filters(
        "namespacedFilterPolicies:\n- namespaces: [prod]\n  resourceFilters:\n  \
         - {kinds: ['*'], labelSelector: {matchLabels: {app: common}}}\n  \
         - kinds: [ConfigMap]\n    orLabelSelectors:\n    \
           - {matchLabels: {app: one, part: a}}\n    \
           - {matchExpressions: [{key: app, operator: In, values: [two, three]}]}",
    );
    let judge =
        |kind: &str, text: &str| filters.judge(kind, Some("prod"), "x", Some(&labels(text)));
    assert_eq!(judge("secrets", "app=common"), Verdict::In);
    assert_eq!(judge("secrets", "app=one"), Verdict::Out);
    assert_eq!(judge("configmaps", "app=common"), Verdict::Out);
    assert_eq!(judge("configmaps", "app=one,part=a"), Verdict::In);
    assert_eq!(judge("configmaps", "app=one"), Verdict::Out);
    assert_eq!(judge("configmaps", "app=three"), Verdict::In);
    // Of an object that another one brought the labels do not matter.
    let brought = filters.judge("secrets", Some("prod"), "x", None);
    assert_eq!(brought, Verdict::In);
}

#[test]
fn cluster_scoped_kinds_are_narrowed_and_others_left_alone() {
    let filters = filters(
        "clusterScopedFilterPolicy:\n  resourceFilters:\n  - {kinds: [StorageClass], names: ['my-*']}",
    );
    let judge = |kind: &str, name: &str| filters.judge(kind, None, name, Some(&labels("")));
    assert_eq!(
        judge("storageclasses.storage.k8s.io", "my-fast"),
        Verdict::In
    );
    assert_eq!(judge("storageclasses.storage.k8s.io", "fast"), Verdict::Out);
    assert_eq!(
        judge("clusterroles.rbac.authorization.k8s.io", "x"),
        Verdict::Silent
    );
    let namespaced = filters.judge("configmaps", Some("prod"), "x", None);
    assert_eq!(namespaced, Verdict::Silent);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let entry = |filters: &str| {
        format!("namespacedFilterPolicies: [{{namespaces: [a], resourceFilters: [{filters}]}}]")
    };
    for (text, expected) in [
        (
            "namespacedFilterPolicies: [{namespaces: [], resourceFilters: [{kinds: [a]}]}]"
                .to_owned(),
            "at least one namespace",
        ),
        (entry(""), "at least one entry"),
        (
            entry("{kinds: ['*']}, {kinds: []}"),
            "all other kinds already",
        ),
        (entry("{kinds: ['*'], names: [a]}"), "names need kinds"),
        (
            entry("{kinds: [Pod]}, {kinds: [pod]}"),
            "by another entry already",
        ),
        (entry("{kinds: [a], names: ['{a,b}']}"), "wildcards"),
        (
            entry("{kinds: [a], labelSelector: {app: web}}"),
            "unknown field",
        ),
        (
            entry("{kinds: [a], labelSelector: {matchLabels: {a: b}}, orLabelSelectors: [{}]}"),
            "exclude each other",
        ),
        (
            entry("{kinds: [a], labelSelector: {matchExpressions: [{key: k, operator: Like}]}}"),
            "`Like`",
        ),
        (
            "namespacedFilterPolicies:\n- {namespaces: [a], resourceFilters: [{kinds: [a]}]}\n\
             - {namespaces: [a], resourceFilters: [{kinds: [a]}]}"
                .to_owned(),
            "named twice",
        ),
        (
            "clusterScopedFilterPolicy: {resourceFilters: [{kinds: ['*']}]}".to_owned(),
            "name the kinds",
        ),
    ] {
        let problems = read(&text).unwrap_err().join("; ");
        assert!(problems.contains(expected), "{text}: {problems}");
    }
}
