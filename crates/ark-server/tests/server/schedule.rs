//! Schedules by a clock that the test sets: due, missed, paused, in each other's way.

use std::time::Duration;

use serde_json::{Value, json};

use crate::site::Site;

/// Backups of a schedule, by name.
fn backups(site: &Site, schedule: &str) -> Vec<Value> {
    let selector = format!("velero.io/schedule-name={schedule}");
    let list = site.kubectl(&["get", "backups", "-l", &selector, "-o", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Has the server look at a schedule and waits until it has: what it writes in
/// answer tells that it did.
fn look(site: &Site, schedule: &str) {
    let object = format!("schedule/{schedule}");
    let before = site.get(&object).unwrap()["status"]["lastSkipped"].clone();
    // Whole seconds are what the status holds.
    std::thread::sleep(Duration::from_millis(1100));
    let skip = r#"{"spec":{"skipImmediately":true}}"#;
    site.kubectl(&["patch", &object, "--type=merge", "-p", skip]);
    site.until("the schedule is looked at", |site| {
        let schedule = site.get(&object).unwrap();
        schedule["spec"]["skipImmediately"] == false && schedule["status"]["lastSkipped"] != before
    });
}

fn nightly(site: &Site, shop: &str, more: &Value) {
    let mut spec = json!({
        "schedule": "0 3 * * *",
        "useOwnerReferencesInBackup": true,
        "template": {"includedNamespaces": [shop], "ttl": "2400h"},
    });
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    site.create(&json!({
        "apiVersion": "velero.io/v1", "kind": "Schedule", "spec": spec,
        "metadata": {"name": "nightly", "labels": {"team": "red"}, "annotations": {"note": "x"}},
    }));
}

/// An annotation is a change like any other.
fn poke(site: &Site, note: &str) {
    let note = format!("note={note}");
    site.kubectl(&["annotate", "schedule", "nightly", "--overwrite", &note]);
}

#[test]
fn days_of_downtime_are_caught_up_by_one_backup_even_after_a_crash() {
    let mut site = Site::running();
    let shop = site.sample(2);
    nightly(&site, &shop, &json!({}));
    site.wait("schedule/nightly", "{.status.phase}", "Enabled");
    assert!(backups(&site, "nightly").is_empty());

    site.clock.advance(Duration::from_hours(5 * 24));
    poke(&site, "five days later");
    site.until("the backup is complete", |site| {
        let made = backups(site, "nightly");
        made.len() == 1 && made[0]["status"]["phase"] == "Completed"
    });
    let backup = &backups(&site, "nightly")[0];
    let name = backup["metadata"]["name"].as_str().unwrap();
    assert!(
        name.starts_with("nightly-20") && name.ends_with("030000"),
        "{name}"
    );
    assert_eq!(backup["metadata"]["labels"]["team"], "red");
    assert_eq!(backup["metadata"]["annotations"]["note"], "five days later");
    let owner = &backup["metadata"]["ownerReferences"][0];
    assert_eq!(owner["kind"], "Schedule");
    assert_eq!(owner["controller"], true);
    let schedule = site.get("schedule/nightly").unwrap();
    assert_eq!(owner["uid"], schedule["metadata"]["uid"]);
    assert_eq!(backup["spec"]["ttl"], "2400h0m0s");
    assert!(
        site.file(&format!("backups/{name}/velero-backup.json"))
            .exists()
    );
    let last_backup = schedule["status"]["lastBackup"].as_str().unwrap();

    // As if the server had died before it noted the backup.
    let forget = r#"{"status":{"lastBackup":null}}"#;
    site.kubectl(&["patch", "schedule", "nightly", "--type=merge", "-p", forget]);
    site.until("the backup is found again", |site| {
        let again = site.get("schedule/nightly").unwrap();
        again["status"]["lastBackup"]
            .as_str()
            .is_some_and(|again| again >= last_backup)
    });
    assert_eq!(backups(&site, "nightly").len(), 1);

    let metrics = site.ask("/metrics");
    for line in [
        "velero_schedule_expected_interval_seconds{schedule=\"nightly\"} 86400",
        "velero_backup_attempt_total{schedule=\"nightly\"} 1",
        "velero_backup_success_total{schedule=\"nightly\"} 1",
        "velero_backup_failure_total{schedule=\"nightly\"} 0",
    ] {
        assert!(metrics.contains(line), "no `{line}` in\n{metrics}");
    }
}

#[test]
fn no_second_backup_is_made_while_one_has_not_ended() {
    let mut site = Site::new();
    // No slot: backups are queued and stay there.
    site.start(|options| options.concurrent_backups = 0);
    site.add_location("default", site.bucket(), &json!({"default": true}));
    site.wait("bsl/default", "{.status.phase}", "Available");
    let shop = site.sample(1);
    nightly(&site, &shop, &json!({}));
    site.wait("schedule/nightly", "{.status.phase}", "Enabled");
    site.clock.advance(Duration::from_hours(24));
    poke(&site, "one");
    site.until("the first backup is queued", |site| {
        let made = backups(site, "nightly");
        made.len() == 1 && made[0]["status"]["phase"] == "Queued"
    });
    site.clock.advance(Duration::from_hours(24));
    // A restart looks at everything once more.
    site.stop();
    site.start(|options| options.concurrent_backups = 0);
    site.until("the schedule was looked at", |site| {
        site.ask("/metrics")
            .contains("interval_seconds{schedule=\"nightly\"}")
    });
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(backups(&site, "nightly").len(), 1);
    // With a slot the first runs, and then the second is due.
    site.stop();
    site.start(|_| {});
    site.until("the first backup is complete", |site| {
        backups(site, "nightly")[0]["status"]["phase"] == "Completed"
    });
    poke(&site, "two");
    site.until("the second backup is made", |site| {
        backups(site, "nightly").len() == 2
    });
}

#[test]
fn a_wrong_schedule_is_refused_and_can_be_mended() {
    let site = Site::running();
    let wrong = json!({
        "schedule": "0 0 3 * * *",
        "template": {"includedNamespaces": ["a"], "excludedNamespaces": ["a"]},
    });
    site.add("Schedule", "nightly", &wrong);
    site.wait("schedule/nightly", "{.status.phase}", "FailedValidation");
    let schedule = site.get("schedule/nightly").unwrap();
    let messages = schedule["status"]["validationErrors"].as_array().unwrap();
    let text = schedule["status"]["validationErrors"].to_string();
    assert!(messages.len() == 2 && text.contains("seconds"), "{text}");
    let mend = json!({"spec": {"schedule": "0 3 * * *", "template": {"excludedNamespaces": null}}});
    let mend = mend.to_string();
    site.kubectl(&["patch", "schedule", "nightly", "--type=merge", "-p", &mend]);
    site.wait("schedule/nightly", "{.status.phase}", "Enabled");
    let schedule = site.get("schedule/nightly").unwrap();
    assert!(
        schedule["status"]["validationErrors"].is_null(),
        "{schedule:#}"
    );
    site.until("it is told as events", |site| {
        let events = site.reasons("Schedule");
        events.contains(&("FailedValidation".into(), "Warning".into()))
            && events.contains(&("Enabled".into(), "Normal".into()))
    });
}

#[test]
fn a_paused_schedule_waits_and_a_skip_leaves_out_what_is_due() {
    let mut site = Site::running();
    let shop = site.sample(1);
    nightly(&site, &shop, &json!({"paused": true}));
    site.wait("schedule/nightly", "{.status.phase}", "Enabled");
    site.clock.advance(Duration::from_hours(48));
    look(&site, "nightly");
    let resume = r#"{"spec":{"paused":false}}"#;
    site.kubectl(&["patch", "schedule", "nightly", "--type=merge", "-p", resume]);
    look(&site, "nightly");
    assert!(backups(&site, "nightly").is_empty());
    // Skipping holds once: the next night is not left out.
    site.clock.advance(Duration::from_hours(24));
    poke(&site, "the next day");
    site.until("the backup is made", |site| {
        backups(site, "nightly").len() == 1
    });
}

#[test]
fn a_server_that_skips_by_default_skips_for_each_schedule() {
    let mut site = Site::new();
    site.start(|options| options.schedule_skip_immediately = true);
    for name in ["one", "two", "three"] {
        site.add(
            "Schedule",
            name,
            &json!({"schedule": "@daily", "template": {}}),
        );
    }
    for name in ["one", "two", "three"] {
        let object = format!("schedule/{name}");
        site.wait(&object, "{.spec.skipImmediately}", "false");
        let schedule = site.get(&object).unwrap();
        assert!(
            schedule["status"]["lastSkipped"].is_string(),
            "{schedule:#}"
        );
    }
}

#[test]
fn short_intervals_go_by_themselves() {
    let mut site = Site::running();
    let shop = site.sample(1);
    nightly(&site, &shop, &json!({"schedule": "@every 2s"}));
    site.until("two backups are complete", |site| {
        let made = backups(site, "nightly");
        let complete = made
            .iter()
            .filter(|one| one["status"]["phase"] == "Completed");
        complete.count() >= 2
    });
    let pause = r#"{"spec":{"paused":true}}"#;
    site.kubectl(&["patch", "schedule", "nightly", "--type=merge", "-p", pause]);
    for (kind, reason) in [
        ("Backup", "InProgress"),
        ("Backup", "Completed"),
        ("Schedule", "Enabled"),
        ("BackupStorageLocation", "Available"),
    ] {
        site.until(reason, |site| {
            site.reasons(kind)
                .contains(&(reason.to_owned(), "Normal".to_owned()))
        });
    }
}
