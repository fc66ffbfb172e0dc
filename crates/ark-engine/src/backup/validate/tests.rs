//! What is valid, what is filled in, and what is said of the rest.

use ark_api::storage_location::{AccessMode, LocationPhase};

use super::*;

fn location(mode: AccessMode, phase: LocationPhase) -> BackupStorageLocation {
    let mut location = BackupStorageLocation::default();
    location.metadata.name = Some("default".into());
    location.spec.access_mode = Some(mode);
    location.status.get_or_insert_default().phase = Some(phase);
    location
}

fn usable() -> Vec<BackupStorageLocation> {
    vec![location(AccessMode::ReadWrite, LocationPhase::Available)]
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn check(
    backup: &Backup,
    locations: &[BackupStorageLocation],
) -> Result<ValidatedBackup, Rejected> {
    let around = Surroundings::of_locations(locations);
    validate(backup, &around, &Defaults::default(), now())
}

#[test]
fn an_empty_spec_gets_every_default() {
    let backup = Backup::new("b", BackupSpec::default());
    let valid = check(&backup, &usable()).unwrap();
    let json = serde_json::to_value(&valid.backup).unwrap();
    assert_eq!(json["spec"]["ttl"], "720h0m0s");
    assert_eq!(json["spec"]["includedNamespaces"], serde_json::json!(["*"]));
    assert_eq!(json["spec"]["storageLocation"], "default");
    assert_eq!(json["status"]["expiration"], "2026-03-31T12:00:00Z");
    assert_eq!(json["status"]["phase"], "InProgress");
    assert_eq!(json["status"]["formatVersion"], "1.1.0");
    assert_eq!(
        json["metadata"]["labels"][label::STORAGE_LOCATION],
        "default"
    );
}

#[test]
fn all_problems_are_reported_together() {
    let spec: BackupSpec = serde_json::from_value(serde_json::json!({
        "includedNamespaces": ["a", "*"],
        "excludedNamespaces": ["a"],
        "includedResources": ["pods"],
        "excludedResources": ["pods"],
        "includedClusterScopedResources": ["persistentvolumes"],
        "labelSelector": {"matchLabels": {"a": "b"}},
        "orLabelSelectors": [{"matchLabels": {"a": "c"}}],
        "snapshotMoveData": true,
    }))
    .unwrap();
    let backup = Backup::new("b", spec);
    let locations = [location(AccessMode::ReadOnly, LocationPhase::Unavailable)];
    let rejected = check(&backup, &locations).unwrap_err();
    insta::assert_yaml_snapshot!(rejected.messages);
    let status = rejected.prepared.status.unwrap();
    assert_eq!(status.phase, Some(BackupPhase::FailedValidation));
    assert_eq!(status.validation_errors, rejected.messages);
}

#[test]
fn a_missing_location_is_named() {
    let backup = Backup::new("b", BackupSpec::default());
    let rejected = check(&backup, &[]).unwrap_err();
    assert!(
        rejected.messages[0].contains("`default` does not exist"),
        "{:?}",
        rejected.messages
    );
}

#[test]
fn a_labelled_namespace_becomes_an_exclude_of_the_spec() {
    let locations = usable();
    let around = Surroundings {
        excluded_namespaces: vec!["secret".to_owned()],
        ..Surroundings::of_locations(&locations)
    };
    let run = |includes: &[&str]| {
        let spec = BackupSpec {
            included_namespaces: includes.iter().map(ToString::to_string).collect(),
            ..BackupSpec::default()
        };
        validate(
            &Backup::new("b", spec),
            &around,
            &Defaults::default(),
            now(),
        )
    };
    let valid = run(&[]).unwrap();
    assert_eq!(valid.backup.spec.excluded_namespaces, ["secret"]);
    let again = validate(&valid.backup, &around, &Defaults::default(), now()).unwrap();
    assert_eq!(again.backup.spec, valid.backup.spec, "said once");
    let messages = run(&["secret"]).unwrap_err().messages;
    assert!(
        messages[0].contains("velero.io/exclude-from-backup=true"),
        "{messages:?}"
    );
}

#[test]
fn namespaces_chosen_by_label_are_names_of_the_stored_spec() {
    let locations = usable();
    let policy = "version: v1\nincludeExcludePolicy: {includedNamespacesByLabel: [team]}";
    let team = |name: &str| {
        let labels = [("team".to_owned(), name.to_owned())].into();
        (name.to_owned(), labels)
    };
    let around = Surroundings {
        excluded_namespaces: vec!["secret".to_owned()],
        namespaces: ["red", "blue", "secret"].map(team).into(),
        policy_data: Some([("k".to_owned(), policy.to_owned())].into()),
        ..Surroundings::of_locations(&locations)
    };
    let spec = serde_json::json!({"resourcePolicy": {"kind": "ConfigMap", "name": "rules"}});
    let backup = Backup::new("b", serde_json::from_value(spec).unwrap());
    let valid = validate(&backup, &around, &Defaults::default(), now()).unwrap();
    assert_eq!(valid.backup.spec.included_namespaces, ["blue", "red"]);
    assert_eq!(valid.backup.spec.excluded_namespaces, ["secret"]);
    let again = validate(&valid.backup, &around, &Defaults::default(), now()).unwrap();
    assert_eq!(again.backup.spec, valid.backup.spec, "said once");

    let mut overlapping = backup.clone();
    overlapping.spec.included_namespaces = vec!["red".to_owned(), "x".to_owned()];
    overlapping.spec.excluded_namespaces = vec!["x".to_owned()];
    let rejected = validate(&overlapping, &around, &Defaults::default(), now()).unwrap_err();
    assert_eq!(
        rejected.messages,
        ["namespaces: `x` is both included and excluded"],
        "a policy does not hide what is wrong"
    );
    let mut left_out = around.clone();
    let policy = "version: v1\nincludeExcludePolicy: {excludedNamespacesByLabel: [team=red]}";
    left_out.policy_data = Some([("k".to_owned(), policy.to_owned())].into());
    overlapping.spec.included_namespaces = vec!["red".to_owned()];
    overlapping.spec.excluded_namespaces = vec!["red".to_owned()];
    let rejected = validate(&overlapping, &left_out, &Defaults::default(), now()).unwrap_err();
    assert_eq!(
        rejected.messages,
        ["namespaces: `red` is both included and excluded"],
        "nor by leaving it out once more"
    );
}

#[test]
fn names_that_no_namespace_can_have_are_refused() {
    let spec: BackupSpec = serde_json::from_value(serde_json::json!({
        "includedNamespaces": ["Shop", "team-*", "a", "t?", "[ab]-x"],
        "excludedNamespaces": ["-b", "team-**", "c|d", "e,f", "(g)", "!h", "{i}"],
    }))
    .unwrap();
    let rejected = check(&Backup::new("b", spec), &usable()).unwrap_err();
    insta::assert_yaml_snapshot!(rejected.messages);
}

#[test]
fn policies_are_found_read_and_fit_the_filters() {
    let locations = usable();
    let run = |spec: serde_json::Value, text: Option<&str>| {
        let mut spec: BackupSpec = serde_json::from_value(spec).unwrap();
        let reference = spec.resource_policy.get_or_insert_default();
        "rules".clone_into(&mut reference.name);
        if reference.kind.is_empty() {
            "ConfigMap".clone_into(&mut reference.kind);
        }
        let around = Surroundings {
            policy_data: text.map(|text| [("k".to_owned(), text.to_owned())].into()),
            ..Surroundings::of_locations(&locations)
        };
        let backup = Backup::new("b", spec);
        let result = validate(&backup, &around, &Defaults::default(), now());
        result.map_err(|rejected| rejected.messages)
    };
    let kinds = "version: v1\nincludeExcludePolicy: {excludedNamespaceScopedResources: [events]}";
    let valid = run(serde_json::json!({}), Some(kinds)).unwrap();
    assert!(
        valid.policies.kinds
            == ResourcePolicies::read("rules", &[("k".to_owned(), kinds.to_owned())].into())
                .unwrap()
                .kinds
    );
    let by_label = "version: v1\nincludeExcludePolicy: {excludedNamespacesByLabel: [team]}";
    let refusals = [
        run(
            serde_json::json!({"includeClusterResources": true}),
            Some(by_label),
        ),
        run(serde_json::json!({}), None),
        run(
            serde_json::json!({"resourcePolicy": {"kind": "secret", "name": "x"}}),
            None,
        ),
        run(
            serde_json::json!({"includedResources": ["pods"]}),
            Some(kinds),
        ),
        run(
            serde_json::json!({"orderedResources": {"pods": "a/b/c"}}),
            Some("version: v3"),
        ),
    ];
    let refusals: Vec<_> = refusals.map(Result::unwrap_err).into();
    insta::assert_yaml_snapshot!(refusals);
}
