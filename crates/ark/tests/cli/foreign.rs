//! Backups that Velero and Heptio Ark made are looked into without a server.

use std::path::Path;

use ark_testkit::foreign;

use crate::ark;

/// What a run says on both streams, with single spaces, and how it ended.
fn says(home: &Path, arguments: &[&str]) -> (String, Option<i32>) {
    let output = ark(home, arguments);
    let both = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(both).unwrap();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = text.lines().map(words).collect();
    (lines.join("\n"), output.status.code())
}

/// A run that must succeed and say all of these.
fn tells(home: &Path, arguments: &[&str], parts: &[&str]) {
    let (text, code) = says(home, arguments);
    assert_eq!(code, Some(0), "{text}");
    for part in parts {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}

#[test]
fn backups_of_every_age_are_listed_and_described() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let bucket = home.join("bucket");
    foreign::velero_1_3(&bucket, "v1-3", "shop").unwrap();
    foreign::velero_1_16(&bucket, "v1-16", "shop", false).unwrap();
    foreign::heptio_0_10(&bucket, "ark-0-10", "shop").unwrap();
    let get = ["backup", "get", "--from", "bucket", "-o", "name"];
    tells(home, &get, &["/ark-0-10", "/v1-16", "/v1-3"]);

    let describe = |name: &str, parts: &[&str]| {
        let verb = ["backup", "describe", name, "--from", "bucket", "--details"];
        tells(home, &verb, parts);
    };
    describe(
        "v1-3",
        &[
            "Phase: Completed",
            "release=1.3",
            "Started: 2020-03-01 12:00:00",
        ],
    );
    describe(
        "v1-16",
        &["a warning", "1.1.0", "- shop/item-2", "v1/Namespace:"],
    );
    let converted = [
        "velero.io/schedule-name=nightly",
        "origin=heptio-ark",
        "Container: db",
        "Command: sync",
        "Timeout: 30s",
    ];
    describe("ark-0-10", &converted);
    let logs = ["backup", "logs", "v1-3", "--from", "bucket"];
    tells(home, &logs, &["msg=\"Backing up items\""]);
}

#[test]
fn backups_at_the_root_are_seen_when_the_url_says_so() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let root = home.join("root");
    foreign::heptio_0_3(&root, "ark-0-3", "shop").unwrap();
    foreign::heptio_0_9(&root, "ark-0-9", "shop").unwrap();
    let (text, code) = says(home, &["backup", "get", "--from", "root"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("(ark-0-3, ark-0-9)"), "{text}");
    assert!(
        text.contains("the config key `layout` to `heptio-ark`"),
        "{text}"
    );

    let old = format!("file://{}?layout=heptio-ark", root.display());
    let get = ["backup", "get", "--from", &old, "-o", "name"];
    tells(home, &get, &["/ark-0-3", "/ark-0-9"]);
    let describe = ["backup", "describe", "ark-0-3", "--from", &old];
    tells(home, &describe, &["Phase: Completed", "Started: <n/a>"]);
    let logs = ["backup", "logs", "ark-0-9", "--from", &old];
    tells(home, &logs, &["msg=\"Backing up items\""]);
}

#[test]
fn backups_of_every_age_are_searched() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let bucket = home.join("bucket");
    foreign::velero_1_3(&bucket, "v1-3", "shop").unwrap();
    foreign::velero_1_16(&bucket, "v1-16", "shop", true).unwrap();
    foreign::heptio_0_10(&bucket, "ark-0-10", "shop").unwrap();
    for backup in ["v1-3", "v1-16", "ark-0-10"] {
        let ls = ["backup", "ls", backup, "--from", "bucket", "-o", "name"];
        tells(
            home,
            &ls,
            &["namespaces/shop", "configmaps/item-1\nconfigmaps/item-2"],
        );
        let (text, _) = says(home, &[&ls[..], &["cm/*-2", "--in", "sh*"]].concat());
        assert_eq!(text, "configmaps/item-2", "{backup}");
        let cat = [
            "backup",
            "cat",
            backup,
            "ConfigMap/item-2",
            "--from",
            "bucket",
        ];
        tells(
            home,
            &cat,
            &["kind: ConfigMap", "name: item-2", "namespace: shop"],
        );
    }
    let every = ["backup", "ls", "v1-16", "hpa", "--from", "bucket"];
    let row = "shop horizontalpodautoscalers.autoscaling web";
    tells(home, &every, &["NAMESPACE KIND NAME SIZE", row]);
    let nowhere = [
        "backup",
        "ls",
        "v1-3",
        "--in",
        "elsewhere",
        "--from",
        "bucket",
    ];
    tells(home, &nowhere, &["Nothing of that is in backup `v1-3`"]);

    let refuses = |what: &str, expected: i32, part: &str| {
        let (text, code) = says(home, &["backup", "cat", "v1-3", what, "--from", "bucket"]);
        assert!(
            code == Some(expected) && text.contains(part),
            "{code:?} {text}"
        );
    };
    refuses("cm/absent", 1, "`ark backup ls v1-3` lists what is");
    refuses(
        "cm",
        2,
        "configmaps/item-0 in shop, configmaps/item-1 in shop",
    );
    refuses("cm/[", 2, "cm/[");
}

#[test]
fn backups_at_the_root_are_searched() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let root = home.join("root");
    foreign::heptio_0_3(&root, "ark-0-3", "shop").unwrap();
    let old = format!("file://{}?layout=heptio-ark", root.display());
    let cat = [
        "backup",
        "cat",
        "ark-0-3",
        "cm/item-1",
        "--from",
        &old,
        "-o",
        "json",
    ];
    tells(home, &cat, &["\"name\": \"item-1\""]);
}
