//! A server that only restores, and one without some of its controllers.

use ark_server::DisabledControllers;
use serde_json::json;

use crate::site::Site;

#[test]
fn a_server_that_only_restores_imports_and_restores_and_leaves_the_rest() {
    let mut first = Site::running();
    let shop = first.sample(3);
    let spec = json!({"includedNamespaces": [&shop], "ttl": "1s"});
    first.add("Backup", "b", &spec);
    first.wait("backup/b", "{.status.phase}", "Completed");

    let mut second = Site::new();
    second.start(|options| {
        options.disabled_controllers = DisabledControllers::default().restore_only();
        options.garbage_collection_frequency = std::time::Duration::from_secs(1);
    });
    second.add_location("default", first.bucket(), &json!({"default": true}));
    second.until("the import", |site| site.get("backup/b").is_some());
    let copy = second.namespaces.reserve("copy");
    let mapping = json!({"backupName": "b", "namespaceMapping": {&shop: &copy}});
    second.add("Restore", "r", &mapping);
    second.wait("restore/r", "{.status.phase}", "Completed");
    assert_eq!(second.intact(&copy), 3);

    second.add("Backup", "new", &json!({"includedNamespaces": [shop]}));
    second.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    // Its turn comes, and nobody is there to take it.
    second.wait("backup/new", "{.status.phase}", "ReadyToStart");
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(
        second.get("backup/new").unwrap()["status"]["phase"],
        "ReadyToStart"
    );
    let request = second.get("deletebackuprequest/away").unwrap();
    assert!(request["status"].is_null(), "{request:#}");
    // It has expired, and nobody collects.
    let requests = second.kubectl(&["get", "deletebackuprequests", "-o", "name"]);
    assert_eq!(requests.lines().count(), 1, "{requests}");
    assert!(first.file("backups/b/velero-backup.json").exists());
}
