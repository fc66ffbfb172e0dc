//! Deletion requests: everything of a backup goes, or a sentence says why not.

use serde_json::json;

use crate::site::Site;

#[test]
fn a_backup_goes_with_its_files_its_restores_and_the_doubled_requests() {
    let mut site = Site::running();
    let shop = site.sample(2);
    let copy = site.namespaces.reserve("copy");
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    site.add(
        "Restore",
        "r",
        &json!({"backupName": "b", "namespaceMapping": {shop: copy}}),
    );
    site.wait("restore/r", "{.status.phase}", "Completed");
    site.create(
        &json!({"apiVersion": "v1", "kind": "List", "items": (1..=3).map(|n| json!({
        "apiVersion": "velero.io/v1", "kind": "DeleteBackupRequest",
        "metadata": {"name": format!("away-{n}")}, "spec": {"backupName": "b"},
    })).collect::<Vec<_>>()}),
    );
    site.until("the deletion", |site| site.get("backup/b").is_none());
    assert!(site.get("restore/r").is_none());
    assert!(!site.file("backups/b/velero-backup.json").exists());
    assert!(!site.file("backups/b/b.tar.gz").exists());
    assert!(!site.file("restores/r/restore-r-logs.gz").exists());
    // A doubled request that came late finds nothing and says so; it stays to be read.
    site.until("the requests' end", |site| {
        let left = [
            "get",
            "deletebackuprequests",
            "-o",
            "jsonpath={.items[*].status.phase}",
        ];
        site.kubectl(&left)
            .split_whitespace()
            .all(|phase| phase == "Processed")
    });
    // The bucket is looked through every second: nothing comes back.
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(site.get("backup/b").is_none());
}

#[test]
fn refusals_are_told_in_the_request() {
    let mut site = Site::running();
    let shop = site.sample(1);
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    site.add(
        "DeleteBackupRequest",
        "absent",
        &json!({"backupName": "absent"}),
    );
    site.wait("deletebackuprequest/absent", "{.status.phase}", "Processed");
    let request = site.get("deletebackuprequest/absent").unwrap();
    assert_eq!(
        request["status"]["errors"],
        json!(["backup `absent` does not exist"])
    );

    let read_only = r#"{"spec":{"accessMode":"ReadOnly"}}"#;
    site.kubectl(&["patch", "bsl", "default", "--type=merge", "-p", read_only]);
    site.add("DeleteBackupRequest", "fixed", &json!({"backupName": "b"}));
    site.wait("deletebackuprequest/fixed", "{.status.phase}", "Processed");
    let request = site.get("deletebackuprequest/fixed").unwrap();
    assert_eq!(
        request["status"]["errors"],
        json!(["backup location `default` is read-only"])
    );
    assert_eq!(
        site.get("backup/b").unwrap()["status"]["phase"],
        "Completed"
    );
    assert!(site.file("backups/b/velero-backup.json").exists());
}

#[test]
fn an_invalid_backup_goes_although_its_location_does_not_exist() {
    let site = Site::running();
    site.add("Backup", "wrong", &json!({"storageLocation": "nowhere"}));
    site.wait("backup/wrong", "{.status.phase}", "FailedValidation");
    site.add(
        "DeleteBackupRequest",
        "away",
        &json!({"backupName": "wrong"}),
    );
    site.until("the deletion", |site| site.get("backup/wrong").is_none());
}

#[test]
fn an_expired_backup_that_cannot_go_says_why_until_it_can() {
    let mut site = Site::new();
    site.start(|options| options.garbage_collection_frequency = std::time::Duration::from_secs(1));
    site.add_location("default", site.bucket(), &json!({"default": true}));
    site.wait("bsl/default", "{.status.phase}", "Available");
    let shop = site.sample(1);
    let spec = json!({"includedNamespaces": [&shop], "ttl": "1h"});
    site.add("Backup", "b", &spec);
    site.wait("backup/b", "{.status.phase}", "Completed");
    let access = |mode: &str| {
        let patch = json!({"spec": {"accessMode": mode}}).to_string();
        site.kubectl(&["patch", "bsl", "default", "--type=merge", "-p", &patch]);
    };
    access("ReadOnly");
    site.clock.advance(std::time::Duration::from_hours(2));
    let label = r"{.metadata.labels.velero\.io/gc-failure}";
    site.wait("backup/b", label, "BSLReadOnly");
    assert!(site.file("backups/b/velero-backup.json").exists());
    access("ReadWrite");
    site.until("the collection", |site| site.get("backup/b").is_none());
    assert!(!site.file("backups/b/velero-backup.json").exists());
}

#[test]
fn expired_backups_are_collected() {
    let mut site = Site::new();
    site.start(|options| options.garbage_collection_frequency = std::time::Duration::from_secs(1));
    site.add_location("default", site.bucket(), &json!({"default": true}));
    site.wait("bsl/default", "{.status.phase}", "Available");
    let shop = site.sample(1);
    site.add("Backup", "kept", &json!({"includedNamespaces": [&shop]}));
    site.add(
        "Backup",
        "brief",
        &json!({"includedNamespaces": [&shop], "ttl": "1s"}),
    );
    site.until("the collection", |site| {
        site.get("backup/brief").is_none() && !site.file("backups/brief/brief.tar.gz").exists()
    });
    site.wait("backup/kept", "{.status.phase}", "Completed");
}
