//! Events: each change of a phase, of jobs and of requests.

use serde_json::json;

use crate::site::Site;

#[test]
fn every_phase_of_every_job_is_an_event() {
    let mut site = Site::running();
    let shop = site.sample(1);
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    let restore = json!({"backupName": "b", "restorePVs": false});
    site.add("Restore", "r", &restore);
    site.wait("restore/r", "{.status.phase}", "Completed");
    site.add("Restore", "wrong", &json!({"backupName": "nothing"}));
    site.wait("restore/wrong", "{.status.phase}", "FailedValidation");
    site.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    site.until("the deletion", |site| site.get("backup/b").is_none());
    for (kind, reason, severity) in [
        ("Backup", "Queued", "Normal"),
        ("Backup", "ReadyToStart", "Normal"),
        ("Backup", "InProgress", "Normal"),
        ("Backup", "Completed", "Normal"),
        ("Backup", "Deleting", "Normal"),
        ("Restore", "InProgress", "Normal"),
        ("Restore", "Completed", "Normal"),
        ("Restore", "FailedValidation", "Warning"),
        ("DeleteBackupRequest", "InProgress", "Normal"),
        ("DeleteBackupRequest", "Processed", "Normal"),
    ] {
        let event = (reason.to_owned(), severity.to_owned());
        site.until(&format!("{kind} {reason}"), |site| {
            site.reasons(kind).contains(&event)
        });
    }
}
