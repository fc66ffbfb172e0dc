//! Looking into a bucket without a server: the bucket is a directory here.

use std::path::Path;

use crate::show_all_in;

/// A directory that holds one committed backup with its log, results and list.
fn bucket(home: &Path) {
    let directory = home.join("bucket/backups/nightly");
    std::fs::create_dir_all(&directory).unwrap();
    let metadata = serde_json::json!({
        "apiVersion": "velero.io/v1",
        "kind": "Backup",
        "metadata": {"name": "nightly", "namespace": "velero"},
        "spec": {"includedNamespaces": ["shop"], "storageLocation": "default", "ttl": "720h0m0s"},
        "status": {
            "phase": "PartiallyFailed",
            "formatVersion": "1.1.0",
            "startTimestamp": "2026-03-01T12:00:00Z",
            "completionTimestamp": "2026-03-01T12:00:30Z",
            "errors": 1,
            "progress": {"totalItems": 3, "itemsBackedUp": 2},
        },
    });
    std::fs::write(directory.join("velero-backup.json"), metadata.to_string()).unwrap();
    let results = serde_json::json!({
        "errors": {"namespaces": {"shop": ["pods shop/a: gone"]}},
        "warnings": {},
    });
    pack(&directory.join("nightly-results.gz"), &results);
    let list = serde_json::json!({"v1/Pod": ["shop/b"], "v1/Namespace": ["shop"]});
    pack(&directory.join("nightly-resource-list.json.gz"), &list);
    pack(&directory.join("nightly-logs.gz"), &"a line");
}

fn pack(path: &Path, document: &impl serde::Serialize) {
    std::fs::write(path, ark_archive::side::encode(document).unwrap()).unwrap();
}

#[test]
fn backups_are_listed() {
    let home = tempfile::tempdir().unwrap();
    bucket(home.path());
    insta::with_settings!({filters => vec![(r"\d+[a-z0-9]*( ago)?   default", "[EXPIRES]   default")]}, {
        insta::assert_snapshot!(show_all_in(
            home.path(),
            &[
                &["backup", "get", "--from", "bucket"],
                &["get", "backups", "--from", "bucket", "-o", "name"],
                &["backup", "get", "nightly", "--from", "bucket", "-o", "yaml"],
                &["backup", "get", "--from", "bucket", "-o", "json"],
            ]
        ));
    });
}

#[test]
fn a_backup_is_described_with_its_objects() {
    let home = tempfile::tempdir().unwrap();
    bucket(home.path());
    insta::assert_snapshot!(show_all_in(
        home.path(),
        &[
            &[
                "backup",
                "describe",
                "nightly",
                "--from",
                "bucket",
                "--details"
            ],
            &[
                "backup", "describe", "nightly", "--from", "bucket", "-o", "json"
            ],
            &["backup", "logs", "nightly", "--from", "bucket"],
        ]
    ));
}

#[test]
fn what_is_not_there_is_told() {
    let home = tempfile::tempdir().unwrap();
    bucket(home.path());
    insta::assert_snapshot!(show_all_in(
        home.path(),
        &[
            &["backup", "describe", "other", "--from", "bucket"],
            &["backup", "logs", "other", "--from", "bucket"],
            &["backup", "get", "--from", "elsewhere"],
            &["backup", "get", "--from", "ftp://x"],
            &[
                "restore",
                "create",
                "--from-backup",
                "x",
                "--direct",
                "--from",
                "elsewhere"
            ],
        ]
    ));
}

#[test]
fn a_directory_of_something_else_is_refused() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join("photos/summer")).unwrap();
    insta::assert_snapshot!(show_all_in(
        home.path(),
        &[&["backup", "create", "x", "--direct", "--to", "photos"]]
    ));
}
