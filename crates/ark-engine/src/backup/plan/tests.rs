//! Plans of random backups of random clusters, held against [`super::oracle`].

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ark_api::storage_location::LocationPhase;
use ark_api::{Backup, BackupSpec, BackupStorageLocation};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use super::super::{Defaults, Surroundings, validate};
use super::oracle::{self, Kind, Place, Thing};
use super::*;

mod by_label;
mod policy;

const CRDS: &str = "customresourcedefinitions.apiextensions.k8s.io";

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let kind = |name, namespaced, also| Kind {
        name,
        namespaced,
        listable: true,
        also,
    };
    vec![
        kind("pods", true, &["po", "Pod", "pod", "pods.v1"]),
        kind("configmaps", true, &["cm", "ConfigMap"]),
        kind("events", true, &["ev"]),
        kind("events.events.k8s.io", true, &[]),
        kind(
            "deployments.apps",
            true,
            &["deploy", "deployments", "deployment.apps"],
        ),
        kind("widgets.acme.io", true, &["widgets", "widgets.v1.acme.io"]),
        kind("volumesnapshots.snapshot.storage.k8s.io", true, &["vs"]),
        kind("persistentvolumes", false, &["pv"]),
        kind(
            "storageclasses.storage.k8s.io",
            false,
            &["sc", "storageclasses"],
        ),
        kind(CRDS, false, &["crd", "customresourcedefinitions"]),
        kind("volumesnapshotcontents.snapshot.storage.k8s.io", false, &[]),
        kind("namespaces", false, &["ns"]),
        Kind {
            listable: false,
            ..kind("tokenreviews.authentication.k8s.io", false, &[])
        },
    ]
});

/// Names that specs draw from: literal in all forms, patterns, and nonsense.
const NAMES: &[&str] = &[
    "po",
    "Pod",
    "pods",
    "pods.v1",
    "cm",
    "events",
    "ev",
    "events.events.k8s.io",
    "deploy",
    "deployment.apps",
    "widgets.v1.acme.io",
    "vs",
    "pv",
    "sc",
    "storageclasses.storage.k8s.io",
    "crd",
    "customresourcedefinitions",
    "unknown.example.org",
    "p*",
    "*.acme.io",
    "[dw]*s.*",
    "event?",
    "custom*",
    "*.storage.k8s.io",
    "*",
];
const PLACES: &[&str] = &["shop", "shop-db", "bank", "kube-system", "hidden", "ending"];
const PLACE_NAMES: &[&str] = &[
    "shop", "bank", "hidden", "ending", "absent", "shop*", "ba?k", "[bs]*", "e*", "*",
];

fn discovery() -> Discovery {
    let resources = KINDS.iter().map(|kind| {
        let (plural, group) = kind.name.split_once('.').unwrap_or((kind.name, ""));
        let verbs: &[&str] = if kind.listable {
            &["create", "delete", "get", "list"]
        } else {
            &["create"]
        };
        let short = kind.also.iter().filter(|name| {
            name.chars().all(|c| c.is_ascii_lowercase()) && name.len() <= 6 && **name != "pod"
        });
        let name = match plural {
            "configmaps" => "ConfigMap".to_owned(),
            _ => plural[..plural.len() - 1].to_owned(),
        };
        ApiResource {
            group: group.to_owned(),
            version: "v1".to_owned(),
            plural: plural.to_owned(),
            singular: name.to_lowercase(),
            kind: name,
            namespaced: kind.namespaced,
            verbs: verbs.iter().map(ToString::to_string).collect(),
            short_names: short.map(ToString::to_string).collect(),
            preferred: true,
        }
    });
    Discovery {
        resources: resources.collect(),
        ..Discovery::default()
    }
}

fn place_object(place: &Place) -> Object {
    let mut value = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place.name, "labels": {}}});
    if let Some(app) = place.app {
        value["metadata"]["labels"]["app"] = app.into();
    }
    if place.hidden {
        value["metadata"]["labels"][label::EXCLUDE_FROM_BACKUP] = "true".into();
    }
    if place.ending {
        value["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    }
    Object::from_value(&value).unwrap()
}

fn apps() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![None, Some("web"), Some("db")])
}

fn places() -> impl Strategy<Value = Vec<Place>> {
    let each = (subsequence(PLACES.to_vec(), 1..=PLACES.len()), apps());
    each.prop_map(|(names, app)| {
        let place = |name| Place {
            name,
            app,
            hidden: name == "hidden",
            ending: name == "ending",
        };
        names.into_iter().map(place).collect()
    })
}

fn list(from: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let some = proptest::collection::vec(select(from), 1..4);
    prop_oneof![
        3 => Just(Vec::new()),
        1 => Just(vec!["*".to_owned()]),
        3 => some.prop_map(|names| names.into_iter().map(str::to_owned).collect()),
    ]
}

fn selector() -> impl Strategy<Value = serde_json::Value> {
    select(vec!["web", "db"]).prop_map(|app| json!({"matchLabels": {"app": app}}))
}

fn specs() -> impl Strategy<Value = BackupSpec> {
    let style = (0..8_u8, list(NAMES), list(NAMES), list(NAMES), list(NAMES));
    let rest = (
        list(PLACE_NAMES),
        list(PLACE_NAMES),
        select(vec![None, Some(true), Some(false)]),
        proptest::option::of(selector()),
        proptest::collection::vec(selector(), 0..3),
    );
    (style, rest).prop_map(|((style, a, b, c, d), (ns, not_ns, cluster, one, any))| {
        let (old, new) = (matches!(style, 0..=2 | 7), matches!(style, 3..=5 | 7));
        let when = |on: bool, names: Vec<String>| if on { names } else { Vec::new() };
        let parse = |value| serde_json::from_value(value).unwrap();
        let single = any.is_empty() || style == 7;
        BackupSpec {
            included_namespaces: ns,
            excluded_namespaces: not_ns,
            included_resources: when(old, a.clone()),
            excluded_resources: when(old, b.clone()),
            include_cluster_resources: cluster.filter(|_| old),
            included_cluster_scoped_resources: when(new, a),
            excluded_cluster_scoped_resources: when(new, b),
            included_namespace_scoped_resources: when(new, c),
            excluded_namespace_scoped_resources: when(new, d),
            label_selector: one.filter(|_| single).map(parse),
            or_label_selectors: any.into_iter().map(parse).collect(),
            ..BackupSpec::default()
        }
    })
}

/// Every object that the cluster could have.
fn things(places: &[Place]) -> Vec<Thing> {
    let mut things = Vec::new();
    for (number, kind) in KINDS.iter().enumerate() {
        for app in [None, Some("web"), Some("db")] {
            let mut add = |namespace| {
                things.push(Thing {
                    kind: number,
                    namespace,
                    app,
                });
            };
            if kind.namespaced {
                for place in places {
                    add(Some(place.name));
                }
            } else {
                add(None);
            }
        }
    }
    things
}

/// Whether the lists that the plan asks for bring an object, and it is kept.
fn brings(plan: &BackupPlan, thing: &Thing) -> bool {
    let labels = thing.app.map(|app| ("app".to_owned(), app.to_owned()));
    let listed = plan.kinds.iter().any(|kind| {
        kind.resource.group_resource() == KINDS[thing.kind].name
            && kind
                .scopes
                .iter()
                .any(|scope| scope.is_none() || scope.as_deref() == thing.namespace)
    });
    listed
        && plan.wants_namespace(thing.namespace)
        && plan.selection.labels.matches(&labels.into_iter().collect())
}

fn location() -> BackupStorageLocation {
    let mut location = BackupStorageLocation::default();
    location.metadata.name = Some("default".into());
    location.status.get_or_insert_default().phase = Some(LocationPhase::Available);
    location
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn selection_is_what_the_oracle_says(spec in specs(), places in places()) {
        let locations = [location()];
        let hidden = places.iter().filter(|place| place.hidden);
        let around = Surroundings {
            excluded_namespaces: hidden.map(|place| place.name.to_owned()).collect(),
            ..Surroundings::of_locations(&locations)
        };
        let backup = Backup::new("b", spec.clone());
        let now = jiff::Timestamp::UNIX_EPOCH;
        let validated = validate(&backup, &around, &Defaults::default(), now);
        prop_assert_eq!(validated.is_err(), oracle::refuses(&spec, &places));
        let Ok(validated) = validated else {
            return Ok(());
        };
        let objects: Vec<Object> = places.iter().map(place_object).collect();
        let discovery = discovery();
        let plan = plan(&validated, &discovery, &objects, Versions::Preferred);

        for thing in things(&places) {
            let expected = oracle::lists(&spec, (&places, &KINDS), &thing);
            prop_assert_eq!(brings(&plan, &thing), expected, "{:?} {}", thing, KINDS[thing.kind].name);
        }
        for (kind, resource) in KINDS.iter().zip(&discovery.resources) {
            prop_assert_eq!(plan.selection.admits(resource), oracle::admits(&spec, kind), "{}", kind.name);
        }
        let saved = places.iter().filter(|place| oracle::saves_place(&spec, &places, place));
        let saved: BTreeSet<String> = saved.map(|place| place.name.to_owned()).collect();
        prop_assert_eq!(&plan.namespace_objects, &saved);
        let crds = KINDS.iter().find(|kind| kind.name == CRDS).unwrap();
        prop_assert_eq!(plan.selection.definitions_follow(), oracle::definitions_follow(&spec, crds));
    }
}

#[test]
fn patterns_without_a_match_are_warned_of_and_missing_names_are_errors() {
    let spec = BackupSpec {
        included_namespaces: vec!["team-*".into(), "absent".into()],
        excluded_namespaces: vec!["old-?".into()],
        ..BackupSpec::default()
    };
    let locations = [location()];
    let around = Surroundings::of_locations(&locations);
    let now = jiff::Timestamp::UNIX_EPOCH;
    let backup = Backup::new("b", spec);
    let validated = validate(&backup, &around, &Defaults::default(), now).unwrap();
    let plan = plan(&validated, &discovery(), &[], Versions::Preferred);
    let said: Vec<_> = plan
        .issues
        .iter()
        .map(|issue| (issue.severity, issue.message.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (
                Severity::Error,
                "namespace `absent` is included by name but does not exist"
            ),
            (Severity::Warning, "`team-*` matches no namespace"),
            (Severity::Warning, "`old-?` matches no namespace"),
        ]
    );
    assert!(plan.kinds.iter().all(|kind| !kind.resource.namespaced));
}

#[test]
fn a_group_that_did_not_answer_matters_if_it_may_be_meant() {
    let errors = |includes: &[&str]| {
        let spec = BackupSpec {
            included_resources: includes.iter().map(ToString::to_string).collect(),
            ..BackupSpec::default()
        };
        let locations = [location()];
        let around = Surroundings::of_locations(&locations);
        let now = jiff::Timestamp::UNIX_EPOCH;
        let backup = Backup::new("b", spec);
        let validated = validate(&backup, &around, &Defaults::default(), now).unwrap();
        let discovery = Discovery {
            failed: vec![crate::port::FailedGroup {
                group_version: "broken.io/v1".into(),
                reason: "no answer".into(),
            }],
            ..discovery()
        };
        plan(&validated, &discovery, &[], Versions::Preferred)
            .issues
            .len()
    };
    assert_eq!(errors(&[]), 1);
    assert_eq!(errors(&["po", "widgets.v1.acme.io"]), 0);
    assert_eq!(errors(&["po", "things.broken.io"]), 1);
    assert_eq!(errors(&["things"]), 1, "they may be of that group");
}
