//! Every rule of validation, and what is filled in.

use ark_api::{BackupSpec, BackupStatus};
use serde_json::{Value, json};

use super::*;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn backup(name: &str, schedule: Option<&str>, phase: BackupPhase, start: &str) -> Backup {
    let mut backup = Backup::new(name, BackupSpec::default());
    backup.spec.storage_location = "default".into();
    let labels =
        schedule.map(|schedule| [(label::SCHEDULE_NAME.to_owned(), schedule.to_owned())].into());
    backup.metadata.labels = labels;
    backup.status = Some(BackupStatus {
        phase: Some(phase),
        start_timestamp: Some(Time(start.parse().unwrap())),
        ..BackupStatus::default()
    });
    backup
}

fn backups() -> Vec<Backup> {
    vec![
        backup(
            "old",
            Some("daily"),
            BackupPhase::Completed,
            "2026-02-01T00:00:00Z",
        ),
        backup(
            "new",
            Some("daily"),
            BackupPhase::Completed,
            "2026-02-02T00:00:00Z",
        ),
        backup(
            "newest",
            Some("daily"),
            BackupPhase::PartiallyFailed,
            "2026-02-03T00:00:00Z",
        ),
        backup(
            "single",
            None,
            BackupPhase::Completed,
            "2026-02-04T00:00:00Z",
        ),
    ]
}

fn locations(phase: LocationPhase) -> Vec<BackupStorageLocation> {
    let mut location = BackupStorageLocation::default();
    location.metadata.name = Some("default".into());
    location.status.get_or_insert_default().phase = Some(phase);
    vec![location]
}

fn check(spec: Value) -> Result<ValidatedRestore, Rejected> {
    let restore = Restore::new("r", serde_json::from_value(spec).unwrap());
    let locations = locations(LocationPhase::Available);
    validate(
        &restore,
        &backups(),
        &locations,
        &Defaults::default(),
        now(),
    )
}

fn messages(spec: Value) -> Vec<String> {
    check(spec).unwrap_err().messages
}

#[test]
fn defaults_are_filled_in() {
    let valid = check(json!({"backupName": "new"})).unwrap();
    let json = serde_json::to_value(&valid.restore).unwrap();
    assert_eq!(json["spec"]["scheduleName"], "daily");
    assert_eq!(json["spec"]["itemOperationTimeout"], "4h0m0s");
    assert_eq!(
        json["spec"]["excludedResources"].as_array().unwrap().len(),
        NEVER.len()
    );
    assert_eq!(json["status"]["phase"], "InProgress");
    assert_eq!(json["status"]["startTimestamp"], "2026-03-01T12:00:00Z");
    assert_eq!(
        json["metadata"]["finalizers"],
        json!([label::RESTORE_FINALIZER])
    );
    assert_eq!(
        (valid.backup_name(), valid.location_name()),
        ("new", "default")
    );
}

#[test]
fn a_schedule_means_its_newest_completed_backup() {
    let valid = check(json!({"scheduleName": "daily"})).unwrap();
    assert_eq!(valid.backup_name(), "new");
    assert_eq!(
        messages(json!({"scheduleName": "weekly"})),
        ["the schedule `weekly` has no completed backup"]
    );
}

#[test]
fn a_restore_that_is_carried_on_is_valid_again() {
    let first = check(json!({"scheduleName": "daily"})).unwrap();
    let locations = locations(LocationPhase::Available);
    let later = "2026-03-01T13:00:00Z".parse().unwrap();
    let again = validate(
        &first.restore,
        &backups(),
        &locations,
        &Defaults::default(),
        later,
    )
    .unwrap();
    assert_eq!(again.restore, first.restore);
}

#[test]
fn all_problems_are_reported_together() {
    let rejected = check(json!({
        "includedNamespaces": ["a", "*"],
        "excludedNamespaces": ["a"],
        "includedResources": ["pods", "nodes"],
        "excludedResources": ["pods"],
        "labelSelector": {"matchLabels": {"a": "b"}},
        "orLabelSelectors": [{"matchLabels": {"a": "c"}}],
        "namespaceMapping": {"a": "Not_A_Name"},
        "restoreStatus": {"includedResources": ["x"], "excludedResources": ["x"]},
        "existingResourcePolicy": "replace",
        "resourceModifier": {"kind": "configmap", "name": "m"},
        "hooks": {"resources": [{"name": "h"}]},
    }))
    .unwrap_err();
    insta::assert_yaml_snapshot!(rejected.messages);
    let status = rejected.prepared.status.unwrap();
    assert_eq!(status.phase, Some(RestorePhase::FailedValidation));
    assert_eq!(status.validation_errors, rejected.messages);
}

#[test]
fn other_zones_are_pairs() {
    let spec = serde_json::from_value(json!({"backupName": "new"})).unwrap();
    let mut restore = Restore::new("r", spec);
    let mut check = |text: &str| {
        let annotations = restore.metadata.annotations.get_or_insert_default();
        annotations.insert(zone::ANNOTATION.to_owned(), text.to_owned());
        let found = validate(
            &restore,
            &backups(),
            &locations(LocationPhase::Available),
            &Defaults::default(),
            now(),
        );
        found.map(|restore| restore.zones)
    };
    assert_eq!(check("a:b, c:d").unwrap()["c"], "d");
    let rejected = check("a-b").unwrap_err();
    assert!(
        rejected.messages[0].contains("`a-b` is not of the form FROM:TO"),
        "{:?}",
        rejected.messages
    );
}

#[test]
fn the_source_is_one_that_exists_and_can_be_read() {
    assert!(
        messages(json!({"backupName": "new", "scheduleName": "daily"}))[0]
            .contains("exclude each other")
    );
    assert_eq!(
        messages(json!({"backupName": "none"})),
        ["the backup `none` does not exist"]
    );
    let restore = Restore::new(
        "r",
        serde_json::from_value(json!({"backupName": "single"})).unwrap(),
    );
    for (locations, expected) in [
        (
            vec![],
            "the backup's storage location `default` does not exist",
        ),
        (
            locations(LocationPhase::Unavailable),
            "the backup's storage location `default` is not available",
        ),
    ] {
        let rejected = validate(
            &restore,
            &backups(),
            &locations,
            &Defaults::default(),
            now(),
        )
        .unwrap_err();
        assert_eq!(rejected.messages, [expected]);
    }
}

#[test]
fn known_policies_are_taken() {
    assert!(
        !check(json!({"backupName": "new", "existingResourcePolicy": "none"}))
            .unwrap()
            .updates()
    );
    assert!(
        check(json!({"backupName": "new", "existingResourcePolicy": "update"}))
            .unwrap()
            .updates()
    );
}
