//! Stopping what waits or runs, and what a running restore holds up.

use ark_api::delete_request::DeleteBackupRequestSpec;
use ark_api::{
    Backup, DeleteBackupRequest, DeleteBackupRequestPhase, Restore, RestorePhase, cancel,
};
use ark_kube::CustomResource;
use serde_json::json;

use crate::site::{PATIENCE, Site};

/// Asks for it as `ark … cancel` does; kubectl would take longer than the work.
fn stop<K: CustomResource>(site: &Site, name: &str) {
    let objects = site.custom::<K>();
    site.block_on(async {
        let object = objects.get(name).await.unwrap().unwrap();
        let mut asked = object.clone();
        cancel::request(asked.meta_mut());
        objects.patch(name, &object, &asked).await.unwrap();
    });
}

/// What the server answers to a request for a backup's deletion.
fn refusal(site: &Site, backup: &str) -> String {
    let requests = site.custom::<DeleteBackupRequest>();
    let spec = DeleteBackupRequestSpec {
        backup_name: backup.to_owned(),
    };
    let request = DeleteBackupRequest::new("early", spec);
    let done =
        |request: &DeleteBackupRequest| *request.phase() == DeleteBackupRequestPhase::Processed;
    let answered = site.block_on(async {
        requests.create(&request).await.unwrap();
        requests.watch_until("early", done, PATIENCE).await.unwrap()
    });
    answered.status.unwrap().errors.join("; ")
}

fn site() -> (Site, String) {
    let mut site = Site::new();
    site.start(|options| {
        options.backup.max_page_items = 1;
        options.backup.list_concurrency = 1;
        options.restore.concurrency = 1;
    });
    site.add_location("default", site.bucket(), &json!({"default": true}));
    site.wait("bsl/default", "{.status.phase}", "Available");
    let shop = site.sample(400);
    (site, shop)
}

#[test]
fn a_running_backup_is_cancelled_and_can_be_deleted() {
    let (site, shop) = site();
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.await_backup("b", &["InProgress"]);
    let errors = refusal(&site, "b");
    assert!(errors.contains("ark backup cancel b"), "{errors}");
    stop::<Backup>(&site, "b");
    site.wait("backup/b", "{.status.phase}", "Failed");
    let status = site.get("backup/b").unwrap()["status"].clone();
    assert_eq!(status["failureReason"], "cancelled by request");
    assert!(status["completionTimestamp"].is_string());
    assert!(!site.file("backups/b/velero-backup.json").exists());
    site.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    site.until("the deletion", |site| site.get("backup/b").is_none());
    let left = walk(&site.file("backups"));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_running_backup_whose_resource_is_deleted_leaves_nothing() {
    let (site, shop) = site();
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.await_backup("b", &["InProgress"]);
    let running = |count| format!("ark_jobs_running{{kind=\"backup\"}} {count}");
    let works = |site: &Site, count: usize| site.ask("/metrics").contains(&running(count));
    site.until("it works", |site| works(site, 1));
    // Not by kubectl: it takes its time, and the backup may be done by then.
    let deleted = site.custom::<Backup>();
    assert!(site.block_on(deleted.delete("b")).unwrap());
    site.until("it ends", |site| works(site, 0));
    let left = walk(&site.file("backups"));
    assert!(left.is_empty(), "{left:?}");
    assert!(site.get("backup/b").is_none());
}

fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn a_running_restore_keeps_its_backup_until_it_is_cancelled() {
    let (mut site, shop) = site();
    let copy = site.namespaces.reserve("copy");
    site.add("Backup", "b", &json!({"includedNamespaces": [&shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    let mapping = json!({"backupName": "b", "namespaceMapping": {shop: &copy}});
    site.add("Restore", "r", &mapping);
    let restores = site.custom::<Restore>();
    let begun = |restore: &Restore| *restore.phase() == RestorePhase::InProgress;
    site.block_on(restores.watch_until("r", begun, PATIENCE))
        .unwrap();
    let errors = refusal(&site, "b");
    assert!(errors.contains("restore `r` is reading"), "{errors}");
    stop::<Restore>(&site, "r");
    site.wait("restore/r", "{.status.phase}", "Failed");
    let reason = site.get("restore/r").unwrap()["status"]["failureReason"].to_string();
    assert!(reason.contains("cancelled by request"), "{reason}");
    site.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    site.until("the deletion", |site| site.get("backup/b").is_none());
}

#[test]
fn a_restore_waits_for_a_location_that_nobody_has_looked_at() {
    let mut first = Site::running();
    let shop = first.sample(3);
    first.add("Backup", "b", &json!({"includedNamespaces": [&shop]}));
    first.wait("backup/b", "{.status.phase}", "Completed");
    let spec = first.get("backup/b").unwrap()["spec"].clone();
    let status = first.get("backup/b").unwrap()["status"].clone();

    let mut second = Site::new();
    let copy = second.namespaces.reserve("copy");
    second.add_location("default", first.bucket(), &json!({"default": true}));
    second.create(&json!({
        "apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": "b"},
        "spec": spec, "status": status,
    }));
    let mapping = json!({"backupName": "b", "namespaceMapping": {shop: &copy}});
    second.add("Restore", "early", &mapping);
    second.start(|_| {});
    second.wait("restore/early", "{.status.phase}", "Completed");
    assert_eq!(second.intact(&copy), 3);
}
