//! What a user does with `kubectl` alone: back up, restore, ask for nonsense.

use serde_json::json;

use crate::site::Site;

#[test]
fn kubectl_alone_backs_up_and_restores() {
    let mut site = Site::running();
    let shop = site.sample(25);
    let copy = site.namespaces.reserve("copy");
    site.add("Backup", "first", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/first", "{.status.phase}", "Completed");

    let backup = site.get("backup/first").unwrap();
    let status = &backup["status"];
    assert!(
        status["progress"]["itemsBackedUp"].as_u64().unwrap() >= 25,
        "{status:#}"
    );
    assert_eq!(
        status["progress"]["itemsBackedUp"],
        status["progress"]["totalItems"]
    );
    for field in [
        "startTimestamp",
        "completionTimestamp",
        "expiration",
        "formatVersion",
    ] {
        assert!(status[field].is_string(), "no {field} in {status:#}");
    }
    assert_eq!(
        backup["metadata"]["labels"]["velero.io/storage-location"],
        "default"
    );
    let version = &backup["metadata"]["annotations"]["velero.io/source-cluster-k8s-gitversion"];
    assert_eq!(version, site.plane.version());
    assert!(site.file("backups/first/velero-backup.json").exists());

    site.add(
        "Restore",
        "again",
        &json!({"backupName": "first", "namespaceMapping": {&shop: &copy}}),
    );
    site.wait("restore/again", "{.status.phase}", "Completed");
    assert_eq!(site.intact(&copy), 25);
    let restore = site.get("restore/again").unwrap();
    assert!(
        restore["status"]["progress"]["itemsRestored"]
            .as_u64()
            .unwrap()
            >= 25
    );
    assert!(site.file("restores/again/restore-again-logs.gz").exists());

    let metrics = site.ask("/metrics");
    for line in [
        "velero_backup_attempt_total{schedule=\"\"} 1",
        "velero_backup_success_total{schedule=\"\"} 1",
        "velero_restore_success_total{schedule=\"\"} 1",
        "velero_backup_location_status_gauge{backup_location_name=\"default\"} 1",
    ] {
        assert!(metrics.contains(line), "no `{line}` in\n{metrics}");
    }
    assert!(site.ask("/readyz").starts_with("HTTP/1.1 200"));
}

#[test]
fn deleting_a_restore_removes_its_files() {
    let mut site = Site::running();
    let shop = site.sample(1);
    let copy = site.namespaces.reserve("copy");
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    site.add(
        "Restore",
        "r",
        &json!({"backupName": "b", "namespaceMapping": {shop: copy}}),
    );
    site.wait("restore/r", "{.status.phase}", "Completed");
    assert!(site.file("restores/r").exists());
    site.kubectl(&["delete", "restore", "r", "--timeout=60s"]);
    assert!(!site.file("restores/r/restore-r-logs.gz").exists());
    assert!(site.file("backups/b/velero-backup.json").exists());
}

#[test]
fn an_invalid_backup_gets_every_message_and_writes_nothing() {
    let site = Site::running();
    site.add(
        "Backup",
        "wrong",
        &json!({
            "storageLocation": "nowhere",
            "includedNamespaces": ["a"],
            "excludedNamespaces": ["a"],
            "labelSelector": {"matchLabels": {"a": "b"}},
            "orLabelSelectors": [{"matchLabels": {"a": "c"}}],
        }),
    );
    site.wait("backup/wrong", "{.status.phase}", "FailedValidation");
    let backup = site.get("backup/wrong").unwrap();
    let messages = backup["status"]["validationErrors"].to_string();
    assert!(
        backup["status"]["validationErrors"]
            .as_array()
            .unwrap()
            .len()
            >= 3,
        "{messages}"
    );
    assert!(messages.contains("nowhere"), "{messages}");
    assert!(backup["status"]["startTimestamp"].is_null());
    assert!(!site.file("backups/wrong").exists());
}

#[test]
fn a_restore_of_nothing_is_refused() {
    let site = Site::running();
    site.add("Restore", "wrong", &json!({"backupName": "absent"}));
    site.wait("restore/wrong", "{.status.phase}", "FailedValidation");
    let restore = site.get("restore/wrong").unwrap();
    let messages = restore["status"]["validationErrors"].to_string();
    assert!(messages.contains("absent"), "{messages}");
}

#[test]
fn backups_wait_for_their_turn() {
    let mut site = Site::new();
    // Pages of one object make a backup long enough to be seen.
    site.start(|options| options.backup.max_page_items = 1);
    site.add_location("default", site.bucket(), &json!({"default": true}));
    site.wait("bsl/default", "{.status.phase}", "Available");
    let shop = site.sample(300);
    site.add("Backup", "one", &json!({"includedNamespaces": [shop]}));
    site.await_backup("one", &["InProgress"]);
    site.add("Backup", "two", &json!({"includedNamespaces": [shop]}));
    let queued = site.await_backup("two", &["Queued"]);
    assert_eq!(queued.status.unwrap().queue_position, 1);
    site.wait("backup/two", "{.status.phase}", "Completed");
    let two = site.get("backup/two").unwrap();
    assert!(two["status"]["queuePosition"].is_null(), "{two:#}");
    let one = site.get("backup/one").unwrap();
    assert_eq!(one["status"]["phase"], "Completed");
    let (ended, began) = (
        &one["status"]["completionTimestamp"],
        &two["status"]["startTimestamp"],
    );
    assert!(ended.as_str() <= began.as_str(), "{ended} {began}");
}

#[test]
fn a_location_and_a_backup_may_be_applied_together() {
    let mut site = Site::new();
    let shop = site.sample(1);
    site.add_location("default", site.bucket(), &json!({"default": true}));
    site.add("Backup", "early", &json!({"includedNamespaces": [shop]}));
    site.start(|_| {});
    site.wait("backup/early", "{.status.phase}", "Completed");
}
