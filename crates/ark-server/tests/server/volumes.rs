//! Volumes on disks of a cloud: what is there after each step, and after a death in the
//! middle of one.

mod cloud;

use std::time::{Duration, Instant};

use ark_testkit::fault::{Fault, FaultProxy, Rule};
use serde_json::{Value, json};

use self::cloud::{Amazon, Azure, Cloud, Google};
use crate::site::{PATIENCE, Site};

/// Claims in a namespace, each with a volume on a disk of its own.
struct Shop<'c> {
    cloud: &'c dyn Cloud,
    namespace: String,
    /// Ids of the disks, by number of the claim.
    disks: Vec<String>,
}

impl<'c> Shop<'c> {
    fn new(site: &mut Site, cloud: &'c dyn Cloud, count: usize) -> Self {
        let shop = Self {
            cloud,
            namespace: site.namespace("shop"),
            disks: (0..count).map(|_| cloud.create_disk()).collect(),
        };
        let items: Vec<Value> = (0..count).flat_map(|n| shop.objects(n)).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        let create = ["create", "-f", "-"];
        site.plane
            .kubectl_stdin(&create, &list.to_string())
            .unwrap();
        shop.bound(site);
        shop
    }

    fn objects(&self, n: usize) -> [Value; 2] {
        let (shop, name) = (&self.namespace, self.volume(n));
        let mut volume = json!({
            "apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"},
                "persistentVolumeReclaimPolicy": "Delete", "storageClassName": "",
                "claimRef": {"namespace": shop, "name": format!("data-{n}")},
            },
        });
        let Value::Object(source) = self.cloud.source(n, &self.disks[n]) else {
            unreachable!("a source is an object");
        };
        volume["spec"].as_object_mut().unwrap().extend(source);
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"namespace": shop, "name": format!("data-{n}")},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": name,
                "resources": {"requests": {"storage": "1Gi"}},
            },
        });
        [volume, claim]
    }

    fn volume(&self, n: usize) -> String {
        format!("{}-{n}", self.namespace)
    }

    /// Waits until all claims are bound; the ids of the disks behind them, in order.
    fn bound(&self, site: &Site) -> Vec<String> {
        let get = |kind: &str| -> Value {
            let arguments = ["-n", &self.namespace, "get", kind, "-o", "json"];
            serde_json::from_str(&site.plane.kubectl(&arguments).unwrap()).unwrap()
        };
        let start = Instant::now();
        loop {
            let claims = get("persistentvolumeclaims");
            let claims = claims["items"].as_array().unwrap();
            if claims.len() == self.disks.len()
                && claims
                    .iter()
                    .all(|claim| claim["status"]["phase"] == "Bound")
            {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "not bound: {claims:#?}");
            std::thread::sleep(Duration::from_millis(200));
        }
        let volumes = get("persistentvolumes");
        let volumes = volumes["items"].as_array().unwrap();
        let disk = |n: usize| {
            let name = self.volume(n);
            let volume = volumes.iter().find(|one| one["metadata"]["name"] == name);
            self.cloud.disk_of(&volume.unwrap()["spec"])
        };
        (0..self.disks.len()).map(disk).collect()
    }

    /// The namespace, the volumes and the disks are gone.
    fn lose(&self, site: &Site) {
        let namespace = ["delete", "namespace", &self.namespace, "--timeout=60s"];
        site.plane.kubectl(&namespace).unwrap();
        let names: Vec<String> = (0..self.disks.len()).map(|n| self.volume(n)).collect();
        let mut delete = vec!["delete", "persistentvolumes", "--timeout=60s"];
        delete.extend(names.iter().map(String::as_str));
        site.plane.kubectl(&delete).unwrap();
        for disk in &self.disks {
            self.cloud.delete_disk(disk);
        }
    }

    /// Backs the namespace up; the UID of the backup.
    fn back_up(&self, site: &Site, name: &str) -> String {
        site.add("Backup", name, &self.spec());
        let backup = format!("backup/{name}");
        site.wait(&backup, "{.status.phase}", "Completed");
        uid(site, &backup)
    }

    fn spec(&self) -> Value {
        json!({"includedNamespaces": [self.namespace]})
    }

    /// The disks that snapshots of a backup are of, sorted.
    fn sources(&self, backup: &str) -> Vec<String> {
        sorted(
            self.cloud
                .snapshots(backup)
                .into_iter()
                .map(|(_, disk)| disk),
        )
    }
}

/// Adds a snapshot location at this address of the cloud.
fn add_location(site: &Site, name: &str, cloud: &dyn Cloud, endpoint: &str) {
    let secret = format!("key-of-{name}");
    site.create(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret},
        "stringData": {"cloud": cloud.credentials()},
    }));
    let mut spec = cloud.location(endpoint);
    spec["credential"] = json!({"name": secret, "key": "cloud"});
    site.add("VolumeSnapshotLocation", name, &spec);
}

fn uid(site: &Site, object: &str) -> String {
    let object = site.get(object).unwrap();
    object["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// What is there twice stays so.
fn sorted(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<String> = ids.into_iter().collect();
    ids.sort();
    ids
}

/// Backup, disaster, restore and deletion; the cloud's inventory after each.
fn live_through(cloud: &dyn Cloud) {
    let mut site = Site::running();
    add_location(&site, "disks", cloud, &cloud.endpoint());
    let shop = Shop::new(&mut site, cloud, 20);
    let made_by = shop.back_up(&site, "b");
    let backup = site.get("backup/b").unwrap();
    assert_eq!(backup["spec"]["volumeSnapshotLocations"], json!(["disks"]));
    assert_eq!(backup["status"]["volumeSnapshotsAttempted"], 20);
    assert_eq!(backup["status"]["volumeSnapshotsCompleted"], 20);
    assert_eq!(shop.sources(&made_by), sorted(shop.disks.clone()));
    let metrics = site.ask("/metrics");
    let counted = "velero_volume_snapshot_success_total{schedule=\"\"} 20\n";
    assert!(metrics.contains(counted), "{metrics}");

    shop.lose(&site);
    site.add("Restore", "r", &json!({"backupName": "b"}));
    site.wait("restore/r", "{.status.phase}", "Completed");
    let restored = shop.bound(&site);
    let restore = uid(&site, "restore/r");
    let new = cloud.disks(&restore);
    let ids = new.iter().map(|(disk, _)| disk.clone());
    assert_eq!(sorted(restored.clone()), sorted(ids));
    let snapshots = cloud.snapshots(&made_by);
    for (old, new_id) in shop.disks.iter().zip(&restored) {
        let (_, snapshot) = new.iter().find(|(disk, _)| disk == new_id).unwrap();
        let (_, source) = snapshots.iter().find(|(id, _)| id == snapshot).unwrap();
        assert_eq!(source, old, "another's data");
    }

    site.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    site.until("the backup is gone", |site| site.get("backup/b").is_none());
    assert!(shop.sources(&made_by).is_empty());
    assert_eq!(shop.bound(&site), restored, "what was restored stays");
    assert_eq!(cloud.disks(&restore).len(), 20);
}

#[test]
fn twenty_volumes_of_amazon_live_through_disaster_restore_and_deletion() {
    live_through(&Amazon);
}

#[test]
fn twenty_volumes_of_google_live_through_disaster_restore_and_deletion() {
    live_through(&Google::start());
}

#[test]
fn twenty_volumes_of_azure_live_through_disaster_restore_and_deletion() {
    live_through(&Azure::start());
}

/// A server that is killed while the n-th call to the cloud is under way, and the next.
fn dies_at(site: &mut Site, proxy: &FaultProxy, nth: usize) {
    let before = proxy.requests().len();
    let pause = Duration::from_secs(1);
    proxy.set([Rule::new("", Fault::Delay(pause)).nth(nth)]);
    let start = Instant::now();
    while proxy.requests().len() < before + nth {
        assert!(start.elapsed() < PATIENCE, "there was no call {nth}");
        std::thread::sleep(Duration::from_millis(5));
    }
    site.kill();
    proxy.set([]);
    // Not before the call that is under way has arrived.
    std::thread::sleep(pause);
    site.start(|_| {});
}

/// A server dies at each of these calls of a backup of three volumes, at one of the
/// restore, and in the middle of the deletion.
fn survives(cloud: &dyn Cloud, calls: &[usize], of_restore: usize) {
    let mut site = Site::running();
    let proxy = FaultProxy::start(&cloud.endpoint()).unwrap();
    add_location(&site, "disks", cloud, &proxy.url());
    let shop = Shop::new(&mut site, cloud, 3);
    for (number, nth) in calls.iter().enumerate() {
        let name = format!("b-{number}");
        site.add("Backup", &name, &shop.spec());
        dies_at(&mut site, &proxy, *nth);
        let backup = format!("backup/{name}");
        site.wait(&backup, "{.status.phase}", "Completed");
        let uid = uid(&site, &backup);
        assert_eq!(shop.sources(&uid), sorted(shop.disks.clone()), "call {nth}");
    }
    shop.lose(&site);
    site.add("Restore", "r", &json!({"backupName": "b-0"}));
    dies_at(&mut site, &proxy, of_restore);
    site.wait("restore/r", "{.status.phase}", "Completed");
    let disks = cloud.disks(&uid(&site, "restore/r"));
    assert_eq!(disks.len(), 3);
    assert_eq!(
        sorted(shop.bound(&site)),
        sorted(disks.into_iter().map(|(disk, _)| disk))
    );
    let backup = uid(&site, "backup/b-0");
    site.add("DeleteBackupRequest", "away", &json!({"backupName": "b-0"}));
    dies_at(&mut site, &proxy, 2);
    site.until("the backup is gone", |site| {
        site.get("backup/b-0").is_none()
    });
    assert!(shop.sources(&backup).is_empty());
}

#[test]
fn whenever_the_server_dies_nothing_of_amazon_is_doubled_or_left() {
    // One call that sweeps, three for each snapshot, one that looks at all; three for
    // each disk.
    survives(&Amazon, &[2, 5, 10, 11], 8);
}

#[test]
fn whenever_the_server_dies_nothing_of_google_is_doubled_or_left() {
    // The same, and as many more looks as it takes.
    survives(&Google::start(), &[2, 5, 9, 14], 8);
}

#[test]
fn whenever_the_server_dies_nothing_of_azure_is_doubled_or_left() {
    // Six or more for each snapshot and each disk, most of them looks.
    survives(&Azure::start(), &[3, 4, 8, 20], 11);
}

#[test]
fn a_restore_can_bring_volumes_into_another_zone() {
    let cloud = Google::start();
    let mut site = Site::running();
    add_location(&site, "disks", &cloud, &cloud.endpoint());
    let shop = Shop::new(&mut site, &cloud, 2);
    shop.back_up(&site, "b");
    shop.lose(&site);
    let zones = json!({"ark.heptio.com/zone-mappings": "europe-west1-b:europe-west1-d"});
    site.create(&json!({
        "apiVersion": "velero.io/v1", "kind": "Restore",
        "metadata": {"name": "r", "annotations": zones}, "spec": {"backupName": "b"},
    }));
    site.wait("restore/r", "{.status.phase}", "Completed");
    let disk = &shop.bound(&site)[0];
    assert!(
        disk.starts_with("projects/shop/zones/europe-west1-d/disks/"),
        "{disk}"
    );
    // The other one says by its nodes where it is.
    let get = ["get", "persistentvolume", &shop.volume(1), "-o", "json"];
    let volume: Value = serde_json::from_str(&site.plane.kubectl(&get).unwrap()).unwrap();
    let nodes = volume["spec"]["nodeAffinity"].to_string();
    assert!(
        nodes.contains("europe-west1-d") && !nodes.contains("europe-west1-b"),
        "{nodes}"
    );
}

#[test]
fn a_backup_stays_as_long_as_its_snapshots_cannot_be_deleted() {
    let mut site = Site::running();
    add_location(&site, "disks", &Amazon, &Amazon.endpoint());
    let shop = Shop::new(&mut site, &Amazon, 1);
    let uid = shop.back_up(&site, "b");
    site.kubectl(&["delete", "secret", "key-of-disks"]);
    site.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    site.wait("deletebackuprequest/away", "{.status.phase}", "Processed");
    let request = site.get("deletebackuprequest/away").unwrap();
    let error = request["status"]["errors"][0].as_str().unwrap();
    assert!(
        error.starts_with("snapshots of backup `b` remain: "),
        "{error}"
    );
    assert!(
        error.contains("secret `key-of-disks` does not exist"),
        "{error}"
    );
    assert!(site.file("backups/b/velero-backup.json").exists());
    assert_eq!(shop.sources(&uid), shop.disks);

    site.kubectl(&["delete", "volumesnapshotlocation", "disks"]);
    add_location(&site, "disks", &Amazon, &Amazon.endpoint());
    site.add("DeleteBackupRequest", "again", &json!({"backupName": "b"}));
    site.until("the backup is gone", |site| site.get("backup/b").is_none());
    assert!(shop.sources(&uid).is_empty());
}

#[test]
fn a_volume_that_nobody_saves_and_nobody_leaves_out_is_an_error() {
    let mut site = Site::running();
    let shop = Shop::new(&mut site, &Amazon, 1);
    site.add("Backup", "b", &shop.spec());
    site.wait("backup/b", "{.status.phase}", "PartiallyFailed");
    let spec = json!({"includedNamespaces": [shop.namespace], "snapshotVolumes": false});
    site.add("Backup", "without", &spec);
    site.wait("backup/without", "{.status.phase}", "Completed");
    for name in ["east", "west"] {
        add_location(&site, name, &Amazon, &Amazon.endpoint());
    }
    site.add("Backup", "unclear", &json!({}));
    site.wait("backup/unclear", "{.status.phase}", "FailedValidation");
    let backup = site.get("backup/unclear").unwrap();
    let error = backup["status"]["validationErrors"][0].as_str().unwrap();
    assert!(error.contains("east, west: name one of them"), "{error}");
}
