//! Velero's own command line against Ark's server: whoever moves keeps typing what
//! they typed.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use ark_testkit::binaries::velero;
use ark_testkit::s3::S3Server;
use ark_testkit::{ControlPlane, Namespaces};

use super::{Installation, PATIENCE, config_maps, many_config_maps};

/// An installation with a location `s3`, made by the stock command line.
struct Stock<'a> {
    ark: Installation<'a>,
    bucket: String,
    home: tempfile::TempDir,
}

impl<'a> Stock<'a> {
    fn new(plane: &'a ControlPlane) -> Self {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("directory");
        std::fs::create_dir(&directory).unwrap();
        let server = S3Server::shared();
        let bucket = server.create_unique_bucket("stock").unwrap();
        let this = Self {
            ark: Installation::new(plane, &directory),
            bucket,
            home,
        };
        let access = server.access();
        let secret = serde_json::json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "cloud", "namespace": this.ark.namespace},
            "stringData": {"keys": format!(
                "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                access.access_key, access.secret_key
            )},
        });
        plane
            .kubectl_stdin(&["create", "-f", "-"], &secret.to_string())
            .unwrap();
        let config = format!(
            "region={},s3Url={},s3ForcePathStyle=true",
            access.region, access.endpoint
        );
        let location = ["backup-location", "create", "s3", "--provider", "aws"];
        let options = ["--bucket", &this.bucket, "--config", &config];
        let access = ["--credential", "cloud=keys", "--backup-sync-period", "1s"];
        this.run(&[&location[..], &options, &access].concat());
        this.ark.wait_for("backupstoragelocation/s3", "Available");
        this
    }

    /// Runs the stock command line; it must succeed. What it prints.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.attempt(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !errors.contains("error"),
            "velero {arguments:?}: {}\n{text}\n{errors}",
            output.status
        );
        text
    }

    /// Whether its list of backups has one of this name.
    fn knows_backup(&self, name: &str) -> bool {
        let list = self.run(&["backup", "get"]);
        list.lines()
            .any(|line| line.split_whitespace().next() == Some(name))
    }

    fn attempt(&self, arguments: &[&str]) -> Output {
        Command::new(velero::ensure().unwrap())
            .args(arguments)
            .env("KUBECONFIG", self.ark.plane.kubeconfig())
            .env("VELERO_NAMESPACE", &self.ark.namespace)
            .env("HOME", self.home.path())
            .output()
            .unwrap()
    }

    /// Runs the stock command line and waits until what it prints has all these.
    fn until(&self, arguments: &[&str], wanted: &[&str]) {
        let started = Instant::now();
        loop {
            let text = self.run(arguments);
            if wanted.iter().all(|part| text.contains(part)) {
                return;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "velero {arguments:?}: not all of {wanted:?} in\n{text}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Asserts that a text has all parts, in this order.
#[track_caller]
fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("no {part:?} after what comes before it in\n{text}");
        };
        rest = after;
    }
}

#[test]
fn a_backup_a_disaster_and_a_restore() {
    let plane = ControlPlane::shared();
    let stock = Stock::new(plane);
    let mut namespaces = Namespaces::new(plane);
    let shop = namespaces.create("stock-shop").unwrap();
    many_config_maps(plane, &shop, 5);
    let before = config_maps(plane, &shop);

    assert_in_order(&stock.run(&["version"]), &["Server:", "Version: v"]);
    let made = stock.run(&[
        "backup",
        "create",
        "b",
        "--storage-location",
        "s3",
        "--include-namespaces",
        &shop,
        "--snapshot-volumes=false",
        "--labels",
        "team=red",
        "--ttl",
        "1h",
        "--wait",
    ]);
    assert!(made.contains("completed with status: Completed"), "{made}");
    assert_in_order(
        &stock.run(&["backup", "get", "-l", "team=red"]),
        &["NAME", "b ", "Completed", "0", "0", "59m", "s3"],
    );
    assert_in_order(
        &stock.run(&["backup", "describe", "b", "--details"]),
        &[
            "Phase:  Completed",
            &format!("Included:  {shop}"),
            "Storage Location:  s3",
            "TTL:  1h0m0s",
            "Backup Format Version:  1.1.0",
            "Items backed up:",
            "Resource List:",
            "v1/ConfigMap:",
            &format!("- {shop}/item-00000"),
            "Velero-Native Snapshots: <none included>",
            "CSI Snapshots: <none included>",
            "Pod Volume Backups: <none included>",
            "HooksFailed:     0",
        ],
    );
    let described = stock.run(&["backup", "describe", "b", "-o", "json"]);
    let described: serde_json::Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["phase"], "Completed");
    assert!(stock.run(&["backup", "logs", "b"]).contains("level=info"));
    let file = stock.home.path().join("b.tar.gz");
    stock.run(&["backup", "download", "b", "-o", file.to_str().unwrap()]);
    let listed = Command::new("tar").arg("tzf").arg(&file).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let entry = format!("resources/configmaps/namespaces/{shop}/item-00000.json");
    assert!(listed.contains(&entry), "{listed}");

    plane.kubectl(&["delete", "namespace", &shop]).unwrap();
    let made = stock.run(&["restore", "create", "r", "--from-backup", "b", "--wait"]);
    assert!(made.contains("completed with status: Completed"), "{made}");
    assert_eq!(config_maps(plane, &shop), before);
    assert_in_order(
        &stock.run(&["restore", "describe", "r", "--details"]),
        &[
            "Phase:                       Completed",
            "Items restored:",
            "Backup:  b",
            "Resource List:",
            &format!("- {shop}/item-00000(created)"),
        ],
    );
    assert!(stock.run(&["restore", "logs", "r"]).contains("level=info"));
}

#[test]
fn a_deleted_backup_leaves_nothing_behind() {
    let plane = ControlPlane::shared();
    let stock = Stock::new(plane);
    let create = ["backup", "create", "b", "--storage-location", "s3"];
    let options = ["--include-resources", "priorityclasses", "--wait"];
    let made = stock.run(&[&create[..], &options].concat());
    assert!(made.contains("completed with status: Completed"), "{made}");
    stock.run(&["restore", "create", "r", "--from-backup", "b", "--wait"]);

    stock.run(&["backup", "delete", "b", "--confirm"]);
    let started = Instant::now();
    while stock.knows_backup("b") {
        assert!(started.elapsed() < PATIENCE, "the backup stays");
        std::thread::sleep(Duration::from_millis(200));
    }
    let restores = stock.run(&["restore", "get"]);
    assert!(!restores.contains("Completed"), "{restores}");
    let query = format!("/{}?list-type=2", stock.bucket);
    let access = S3Server::shared().access();
    let listing = access.request("GET", &query, b"").unwrap();
    let listing = String::from_utf8_lossy(&listing.body).into_owned();
    assert!(listing.contains("ListBucketResult"), "{listing}");
    assert!(!listing.contains("<Key>"), "{listing}");
}

#[test]
fn a_schedule_and_its_backups() {
    let plane = ControlPlane::shared();
    let stock = Stock::new(plane);
    let mut namespaces = Namespaces::new(plane);
    let shop = namespaces.create("stock-plan").unwrap();
    let options = ["--include-namespaces", &shop, "--storage-location", "s3"];
    let create = ["schedule", "create", "s", "--schedule", "0 3 * * *"];
    stock.run(&[&create[..], &options].concat());
    stock.until(&["schedule", "get"], &["Enabled", "0 3 * * *", "false"]);
    stock.run(&["schedule", "pause", "s"]);
    stock.until(&["schedule", "get"], &["true"]);
    stock.run(&["schedule", "unpause", "s"]);
    assert_in_order(
        &stock.run(&["schedule", "describe", "s"]),
        &["Phase:  Enabled", "Paused:  false", "Last Backup:  <never>"],
    );
    stock.run(&["backup", "create", "now", "--from-schedule", "s", "--wait"]);
    let backups = stock.run(&["backup", "get", "--selector", "velero.io/schedule-name=s"]);
    assert_in_order(&backups, &["now", "Completed"]);
    stock.run(&["restore", "create", "--from-schedule", "s", "--wait"]);
    stock.until(&["restore", "get"], &["now", "Completed"]);
    stock.run(&["schedule", "delete", "s", "--confirm"]);
    assert!(!stock.run(&["schedule", "get"]).contains("Enabled"));
}

#[test]
fn what_is_wrong_is_told() {
    let stock = Stock::new(ControlPlane::shared());
    let create = ["backup", "create", "wrong", "--wait"];
    let options = ["--resource-policies-configmap", "nowhere"];
    let made = stock.run(&[&create[..], &options].concat());
    assert!(made.contains("FailedValidation"), "{made}");
    assert_in_order(
        &stock.run(&["backup", "describe", "wrong"]),
        &[
            "Phase:  FailedValidation",
            "Validation errors:",
            "`nowhere`",
        ],
    );
    let plugins = stock.run(&["plugin", "get"]);
    assert_in_order(
        &plugins,
        &[
            "velero.io/pod",
            "BackupItemAction",
            "velero.io/aws",
            "ObjectStore",
        ],
    );
    stock.run(&["snapshot-location", "create", "v", "--provider", "aws"]);
    assert!(stock.run(&["snapshot-location", "get"]).contains("aws"));
    assert!(stock.run(&["repo", "get"]).is_empty());
}

#[test]
fn a_deleted_location_takes_its_backups_along() {
    let plane = ControlPlane::shared();
    let stock = Stock::new(plane);
    let create = ["backup", "create", "b", "--storage-location", "s3"];
    let options = ["--include-resources", "priorityclasses", "--wait"];
    stock.run(&[&create[..], &options].concat());
    stock.run(&["backup-location", "delete", "s3", "--confirm"]);
    assert!(!stock.run(&["backup-location", "get"]).contains("s3 "));
    assert!(!stock.knows_backup("b"));
    // Ark's own does the same, and the bucket keeps the backup.
    let access = S3Server::shared().access();
    let location = serde_json::json!({
        "apiVersion": "velero.io/v1", "kind": "BackupStorageLocation",
        "metadata": {"name": "again", "namespace": stock.ark.namespace},
        "spec": {
            "provider": "aws", "backupSyncPeriod": "1s",
            "objectStorage": {"bucket": stock.bucket},
            "credential": {"name": "cloud", "key": "keys"},
            "config": {"region": access.region, "s3Url": access.endpoint, "s3ForcePathStyle": "true"},
        },
    });
    plane
        .kubectl_stdin(&["create", "-f", "-"], &location.to_string())
        .unwrap();
    stock.until(&["backup", "get"], &["b ", "again"]);
    let delete = ["backup-location", "delete", "again", "--confirm"];
    stock.ark.ark(&delete);
    assert!(!stock.knows_backup("b"));
}
