//! A server whose location is a bucket behind S3, and the files of it that stock
//! clients ask for: by a `DownloadRequest` and then with nothing but a URL.

use ark_testkit::http::{self, Answer};
use ark_testkit::s3::S3Server;
use serde_json::{Value, json};

use crate::site::Site;
use crate::strict::{self, Files};

/// Kind, whose, what comes after `backups/b/` or `restores/r/`.
const KINDS: [(&str, &str, &str); 12] = [
    ("BackupLog", "b", "b-logs.gz"),
    ("BackupContents", "b", "b.tar.gz"),
    ("BackupVolumeSnapshots", "b", "b-volumesnapshots.json.gz"),
    ("BackupItemOperations", "b", "b-itemoperations.json.gz"),
    ("BackupResourceList", "b", "b-resource-list.json.gz"),
    ("BackupResults", "b", "b-results.gz"),
    ("BackupVolumeInfos", "b", "b-volumeinfo.json.gz"),
    ("RestoreLog", "r", "restore-r-logs.gz"),
    ("RestoreResults", "r", "restore-r-results.gz"),
    (
        "RestoreResourceList",
        "r",
        "restore-r-resource-list.json.gz",
    ),
    (
        "RestoreItemOperations",
        "r",
        "restore-r-itemoperations.json.gz",
    ),
    ("RestoreVolumeInfo", "r", "r-volumeinfo.json.gz"),
];

/// What only old backups have: clients take 404 for "there are none".
const LACKING: [&str; 2] = [
    "CSIBackupVolumeSnapshots",
    "CSIBackupVolumeSnapshotContents",
];

/// A running server with a bucket of S3 below a prefix as its default location.
fn site() -> (Site, String) {
    let mut site = Site::new();
    site.start(|_| {});
    let server = S3Server::shared();
    let bucket = server.create_unique_bucket("server").unwrap();
    let access = server.access();
    let profile = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        access.access_key, access.secret_key
    );
    site.create(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cloud"},
        "stringData": {"keys": profile},
    }));
    site.add(
        "BackupStorageLocation",
        "default",
        &json!({
            "provider": "velero.io/aws", "default": true,
            "objectStorage": {"bucket": &bucket, "prefix": "team/a"},
            "credential": {"name": "cloud", "key": "keys"},
            "config": {"region": access.region, "s3Url": access.endpoint, "s3ForcePathStyle": "true"},
            "backupSyncPeriod": "1s", "validationFrequency": "1s",
        }),
    );
    site.wait("bsl/default", "{.status.phase}", "Available");
    (site, bucket)
}

/// Asks for a file as the stock command line does, and fetches it.
fn fetch(site: &Site, kind: &str, name: &str) -> (Answer, Value) {
    let request = format!("{name}-{}", kind.to_lowercase());
    site.add(
        "DownloadRequest",
        &request,
        &json!({"target": {"kind": kind, "name": name}}),
    );
    let object = format!("downloadrequest/{request}");
    site.wait(&object, "{.status.phase}", "Processed");
    let answered = site.get(&object).unwrap();
    let url = answered["status"]["downloadURL"].as_str().unwrap();
    (http::get(url).unwrap(), answered)
}

#[test]
fn every_kind_of_file_can_be_fetched_with_the_url_alone() {
    let (mut site, bucket) = site();
    let shop = site.sample(3);
    let copy = site.namespaces.reserve("copy");
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    let mapped = json!({"backupName": "b", "namespaceMapping": {&shop: &copy}});
    site.add("Restore", "r", &mapped);
    site.wait("restore/r", "{.status.phase}", "Completed");
    assert_eq!(site.intact(&copy), 3);

    let (mut backup, mut restore) = (Files::new(), Files::new());
    for (kind, name, file) in KINDS {
        let (answer, request) = fetch(&site, kind, name);
        assert_eq!(answer.status, 200, "{kind}: {request:#}");
        let url = request["status"]["downloadURL"].as_str().unwrap();
        let path = url.split_once('?').unwrap().0;
        assert!(
            path.ends_with(&format!("/{bucket}/team/a/{}", key(name, file))),
            "{url}"
        );
        assert!(url.contains("X-Amz-Expires=600"), "{url}");
        let files = if name == "b" {
            &mut backup
        } else {
            &mut restore
        };
        files.insert(key(name, file), answer.body);
    }
    for kind in LACKING {
        assert_eq!(fetch(&site, kind, "b").0.status, 404, "{kind}");
    }
    // The three that nobody asks for by a request.
    for file in [
        "velero-backup.json",
        "ark-index.gz",
        "ark-manifest.json",
        "b-podvolumebackups.json.gz",
    ] {
        let target = format!("/{bucket}/team/a/{}", key("b", file));
        let answer = S3Server::shared()
            .access()
            .request("GET", &target, b"")
            .unwrap();
        assert_eq!(answer.status, 200, "{file}");
        backup.insert(key("b", file), answer.body);
    }
    strict::backup(&backup, "b");
    let status = site.get("restore/r").unwrap()["status"].clone();
    strict::restore(&restore, "r", &status);
}

fn key(name: &str, file: &str) -> String {
    let folder = if name == "b" { "backups" } else { "restores" };
    format!("{folder}/{name}/{file}")
}

#[test]
fn an_address_lives_ten_minutes_and_its_request_as_long() {
    let (mut site, _) = site();
    let shop = site.sample(1);
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    let (_, request) = fetch(&site, "BackupLog", "b");
    let time = |at: &str| -> jiff::Timestamp {
        request
            .pointer(at)
            .unwrap()
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let life = time("/status/expiration").duration_since(time("/metadata/creationTimestamp"));
    assert!((595..=690).contains(&life.as_secs()), "{life:?}");
    // The kind has no separate status: a request can be made old.
    let old = r#"{"status":{"expiration":"2020-01-01T00:00:00Z"}}"#;
    site.kubectl(&[
        "patch",
        "downloadrequest/b-backuplog",
        "--type=merge",
        "-p",
        old,
    ]);
    site.until("the removal", |site| {
        site.get("downloadrequest/b-backuplog").is_none()
    });
}

#[test]
fn kinds_that_do_not_exist_are_refused_with_those_that_do() {
    let (site, _) = site();
    let request = json!({
        "apiVersion": "velero.io/v1", "kind": "DownloadRequest", "metadata": {"name": "odd"},
        "spec": {"target": {"kind": "BackupSecrets", "name": "b"}},
    });
    let arguments = ["-n", &site.namespace, "create", "-f", "-"];
    let refused = site.plane.kubectl_stdin(&arguments, &request.to_string());
    let text = format!("{:#}", refused.unwrap_err());
    assert!(
        text.contains("Unsupported value: \"BackupSecrets\""),
        "{text}"
    );
    for (kind, ..) in KINDS {
        assert!(text.contains(kind), "{kind}: {text}");
    }
}

#[test]
fn what_is_in_the_bucket_is_seen_and_goes_with_its_backup() {
    let (mut site, bucket) = site();
    let shop = site.sample(2);
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    // A resource that is lost comes back from the bucket.
    site.kubectl(&["delete", "backup", "b"]);
    site.until("the import", |site| site.get("backup/b").is_some());
    site.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    site.until("the deletion", |site| site.get("backup/b").is_none());
    let list = format!("/{bucket}?list-type=2&prefix=team%2Fa%2F");
    let answer = S3Server::shared()
        .access()
        .request("GET", &list, b"")
        .unwrap();
    let text = String::from_utf8(answer.body).unwrap();
    assert!(answer.status == 200 && !text.contains("<Key>"), "{text}");
}
