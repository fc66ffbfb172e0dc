//! A server that is killed in the middle: its successor finishes the work, and
//! until then nothing half-written is listed.

use std::time::{Duration, Instant};

use ark_testkit::{ControlPlane, Namespaces};

use super::{Installation, PATIENCE, config_maps, many_config_maps};

const OBJECTS: usize = 3000;

/// Waits until the object's progress counter is above zero, and says whether it
/// was still running then.
fn caught_in_the_middle(ark: &Installation<'_>, object: &str, counter: &str) -> bool {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let status = ark.get(object, "jsonpath={.status}");
        let status: serde_json::Value = serde_json::from_str(&status).unwrap_or_default();
        let running = status["phase"] == "InProgress";
        if running && status["progress"][counter].as_u64() > Some(0) {
            return true;
        }
        if !running && status["phase"].is_string() && status["phase"] != "New" {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn a_killed_server_leaves_nothing_stuck_and_nothing_half_done() {
    let plane = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let mut ark = Installation::new(plane, bucket.path());
    let mut namespaces = Namespaces::new(plane);
    let source = namespaces.create("crash").unwrap();
    let target = namespaces.reserve("crash-back");
    many_config_maps(plane, &source, OBJECTS);
    let before = config_maps(plane, &source);
    assert_eq!(before.len(), OBJECTS);

    ark.ark(&[
        "backup",
        "create",
        "killed",
        "--include-namespaces",
        &source,
    ]);
    let started = Instant::now();
    while ark.phase("backup/killed") != "InProgress" {
        assert!(started.elapsed() < PATIENCE);
    }
    ark.kill();
    assert_eq!(
        ark.committed(),
        [""; 0],
        "the kill came too late to prove anything"
    );
    assert_eq!(ark.phase("backup/killed"), "InProgress");
    ark.start();
    ark.wait_for("backup/killed", "Completed");
    assert_eq!(ark.committed(), ["killed"]);

    let mapping = format!("{source}:{target}");
    ark.ark(&[
        "restore",
        "create",
        "back",
        "--from-backup",
        "killed",
        "--namespace-mappings",
        &mapping,
    ]);
    assert!(caught_in_the_middle(&ark, "restore/back", "itemsRestored"));
    ark.kill();
    let so_far = config_maps(plane, &target).len();
    assert!(so_far < OBJECTS, "the kill came too late to prove anything");
    ark.start();
    ark.wait_for("restore/back", "Completed");
    assert_eq!(
        config_maps(plane, &target),
        before,
        "every object is back, once, as it was"
    );
    let warnings = ark.get(
        "restore/back",
        "jsonpath={.status.warnings}{.status.errors}",
    );
    assert_eq!(
        warnings, "",
        "what the first server restored is no conflict for the second"
    );
}
