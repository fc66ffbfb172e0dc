//! The server may die at any moment: another one finishes what it began.

use ark_api::{Restore, RestorePhase};
use serde_json::json;

use crate::site::{PATIENCE, Site};

/// Pages of one object make a backup long enough to be interrupted.
fn slow(options: &mut ark_server::ServerOptions) {
    options.backup.max_page_items = 1;
    options.backup.list_concurrency = 1;
    options.restore.concurrency = 1;
}

fn site() -> (Site, String) {
    let mut site = Site::new();
    site.start(slow);
    site.add_location("default", site.bucket(), &json!({"default": true}));
    site.wait("bsl/default", "{.status.phase}", "Available");
    let shop = site.sample(400);
    (site, shop)
}

#[test]
fn a_backup_survives_a_kill_and_a_stop() {
    let (mut site, shop) = site();
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.await_backup("b", &["InProgress"]);
    site.kill();
    assert_eq!(
        site.get("backup/b").unwrap()["status"]["phase"],
        "InProgress"
    );
    assert!(
        !site.file("backups/b/velero-backup.json").exists(),
        "it was over too soon"
    );

    site.start(slow);
    let attempts = "{.metadata.annotations.ark\\.heptio\\.com/attempts}";
    site.wait("backup/b", attempts, "2");
    site.stop();
    assert_eq!(
        site.get("backup/b").unwrap()["status"]["phase"],
        "InProgress"
    );
    assert!(
        !site.file("backups/b/velero-backup.json").exists(),
        "it was over too soon"
    );

    // The one that was killed counts, the one that was told to end does not.
    site.wait("backup/b", attempts, "1");
    site.start(|_| {});
    site.wait("backup/b", "{.status.phase}", "Completed");
    let backup = site.get("backup/b").unwrap();
    assert!(
        backup["status"]["progress"]["itemsBackedUp"]
            .as_u64()
            .unwrap()
            >= 400
    );
    assert_eq!(
        backup["metadata"]["annotations"]["ark.heptio.com/attempts"],
        "2"
    );
    assert!(site.file("backups/b/velero-backup.json").exists());
}

#[test]
fn a_restore_survives_a_kill() {
    let (mut site, shop) = site();
    let copy = site.namespaces.reserve("copy");
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    site.add(
        "Restore",
        "r",
        &json!({"backupName": "b", "namespaceMapping": {shop: &copy}}),
    );
    let restores = site.custom::<Restore>();
    let begun = |restore: &Restore| *restore.phase() == RestorePhase::InProgress;
    site.block_on(restores.watch_until("r", begun, PATIENCE))
        .unwrap();
    site.kill();
    assert_eq!(
        site.get("restore/r").unwrap()["status"]["phase"],
        "InProgress"
    );

    site.start(|_| {});
    site.wait("restore/r", "{.status.phase}", "Completed");
    assert_eq!(site.intact(&copy), 400);
}

#[test]
fn a_job_that_brings_the_server_down_is_given_up() {
    let (mut site, shop) = site();
    site.kill();
    // As after three servers that died of it.
    site.create(&json!({
        "apiVersion": "velero.io/v1", "kind": "Backup",
        "metadata": {"name": "b", "annotations": {"ark.heptio.com/attempts": "3"}},
        "spec": {"includedNamespaces": [shop], "storageLocation": "default"},
        "status": {"phase": "InProgress"},
    }));
    site.start(|_| {});
    site.wait("backup/b", "{.status.phase}", "Failed");
    let reason = site.get("backup/b").unwrap()["status"]["failureReason"].to_string();
    assert!(reason.contains("begun 3 times"), "{reason}");
}

#[test]
fn a_backup_that_was_committed_before_the_crash_is_not_made_again() {
    let (mut site, shop) = site();
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    let file = site.file("backups/b/b.tar.gz");
    let written = std::fs::metadata(&file).unwrap().modified().unwrap();
    site.kill();
    // The server died after the commit and before it could say so.
    let before = r#"{"status":{"phase":"InProgress","completionTimestamp":null}}"#;
    site.kubectl(&["patch", "backup", "b", "--type=merge", "-p", before]);
    site.start(|_| {});
    site.wait("backup/b", "{.status.phase}", "Completed");
    assert!(site.get("backup/b").unwrap()["status"]["completionTimestamp"].is_string());
    assert_eq!(
        std::fs::metadata(&file).unwrap().modified().unwrap(),
        written
    );
}
