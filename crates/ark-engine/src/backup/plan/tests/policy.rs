//! Plans of random backups with random filter policies, held against
//! [`super::oracle::policy`].

use std::cell::RefCell;
use std::collections::BTreeMap;

use ark_archive::GroupResource;
use proptest::collection::vec;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::Value;

use super::super::super::validate::ValidatedBackup;
use super::oracle::policy::{lists, refuses, says};
use super::*;

const CASES: u32 = 300;
const THINGS: &[&str] = &["app-1", "app-tmp", "other"];
const PATTERNS: &[&str] = &["app-*", "*-tmp", "app-?", "[ao]*", "other", "absent"];
const POLICY_PLACES: &[&str] = &[
    "shop", "bank", "hidden", "absent", "shop*", "ba?k", "[bs]*", "*-db", "*",
];
const POLICY_KINDS: &[&str] = &[
    "Pod",
    "po",
    "cm",
    "ConfigMap",
    "events",
    "events.events.k8s.io",
    "deploy",
    "widgets.v1.acme.io",
    "vs",
    "pv",
    "storageclasses",
    "crd",
    "unknown.example.org",
];

fn some(from: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    let own = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    prop_oneof![
        1 => Just(Vec::new()),
        2 => vec(select(from), 1..=most).prop_map(own),
    ]
}

fn expression() -> impl Strategy<Value = Value> {
    let operator = prop_oneof![
        10 => select(vec!["In", "NotIn"]),
        10 => select(vec!["Exists", "DoesNotExist"]),
        1 => Just("Like"),
    ];
    (operator, some(&["web", "db"], 2), 0..16_u8).prop_map(|(operator, values, odd)| {
        let values = match operator {
            "In" | "NotIn" if values.is_empty() && odd > 0 => vec!["web".to_owned()],
            "Exists" | "DoesNotExist" if odd > 0 => Vec::new(),
            _ => values,
        };
        json!({"key": "app", "operator": operator, "values": values})
    })
}

fn asked() -> impl Strategy<Value = Value> {
    let expressions = vec(expression(), 1..3).prop_map(|all| json!({"matchExpressions": all}));
    prop_oneof![3 => selector(), 1 => expressions]
}

fn entry() -> impl Strategy<Value = Value> {
    let kinds = prop_oneof![
        1 => Just(Vec::new()),
        1 => Just(vec!["*".to_owned()]),
        8 => some(POLICY_KINDS, 2),
    ];
    let one = prop_oneof![6 => asked(), 1 => Just(json!({}))];
    let labels = prop_oneof![
        4 => Just((None, Vec::new())),
        4 => one.prop_map(|one| (Some(one), Vec::new())),
        2 => vec(asked(), 1..3).prop_map(|any| (None, any)),
        1 => (prop_oneof![1 => asked(), 3 => Just(json!({}))], vec(asked(), 1..3))
            .prop_map(|(one, any)| (Some(one), any)),
    ];
    let named = (some(PATTERNS, 2), some(PATTERNS, 2), 0..8_u8);
    (kinds, labels, named).prop_map(|(kinds, (one, any), (names, excluded, odd))| {
        let rest = kinds.is_empty() || kinds == ["*"];
        let mut entry = json!({"kinds": kinds, "orLabelSelectors": any});
        if let Some(one) = one {
            entry["labelSelector"] = one;
        }
        // Names without kinds are refused: now and then is enough.
        if !rest || odd == 0 {
            entry["names"] = names.into();
            entry["excludedNames"] = excluded.into();
        }
        entry
    })
}

fn documents() -> impl Strategy<Value = Value> {
    let entries = || prop_oneof![30 => vec(entry(), 1..4), 1 => Just(Vec::new())];
    let policy = (some(POLICY_PLACES, 2), entries(), 0..16_u8);
    let policy = policy.prop_map(|(mut places, entries, odd)| {
        if places.is_empty() && odd > 0 {
            places.push("shop".to_owned());
        }
        json!({"namespaces": places, "resourceFilters": entries})
    });
    let cluster = proptest::option::weighted(0.4, entries());
    (vec(policy, 0..3), cluster).prop_map(|(policies, cluster)| {
        let mut document = oracle::policy::silent();
        document["namespacedFilterPolicies"] = policies.into();
        if let Some(mut entries) = cluster {
            // All other kinds cannot be meant here, so that they are rarely tried.
            if entries.len() > 1 {
                entries.retain(|one| one["kinds"] != json!([]) && one["kinds"] != json!(["*"]));
            }
            document["clusterScopedFilterPolicy"] = json!({"resourceFilters": entries});
        }
        document
    })
}

/// Specs that go well with policies; the others are seldom accepted.
pub(super) fn quiet_specs() -> impl Strategy<Value = BackupSpec> {
    let lists = |lists: &'static [&'static [&'static str]]| {
        let own = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        select(lists).prop_map(own)
    };
    let places = lists(&[&[], &["*"], &["shop*", "bank"], &["[bs]*"]]);
    let namespaced = lists(&[&[], &[], &["*"], &["po", "cm", "deploy"]]);
    let left_out = lists(&[&[], &[], &["ev"]]);
    let cluster = lists(&[&[], &["*"], &["pv", "sc"]]);
    let labels = proptest::option::of(selector());
    (places, namespaced, left_out, cluster, labels).prop_map(
        |(places, within, out, cluster, one)| BackupSpec {
            included_namespaces: places,
            included_namespace_scoped_resources: within,
            excluded_namespace_scoped_resources: out,
            included_cluster_scoped_resources: cluster,
            label_selector: one.map(|one| serde_json::from_value(one).unwrap()),
            ..BackupSpec::default()
        },
    )
}

pub(super) fn validated(
    spec: &BackupSpec,
    places: &[Place],
    document: &Value,
) -> Option<ValidatedBackup> {
    let mut spec = spec.clone();
    let reference = spec.resource_policy.get_or_insert_default();
    "configmap".clone_into(&mut reference.kind);
    "rules".clone_into(&mut reference.name);
    let locations = [location()];
    let hidden = places.iter().filter(|place| place.hidden);
    let labels = |place: &Place| {
        let head = place_object(place).head().clone();
        (head.name, head.labels)
    };
    let around = Surroundings {
        excluded_namespaces: hidden.map(|place| place.name.to_owned()).collect(),
        namespaces: places.iter().map(labels).collect(),
        policy_data: Some([("policy".to_owned(), document.to_string())].into()),
        ..Surroundings::of_locations(&locations)
    };
    let now = jiff::Timestamp::UNIX_EPOCH;
    validate(&Backup::new("b", spec), &around, &Defaults::default(), now).ok()
}

/// Whether a list that the plan asks for brings the object, and it is kept.
fn keeps(plan: &BackupPlan, thing: &Thing, name: &str) -> bool {
    let labels = thing.app.map(|app| ("app".to_owned(), app.to_owned()));
    let head = Head {
        name: name.to_owned(),
        namespace: thing.namespace.map(str::to_owned),
        labels: labels.into_iter().collect(),
        ..Head::default()
    };
    let lists = |kind: &&PlannedKind| {
        let mut scopes = kind.scopes.iter();
        kind.resource.group_resource() == KINDS[thing.kind].name
            && scopes.any(|scope| scope.is_none() || scope.as_deref() == thing.namespace)
    };
    // With filters the selectors are no business of the lists.
    let everything = plan.filters.is_empty() || plan.label_queries == [None];
    let kind = plan.kinds.iter().find(lists);
    everything && kind.is_some_and(|kind| plan.wants(&kind.resource, &head))
}

fn related(plan: &BackupPlan, thing: &Thing, name: &str) -> bool {
    let kind = KINDS[thing.kind].name;
    let (plural, group) = kind.split_once('.').unwrap_or((kind, ""));
    plan.wants_related(&Related {
        group_resource: GroupResource {
            resource: plural.to_owned(),
            group: group.to_owned(),
        },
        namespace: thing.namespace.map(str::to_owned),
        name: name.to_owned(),
    })
}

/// How often each outcome was met.
pub(super) type Tally = BTreeMap<&'static str, u32>;

fn agree(
    spec: &BackupSpec,
    places: &[Place],
    document: &Value,
    met: &mut Tally,
) -> Result<(), TestCaseError> {
    let mut count = |outcome| *met.entry(outcome).or_default() += 1;
    let by_policy = refuses(document, spec);
    let by_spec = oracle::refuses(spec, places);
    let found = validated(spec, places, document);
    prop_assert_eq!(found.is_none(), by_policy || by_spec);
    let Some(found) = found else {
        if !by_spec {
            count("refused for its policies");
        }
        return Ok(());
    };
    count("accepted");
    let objects: Vec<Object> = places.iter().map(place_object).collect();
    let discovery = discovery();
    let plan = plan(&found, &discovery, &objects, Versions::Preferred);
    let silent = oracle::policy::silent();
    let cluster = (places, KINDS.as_slice());
    for thing in things(places) {
        let resource = &discovery.resources[thing.kind];
        let wanted = plan.wants_namespace(thing.namespace);
        for name in THINGS {
            let expected = lists((document, spec), cluster, &thing, name);
            let kind = KINDS[thing.kind].name;
            prop_assert_eq!(
                keeps(&plan, &thing, name),
                expected,
                "{} {:?} {}",
                kind,
                thing,
                name
            );
            match (lists((&silent, spec), cluster, &thing, name), expected) {
                (true, false) => count("left out by a policy"),
                (false, true) => count("brought by a policy, past the backup's selector"),
                (true, true) => count("in"),
                (false, false) => count("out"),
            }
            let said = says(document, &KINDS, &thing, name, false);
            let comes_along = wanted && said != Some(false);
            prop_assert_eq!(
                related(&plan, &thing, name),
                comes_along,
                "{} {:?} {}",
                kind,
                thing,
                name
            );
            if wanted && !comes_along {
                count("left out although another object refers to it");
            }
            // What is listed as a whole is never fetched by name, so it must be there.
            let listed = plan.kinds.iter().any(|kind| kind.resource == *resource);
            let whole = listed && wanted && plan.lists_all_of(resource);
            prop_assert!(expected || !whole, "{} {:?} {}", kind, thing, name);
        }
    }
    Ok(())
}

#[test]
fn filter_policies_decide_what_the_oracle_says() {
    let met = RefCell::new(Tally::new());
    let mut runner = TestRunner::new(ProptestConfig {
        cases: CASES,
        ..ProptestConfig::with_source_file(file!())
    });
    let specs = prop_oneof![1 => specs(), 4 => quiet_specs()];
    let cases = (specs, places(), documents());
    runner
        .run(&cases, |(spec, places, document)| {
            agree(&spec, &places, &document, &mut met.borrow_mut())
        })
        .unwrap();
    // Seven outcomes there are, and each is met often enough to mean something.
    let met = met.into_inner();
    assert_eq!(met.len(), 7, "{met:?}");
    assert!(met.values().all(|times| *times >= 50), "{met:?}");
}
