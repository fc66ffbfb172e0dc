//! Plans of random backups with policies that choose namespaces by label, held
//! against [`super::oracle::policy`].

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::Value;

use super::oracle::policy::{ASKED, refuses_by_label, saves_place, wants_place};
use super::policy::{Tally, quiet_specs, validated};
use super::*;

fn selectors() -> impl Strategy<Value = Vec<&'static str>> {
    let texts: Vec<_> = ASKED.iter().map(|(text, _)| *text).collect();
    prop_oneof![2 => Just(Vec::new()), 3 => vec(select(texts), 1..3)]
}

fn policies() -> impl Strategy<Value = Value> {
    let logic = select(vec!["", "OR", "or", "AND", "and"]);
    (selectors(), selectors(), logic).prop_map(|(within, out, logic)| {
        json!({
            "includedNamespacesByLabel": within,
            "excludedNamespacesByLabel": out,
            "labelSelectorLogic": logic,
        })
    })
}

/// Namespaces of which each has labels of its own.
fn places() -> impl Strategy<Value = Vec<Place>> {
    let apps = vec(apps(), PLACES.len());
    (super::places(), apps).prop_map(|(places, apps)| {
        let own = |(place, app)| Place { app, ..place };
        places.into_iter().zip(apps).map(own).collect()
    })
}

/// Specs that name few namespaces, so that labels have something to add.
fn naming_specs() -> impl Strategy<Value = BackupSpec> {
    let lists: &[&[&str]] = &[&[], &[], &["*"], &["shop"], &["b*"], &["ending", "absent"]];
    (quiet_specs(), select(lists)).prop_map(|(spec, names)| BackupSpec {
        included_namespaces: names.iter().map(ToString::to_string).collect(),
        ..spec
    })
}

fn agree(
    spec: &BackupSpec,
    places: &[Place],
    policy: &Value,
    met: &mut Tally,
) -> Result<(), TestCaseError> {
    let mut count = |outcome| *met.entry(outcome).or_default() += 1;
    let document = json!({"version": "v1", "includeExcludePolicy": policy});
    let refused = refuses_by_label(policy, spec) || oracle::refuses(spec, places);
    let found = validated(spec, places, &document);
    prop_assert_eq!(found.is_none(), refused);
    let Some(found) = found else {
        count("refused");
        return Ok(());
    };
    let objects: Vec<Object> = places.iter().map(place_object).collect();
    let plan = plan(&found, &discovery(), &objects, Versions::Preferred);
    let names = |fits: &dyn Fn(&Place) -> bool| -> BTreeSet<String> {
        let fitting = places.iter().filter(|place| fits(place));
        fitting.map(|place| place.name.to_owned()).collect()
    };
    let expected = names(&|place| wants_place(policy, spec, place));
    prop_assert_eq!(&plan.namespaces, &expected, "{:?}", found.backup.spec);
    let saved = names(&|place| saves_place(policy, spec, places, place));
    prop_assert_eq!(&plan.namespace_objects, &saved, "{:?}", found.backup.spec);
    let chooses = policy["includedNamespacesByLabel"] != json!([]);
    let in_vain = plan
        .issues
        .iter()
        .any(|issue| issue.message.contains("changes nothing"));
    prop_assert_eq!(in_vain, chooses && spec.included_namespaces == ["*"]);
    if expected.is_empty() {
        count("nothing");
    }
    for place in places {
        let by_name = oracle::wants_place(spec, place);
        match (by_name, expected.contains(place.name)) {
            (true, false) => count("left out by its labels"),
            (false, true) => count("brought by its labels"),
            (true, true) => count("in"),
            (false, false) => count("out"),
        }
    }
    Ok(())
}

#[test]
fn labels_choose_the_namespaces_that_the_oracle_says() {
    let met = RefCell::new(Tally::new());
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 300,
        ..ProptestConfig::with_source_file(file!())
    });
    let specs = prop_oneof![1 => specs(), 3 => naming_specs()];
    runner
        .run(&(specs, places(), policies()), |(spec, places, policy)| {
            agree(&spec, &places, &policy, &mut met.borrow_mut())
        })
        .unwrap();
    let met = met.into_inner();
    assert_eq!(met.len(), 6, "{met:?}");
    assert!(met.values().all(|times| *times >= 10), "{met:?}");
}
