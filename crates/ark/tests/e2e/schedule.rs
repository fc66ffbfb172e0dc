//! Schedules as their users have them: by the command line alone.

use std::time::Duration;

use ark_testkit::{ControlPlane, Namespaces};

use crate::{Installation, PATIENCE, many_config_maps};

#[test]
fn a_schedule_from_its_creation_to_its_end() {
    let plane = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let site = Installation::new(plane, bucket.path());
    let mut namespaces = Namespaces::new(plane);
    let shop = namespaces.create("shop").unwrap();
    many_config_maps(plane, &shop, 2);

    site.ark(&[
        "schedule",
        "create",
        "often",
        "--schedule",
        "@every 2s",
        "--include-namespaces",
        &shop,
        "--labels",
        "team=red",
        "--ttl",
        "72h",
    ]);
    site.wait_for("schedule/often", "Enabled");
    let started = std::time::Instant::now();
    while !site
        .committed()
        .iter()
        .any(|name| name.starts_with("often-20"))
    {
        assert!(started.elapsed() < PATIENCE, "no backup comes");
        std::thread::sleep(Duration::from_millis(200));
    }

    site.ark(&["schedule", "pause", "often"]);
    let table = site.ark(&["get", "schedules"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("NAME") && lines[0].ends_with("PAUSED"),
        "{table}"
    );
    assert!(
        lines[1].starts_with("often") && lines[1].ends_with("true"),
        "{table}"
    );
    assert!(
        lines[1].contains("@every 2s") && lines[1].contains(" ago"),
        "{table}"
    );
    let name = site.ark(&["schedule", "get", "often", "-o", "name"]);
    assert_eq!(name, "schedule.velero.io/often\n");
    let json = site.ark(&["schedule", "describe", "often", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["paused"], true);
    assert_eq!(json["backupTemplate"]["TTL"], "72h0m0s");
    assert!(
        json["lastBackup"].is_string() && json["nextBackup"].is_null(),
        "{json:#}"
    );

    // By hand, from the template, while it is paused.
    site.ark(&[
        "backup",
        "create",
        "by-hand",
        "--from-schedule",
        "often",
        "--wait",
    ]);
    let labels = site.get("backup/by-hand", "jsonpath={.metadata.labels}");
    assert!(
        labels.contains("\"velero.io/schedule-name\":\"often\""),
        "{labels}"
    );
    assert!(labels.contains("\"team\":\"red\""), "{labels}");

    site.ark(&["schedule", "unpause", "--all", "--skip-immediately", "true"]);
    let paused = site.get("schedule/often", "jsonpath={.spec.paused}");
    assert_ne!(paused, "true");
    site.ark(&["delete", "schedule", "often", "--confirm", "--wait"]);
    assert_eq!(site.get("schedule/often", "name"), "");
    // What it made stays.
    assert!(site.committed().contains(&"by-hand".to_owned()));
}
