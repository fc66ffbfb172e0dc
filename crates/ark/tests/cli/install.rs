//! What `ark install` would apply.

use serde_json::Value;

use crate::{ark, show, show_all};

/// The objects of a dry run, definitions reduced to their names.
fn objects(arguments: &[&str]) -> Vec<Value> {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("credentials"), "[default]\n").unwrap();
    let mut all = vec!["install", "--dry-run", "-o", "json"];
    all.extend(arguments);
    let output = ark(home.path(), &all);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list["kind"], "List");
    let items = list["items"].as_array().unwrap().iter().cloned();
    items
        .map(|item| match item["kind"].as_str() {
            Some("CustomResourceDefinition") => item["metadata"]["name"].clone(),
            _ => item,
        })
        .collect()
}

#[test]
fn everything_for_a_bucket_with_credentials() {
    insta::assert_yaml_snapshot!(objects(&[
        "--provider=aws",
        "--bucket=backups",
        "--prefix=one",
        "--backup-location-config=region=eu-1",
        "--secret-file=credentials",
        "--image=registry.example.com/ark:v1",
        "--pod-cpu-limit=0",
        "--pod-mem-limit=1Gi",
        "--pod-annotations=a=b",
        "--pod-labels=c=d",
        "--sa-annotations=role=ark",
        "--server-arg=--log-level=debug",
        "--namespace=backups",
    ]));
}

#[test]
fn the_definitions_alone() {
    let names = objects(&["--crds-only"]);
    assert_eq!(names.len(), 13);
    assert!(
        names.contains(&Value::from("backups.velero.io")),
        "{names:?}"
    );
}

#[test]
fn yaml_is_the_form_unless_asked_otherwise() {
    let text = show(&["install", "--dry-run", "--no-default-backup-location"]);
    assert!(
        text.contains("\nkind: List\n") || text.contains("stdout\napiVersion: v1\n"),
        "{text}"
    );
    assert!(
        !text.contains("BackupStorageLocation\n  metadata"),
        "{text}"
    );
}

#[test]
fn what_is_missing_is_asked_for() {
    insta::assert_snapshot!(show_all(&[
        &["install", "--dry-run"],
        &["install", "--dry-run", "--provider=aws", "--bucket=b"],
        &["install", "--dry-run", "--provider=aws"],
        &["install", "--dry-run", "--provider=fs", "--bucket=b"],
        &[
            "install",
            "--dry-run",
            "--provider=gcp",
            "--bucket=b",
            "--secret-file=missing"
        ],
    ]));
}

#[test]
fn flags_of_velero_reach_the_server_or_say_why_not() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("ca.pem"), "PEM").unwrap();
    let storage = ["--provider=velero.io/aws", "--bucket=b", "--no-secret"];
    let run = |more: &[&str]| {
        let dry = ["install", "--dry-run", "-o", "json"];
        ark(home.path(), &[&dry[..], &storage, more].concat())
    };
    let output = run(&[
        "--plugins=velero/velero-plugin-for-aws:v1.13.0",
        "--snapshot-location-config=region=here",
        "--concurrent-backups=3",
        "--restore-only",
        "--keep-latest-maintenance-jobs=3",
        "--cacert=ca.pem",
        "--service-account-name=mine",
        "--server-priority-class-name=high",
    ]);
    let told = String::from_utf8(output.stderr).unwrap();
    for idle in ["plugins", "keep-latest-maintenance"] {
        assert!(told.contains(&format!("--{idle}")), "{idle} in\n{told}");
    }
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of_kind = |kind: &str| {
        let items = list["items"].as_array().unwrap().iter();
        items
            .filter(|item| item["kind"] == kind)
            .collect::<Vec<_>>()
    };
    assert!(of_kind("ServiceAccount").is_empty() && of_kind("ClusterRoleBinding").is_empty());
    let location = of_kind("BackupStorageLocation")[0];
    assert_eq!(location["spec"]["objectStorage"]["caCert"], "UEVN");
    let disks = of_kind("VolumeSnapshotLocation")[0];
    assert_eq!(disks["spec"]["config"]["region"], "here");
    let pod = &of_kind("Deployment")[0]["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], "mine");
    assert_eq!(pod["priorityClassName"], "high");
    assert_eq!(
        pod["containers"][0]["args"],
        serde_json::json!(["server", "--concurrent-backups=3", "--restore-only=true"])
    );

    for without in [
        &[][..],
        &[
            "--snapshot-location-config=a=b",
            "--use-volume-snapshots=false",
        ],
    ] {
        let output = String::from_utf8(run(without).stdout).unwrap();
        assert!(!output.contains("\"kind\": \"VolumeSnapshotLocation\",\n      \"metadata\""));
    }

    for (wrong, why) in [
        ("--use-node-agent", "no node agent"),
        ("--uploader-type=restic", "restic"),
        ("--concurrent-backups=many", "many"),
        ("--server-arg=--no-such-flag", "--no-such-flag"),
    ] {
        let output = run(&[wrong]);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}: {told}");
        assert!(told.contains(why), "{wrong}: {told}");
        assert!(output.stdout.is_empty(), "{wrong}");
    }
}
