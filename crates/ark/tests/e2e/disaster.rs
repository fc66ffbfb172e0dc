//! The cluster is lost: a new, empty one is pointed at the bucket, sees the
//! backups, and is what the old one was.

use ark_testkit::{ControlPlane, Namespaces, Options};

use super::{Installation, config_maps, many_config_maps};

#[test]
fn an_empty_cluster_finds_the_backups_in_the_bucket_and_restores_them() {
    let first = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let mut namespaces = Namespaces::new(first);
    let namespace = namespaces.create("lost").unwrap();
    many_config_maps(first, &namespace, 50);
    let before = config_maps(first, &namespace);
    let old = Installation::new(first, bucket.path());
    old.ark(&[
        "backup",
        "create",
        "last",
        "--include-namespaces",
        &namespace,
        "--wait",
    ]);
    drop(old);

    let second = ControlPlane::start(&Options::default()).unwrap();
    let new = Installation::new(&second, bucket.path());
    new.wait_for("backup/last", "Completed");
    let listed = new.ark(&["backup", "get"]);
    assert!(listed.contains("last"), "{listed}");
    new.ark(&["restore", "create", "--from-backup", "last", "--wait"]);
    assert_eq!(config_maps(&second, &namespace), before);

    let logs = new.ark(&["backup", "logs", "last"]);
    assert!(logs.contains("revision"), "{logs}");
    new.ark(&["backup", "delete", "last", "--confirm", "--wait"]);
    assert_eq!(new.committed(), [""; 0]);
    assert_eq!(new.phase("backup/last"), "");
}
