//! Two servers, one bucket: what one makes the other sees.

use serde_json::{Value, json};

use crate::site::Site;

#[test]
fn a_second_server_sees_restores_and_loses_the_backups_of_the_first() {
    let mut first = Site::running();
    let shop = first.sample(5);
    first.add(
        "Backup",
        "shared",
        &json!({"includedNamespaces": [shop], "ttl": "48h"}),
    );
    first.wait("backup/shared", "{.status.phase}", "Completed");

    let mut second = Site::new();
    second.start(|_| {});
    second.add_location(
        "elsewhere",
        first.bucket(),
        &json!({"accessMode": "ReadOnly"}),
    );
    second.until("the import", |site| site.get("backup/shared").is_some());
    let (mut made, mut seen) = (
        first.get("backup/shared").unwrap(),
        second.get("backup/shared").unwrap(),
    );
    let conditions = [&mut made, &mut seen].map(|backup| backup["status"]["conditions"].take());
    for condition in conditions.iter().map(|conditions| &conditions[0]) {
        assert_eq!(condition["type"], "Succeeded");
        assert_eq!(condition["status"], "True");
        assert_eq!(condition["reason"], "Completed");
    }
    assert_eq!(seen["status"], made["status"]);
    assert_eq!(seen["spec"]["ttl"], "48h0m0s");
    assert_eq!(seen["spec"]["storageLocation"], "elsewhere");
    assert_eq!(
        seen["metadata"]["labels"]["velero.io/storage-location"],
        "elsewhere"
    );
    assert_eq!(seen["metadata"]["ownerReferences"], Value::Null);
    assert_ne!(seen["metadata"]["uid"], made["metadata"]["uid"]);

    let copy = second.namespaces.reserve("copy");
    let mapping = json!({"backupName": "shared", "namespaceMapping": {shop: &copy}});
    second.add("Restore", "there", &mapping);
    second.wait("restore/there", "{.status.phase}", "Completed");
    assert_eq!(second.intact(&copy), 5);

    first.add(
        "DeleteBackupRequest",
        "away",
        &json!({"backupName": "shared"}),
    );
    first.until("the deletion", |site| site.get("backup/shared").is_none());
    second.until("the removal", |site| site.get("backup/shared").is_none());
}

#[test]
fn a_period_of_zero_is_never() {
    let mut first = Site::running();
    let shop = first.sample(1);
    first.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    first.wait("backup/b", "{.status.phase}", "Completed");

    let mut second = Site::new();
    second.start(|_| {});
    let readable = |period: &str| json!({"accessMode": "ReadOnly", "backupSyncPeriod": period});
    second.add_location("never", first.bucket(), &readable("0s"));
    second.wait("bsl/never", "{.status.phase}", "Available");
    second.add_location("often", first.bucket(), &readable("1s"));
    second.until("the import", |site| site.get("backup/b").is_some());
    let seen = second.get("backup/b").unwrap();
    assert_eq!(seen["spec"]["storageLocation"], "often");
    let never = second.get("bsl/never").unwrap();
    assert_eq!(never["status"]["lastSyncedTime"], Value::Null);
}

#[test]
fn what_is_no_finished_backup_is_not_imported() {
    let site = Site::running();
    let put = |key: &str, text: &str| {
        let path = site.file(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let file = |name: &str, phase: &str| {
        let expiration = "2999-01-01T00:00:00Z";
        json!({
            "apiVersion": "velero.io/v1", "kind": "Backup",
            "metadata": {"name": name, "namespace": "velero"},
            "spec": {}, "status": {"phase": phase, "expiration": expiration},
        })
        .to_string()
    };
    put("backups/half/half.tar.gz", "");
    put("backups/damaged/velero-backup.json", "{");
    put(
        "backups/misnamed/velero-backup.json",
        &file("other", "Completed"),
    );
    put(
        "backups/running/velero-backup.json",
        &file("running", "InProgress"),
    );
    put(
        "backups/whole/velero-backup.json",
        &file("whole", "Completed"),
    );
    site.until("the import", |site| site.get("backup/whole").is_some());
    site.wait("backup/whole", "{.status.phase}", "Completed");
    let listed = site.kubectl(&["get", "backups", "-o", "name"]);
    assert_eq!(listed.trim(), "backup.velero.io/whole");
}
