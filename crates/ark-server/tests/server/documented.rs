//! Manifests as somebody writes them by hand from Velero's documentation: those in
//! `documented/` use every field outside of volume data and are acted upon; the wrong
//! ones get Velero's phase and say what is wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use ark_testkit::s3::S3Server;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::site::Site;
use crate::strict;

/// Creates what a manifest says, with words of it replaced.
fn apply(site: &Site, manifest: &str, words: &[(&str, &str)]) {
    let manifest = manifest.replace("ARK", &site.namespace);
    let replaced = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
    let manifest = words.iter().fold(manifest, replaced);
    let create = ["create", "-f", "-"];
    site.plane.kubectl_stdin(&create, &manifest).unwrap();
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn backups_with_every_field() {
    let mut site = Site::running();
    let shop = site.namespace("shop");
    let other = site.namespace("other");
    let words = [("SHOP", shop.as_str()), ("OTHER", other.as_str())];
    apply(&site, include_str!("documented/objects.yaml"), &words);
    apply(&site, include_str!("documented/old-filters.yaml"), &words);
    apply(&site, include_str!("documented/new-filters.yaml"), &words);
    let ended = |name: &str| {
        let object = format!("backup/{name}");
        site.wait(&object, "{.status.phase}", "Completed");
        let files = site.files(&format!("backups/{name}"));
        (site.get(&object).unwrap(), files)
    };
    let (old, old_files) = ended("old-filters");
    let (new, new_files) = ended("new-filters");
    let priority = format!("priorityclass/{shop}");
    site.plane.kubectl(&["delete", &priority]).unwrap();

    let entry = |kind: &str, namespace: &str, name: &str| {
        let name = if namespace.is_empty() {
            name.to_owned()
        } else {
            format!("{namespace}/{name}")
        };
        (kind.to_owned(), name)
    };
    let listed = strict::backup(&old_files, "old-filters").listed;
    let expected = [
        entry("v1/Namespace", "", &shop),
        entry("v1/Namespace", "", &other),
        entry("v1/Service", &shop, "first"),
        entry("v1/Service", &shop, "last"),
        entry("v1/Service", &other, "far"),
    ];
    assert_eq!(listed, BTreeSet::from(expected));
    let tarball = &old_files["backups/old-filters/old-filters.tar.gz"];
    let services: Vec<String> = strict::tarball::entries(tarball)
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.starts_with("resources/services/namespaces/"))
        .collect();
    assert!(
        services[0].ends_with("/last.json") && services[1].ends_with("/first.json"),
        "{services:?}"
    );
    let status = &old["status"];
    let life = instant(&status["expiration"]).duration_since(instant(&status["startTimestamp"]));
    assert!(
        SignedDuration::from_hours(24).saturating_sub(life).abs() < SignedDuration::from_mins(1),
        "{life}"
    );
    assert_eq!(status["progress"]["itemsBackedUp"], 5);
    assert_eq!(old["metadata"]["labels"]["team"], "red");
    assert_eq!(
        old["metadata"]["labels"]["velero.io/storage-location"],
        "default"
    );
    assert_eq!(old["spec"]["csiSnapshotTimeout"], "5m");
    assert_eq!(old["spec"]["itemOperationTimeout"], "1h");

    let listed = strict::backup(&new_files, "new-filters").listed;
    let expected = [
        entry("v1/Namespace", "", &shop),
        entry("scheduling.k8s.io/v1/PriorityClass", "", &shop),
        entry("v1/Service", &shop, "first"),
        entry("v1/Service", &shop, "last"),
        entry("v1/Service", &shop, "draft"),
        entry("v1/Service", &shop, "queue"),
    ];
    assert_eq!(listed, BTreeSet::from(expected));
    assert_eq!(new["spec"]["ttl"], "720h0m0s");
}

#[test]
fn a_schedule_with_every_field() {
    let mut site = Site::running();
    let shop = site.sample(1);
    let manifest = include_str!("documented/schedule.yaml");
    apply(&site, manifest, &[("SHOP", &shop)]);
    site.wait("schedule/nightly", "{.status.phase}", "Enabled");
    site.clock.advance(Duration::from_hours(25));
    site.kubectl(&["annotate", "schedule", "nightly", "later=yes"]);
    site.wait("schedule/nightly", "{.metadata.annotations.later}", "yes");
    let made = || site.kubectl(&["get", "backups", "-l", "made", "-o", "name"]);
    site.until("a backup is made", |_| !made().is_empty());
    let backup = made().trim().to_owned();
    site.wait(&backup, "{.status.phase}", "Completed");
    let backup = site.get(&backup).unwrap();
    let noted = |site: &Site| site.get("schedule/nightly").unwrap()["status"]["lastBackup"].clone();
    site.until("the schedule notes it", |site| noted(site).is_string());
    let schedule = site.get("schedule/nightly").unwrap();
    assert_eq!(backup["metadata"]["labels"]["made"], "by-a-schedule");
    assert_eq!(
        backup["metadata"]["labels"]["velero.io/schedule-name"],
        "nightly"
    );
    assert_eq!(backup["metadata"]["annotations"]["note"], "by hand");
    assert_eq!(
        backup["metadata"]["ownerReferences"][0]["uid"],
        schedule["metadata"]["uid"]
    );
    assert_eq!(backup["spec"]["includedNamespaces"], json!([shop]));
    assert_eq!(backup["spec"]["ttl"], "72h0m0s");
    let last = instant(&schedule["status"]["lastBackup"]);
    let started = instant(&backup["status"]["startTimestamp"]);
    assert!(
        started.duration_since(last).abs() < SignedDuration::from_mins(1),
        "{last}"
    );
}

#[test]
fn locations_with_every_field() {
    let mut site = Site::new();
    site.start(|_| {});
    let server = S3Server::shared();
    let bucket = server.create_unique_bucket("documented").unwrap();
    let access = server.access();
    let words = [
        ("ACCESS_KEY", access.access_key.as_str()),
        ("SECRET_KEY", access.secret_key.as_str()),
        ("BUCKET", bucket.as_str()),
        ("REGION", access.region.as_str()),
        ("ENDPOINT", access.endpoint.as_str()),
    ];
    apply(&site, include_str!("documented/locations.yaml"), &words);
    site.wait("bsl/default", "{.status.phase}", "Available");
    let shop = site.sample(1);
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    assert_eq!(
        site.get("backup/b").unwrap()["spec"]["storageLocation"],
        "default"
    );
    let target = format!("/{bucket}/team/a/backups/b/velero-backup.json");
    assert_eq!(access.request("GET", &target, b"").unwrap().status, 200);
    site.wait("bsl/default", "{.spec.default}", "true");
    let synced = |site: &Site| site.get("bsl/default").unwrap()["status"]["lastSyncedTime"].clone();
    let first = synced(&site);
    site.until("the bucket is looked at again", |site| {
        synced(site) != first
    });
    assert!(site.get("volumesnapshotlocation/disks").is_some());
}

/// A manifest that is refused, and what the refusal says.
#[derive(Deserialize)]
struct Wrong {
    kind: String,
    name: String,
    spec: Value,
    says: Vec<String>,
}

impl Wrong {
    fn check(&self, refusal: &str) {
        for word in &self.says {
            let (name, spec) = (&self.name, &self.spec);
            assert!(
                refusal.contains(word),
                "{name}: {spec:#}\n{refusal}\nhas no `{word}`"
            );
        }
    }
}

/// The cases of a file, and all of them in one list to create.
fn wrong(cases: &str) -> (Vec<Wrong>, Value) {
    let cases: Vec<Wrong> = serde_json::from_str(cases).unwrap();
    let manifest = |case: &Wrong| {
        json!({
            "apiVersion": "velero.io/v1", "kind": case.kind,
            "metadata": {"name": case.name}, "spec": case.spec,
        })
    };
    let items: Vec<Value> = cases.iter().map(manifest).collect();
    (
        cases,
        json!({"apiVersion": "v1", "kind": "List", "items": items}),
    )
}

const INVALID: (&str, &str) = ("FailedValidation", "validationErrors");

/// Creates them all; each comes into the phase, with what is wrong in the field.
fn refused(site: &Site, cases: &str, (phase, field): (&str, &str)) {
    let (cases, list) = wrong(cases);
    site.create(&list);
    for case in cases {
        let object = format!("{}/{}", case.kind, case.name);
        site.wait(&object, "{.status.phase}", phase);
        let status = &site.get(&object).unwrap()["status"];
        case.check(&status[field].to_string());
        assert_eq!(status["startTimestamp"], Value::Null, "{object} never ran");
    }
}

#[test]
fn backups_that_cannot_be_meant() {
    let site = Site::running();
    site.add_location("archive", site.bucket(), &json!({"accessMode": "ReadOnly"}));
    site.add_location("gone", &site.bucket().join("gone"), &json!({}));
    site.wait("bsl/gone", "{.status.phase}", "Unavailable");
    for (name, rules) in [
        ("faulty", "version: v2\nvolumePolicies: []\n"),
        (
            "kinds",
            "version: v1\nincludeExcludePolicy: {excludedNamespaceScopedResources: [pods]}\n",
        ),
    ] {
        site.create(&json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
            "data": {"rules": rules},
        }));
    }
    let cases = include_str!("documented/wrong-backups.json");
    refused(&site, cases, INVALID);
}

#[test]
fn restores_that_cannot_be_meant() {
    let mut site = Site::running();
    let shop = site.sample(1);
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    let cases = include_str!("documented/wrong-restores.json");
    refused(&site, cases, INVALID);
}

#[test]
fn schedules_that_cannot_be_meant() {
    let site = Site::running();
    let cases = include_str!("documented/wrong-schedules.json");
    refused(&site, cases, INVALID);
}

#[test]
fn locations_that_cannot_be_used() {
    let mut site = Site::new();
    site.start(|_| {});
    site.create(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cloud"},
        "stringData": {"keys": "[default]\naws_access_key_id = a\naws_secret_access_key = b\n"},
    }));
    let cases = include_str!("documented/wrong-locations.json");
    refused(&site, cases, ("Unavailable", "message"));
}

#[test]
fn requests_that_cannot_be_met() {
    let site = Site::running();
    let cases = include_str!("documented/wrong-requests.json");
    refused(&site, cases, ("Processed", "errors"));
}

/// What Velero's definitions do not take is not taken here either.
#[test]
fn what_the_api_server_refuses() {
    let site = Site::new();
    let (cases, list) = wrong(include_str!("documented/wrong-for-the-api.json"));
    // kubectl's own validation would say it first, of all objects at once.
    let validation = "--validate=false";
    let create = ["-n", &site.namespace, "create", validation, "-f", "-"];
    let refusals = site.plane.kubectl_stdin(&create, &list.to_string());
    let refusals = format!("{:#}", refusals.unwrap_err());
    for case in cases {
        let start = format!("{}.velero.io \"{}\" is invalid", case.kind, case.name);
        let refusal = refusals.lines().find(|line| line.contains(&start));
        case.check(refusal.unwrap_or_else(|| panic!("{start}: not said in\n{refusals}")));
    }
}
