//! Metrics of a server after work of every kind: names, types and values.

use serde_json::json;

use crate::site::Site;

/// What dashboards and alerts for Velero ask for, CSI, file copies and schedules apart.
const VELERO: &[(&str, &str)] = &[
    ("backup_tarball_size_bytes", "gauge"),
    ("backup_last_successful_timestamp", "gauge"),
    ("backup_items_total", "gauge"),
    ("backup_items_errors", "gauge"),
    ("backup_last_status", "gauge"),
    ("backup_total", "gauge"),
    ("restore_total", "gauge"),
    ("backup_attempt_total", "counter"),
    ("backup_success_total", "counter"),
    ("backup_partial_failure_total", "counter"),
    ("backup_failure_total", "counter"),
    ("backup_validation_failure_total", "counter"),
    ("backup_warning_total", "counter"),
    ("backup_deletion_attempt_total", "counter"),
    ("backup_deletion_success_total", "counter"),
    ("backup_deletion_failure_total", "counter"),
    ("backup_duration_seconds", "histogram"),
    ("backup_location_status_gauge", "gauge"),
    ("restore_attempt_total", "counter"),
    ("restore_success_total", "counter"),
    ("restore_partial_failure_total", "counter"),
    ("restore_failed_total", "counter"),
    ("restore_validation_failed_total", "counter"),
    ("volume_snapshot_attempt_total", "counter"),
    ("volume_snapshot_success_total", "counter"),
    ("volume_snapshot_failure_total", "counter"),
];

#[test]
fn a_scrape_after_work_has_every_name_with_its_type_and_value() {
    let mut site = Site::running();
    let shop = site.sample(2);
    let copy = site.namespaces.reserve("copy");
    let good = json!({"includedNamespaces": [&shop]});
    site.create(&json!({
        "apiVersion": "velero.io/v1", "kind": "Backup",
        "metadata": {"name": "good", "labels": {"velero.io/schedule-name": "daily"}},
        "spec": good,
    }));
    let absent = json!({"includedNamespaces": [&shop, "no-such-namespace"]});
    site.add("Backup", "partial", &absent);
    site.add("Backup", "wrong", &json!({"storageLocation": "nowhere"}));
    site.add("Backup", "away", &good);
    site.wait("backup/good", "{.status.phase}", "Completed");
    site.wait("backup/partial", "{.status.phase}", "PartiallyFailed");
    site.wait("backup/wrong", "{.status.phase}", "FailedValidation");
    site.wait("backup/away", "{.status.phase}", "Completed");
    let mapping = json!({"backupName": "good", "namespaceMapping": {shop: &copy}});
    site.add("Restore", "r", &mapping);
    site.add("Restore", "wrong", &json!({"backupName": "absent"}));
    site.wait("restore/r", "{.status.phase}", "Completed");
    site.wait("restore/wrong", "{.status.phase}", "FailedValidation");
    site.add("DeleteBackupRequest", "d", &json!({"backupName": "away"}));
    site.until("the deletion", |site| site.get("backup/away").is_none());

    let text = site.ask("/metrics");
    for (name, kind) in VELERO {
        // The text format names counters without their ending.
        let family = match *kind {
            "counter" => name.strip_suffix("_total").unwrap(),
            _ => name,
        };
        let line = format!("# TYPE velero_{family} {kind}\n");
        assert!(text.contains(&line), "no `{line}` in\n{text}");
    }
    for line in [
        "velero_backup_attempt_total{schedule=\"\"} 2",
        "velero_backup_attempt_total{schedule=\"daily\"} 1",
        "velero_backup_success_total{schedule=\"daily\"} 1",
        "velero_backup_success_total{schedule=\"\"} 1",
        "velero_backup_partial_failure_total{schedule=\"\"} 1",
        "velero_backup_validation_failure_total{schedule=\"\"} 1",
        "velero_backup_last_status{schedule=\"daily\"} 1",
        "velero_backup_items_errors{schedule=\"daily\"} 0",
        "velero_backup_duration_seconds_bucket{le=\"60.0\",schedule=\"daily\"} 1",
        "velero_backup_duration_seconds_bucket{le=\"14400.0\",schedule=\"daily\"} 1",
        "velero_backup_duration_seconds_count{schedule=\"daily\"} 1",
        "velero_restore_validation_failed_total{schedule=\"\"} 1",
        "velero_backup_deletion_attempt_total{schedule=\"\"} 1",
        "velero_backup_deletion_success_total{schedule=\"\"} 1",
        "velero_backup_location_status_gauge{backup_location_name=\"default\"} 1",
        "ark_jobs_running{kind=\"backup\"} 0",
        "ark_jobs_running{kind=\"restore\"} 0",
        "ark_backups_queued 0",
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
    // Names of backups would make new series for ever.
    assert!(!text.contains("\"good\""), "{text}");
}
