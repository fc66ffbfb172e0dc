//! Volumes on disks of a cloud: what is there after each step, and after a death in the
//! middle of one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ark_testkit::aws::{AwsServer, REGION, Resource};
use ark_testkit::fault::{Fault, FaultProxy, Rule};
use serde_json::{Value, json};

use crate::site::{PATIENCE, Site};

const BACKUP_TAG: &str = "ark.heptio.com/backup-uid";
const RESTORE_TAG: &str = "ark.heptio.com/restore-uid";

/// Claims in a namespace, each with a volume on a disk of its own.
struct Shop {
    namespace: String,
    /// Ids of the disks, by number of the claim.
    disks: Vec<String>,
}

impl Shop {
    fn new(site: &mut Site, count: usize) -> Self {
        let cloud = AwsServer::shared();
        let namespace = site.namespace("shop");
        let gp3 = [("VolumeType", "gp3"), ("Iops", "3500")];
        let disks = (0..count).map(|_| cloud.create_disk(1, &gp3).unwrap());
        let shop = Self {
            namespace,
            disks: disks.collect(),
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

    /// Every other volume is in the form of the CSI driver.
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
        let disk = &self.disks[n];
        if n.is_multiple_of(2) {
            volume["spec"]["csi"] = json!({"driver": "ebs.csi.aws.com", "volumeHandle": disk});
        } else {
            let id = format!("aws://{REGION}a/{disk}");
            volume["spec"]["awsElasticBlockStore"] = json!({"volumeID": id, "fsType": "ext4"});
        }
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
            let spec = &volume.unwrap()["spec"];
            let id = spec["csi"]["volumeHandle"].as_str();
            let id = id.or_else(|| spec["awsElasticBlockStore"]["volumeID"].as_str());
            let id = id.unwrap();
            id.rsplit('/').next().unwrap().to_owned()
        };
        (0..self.disks.len()).map(disk).collect()
    }

    /// The namespace, the volumes and the disks are gone.
    fn lose(&self, site: &Site) {
        let cloud = AwsServer::shared();
        let namespace = ["delete", "namespace", &self.namespace, "--timeout=60s"];
        site.plane.kubectl(&namespace).unwrap();
        let names: Vec<String> = (0..self.disks.len()).map(|n| self.volume(n)).collect();
        let mut delete = vec!["delete", "persistentvolumes", "--timeout=60s"];
        delete.extend(names.iter().map(String::as_str));
        site.plane.kubectl(&delete).unwrap();
        for disk in &self.disks {
            let call = [("Action", "DeleteVolume"), ("VolumeId", disk.as_str())];
            cloud.call("ec2", &call).unwrap();
        }
    }
}

/// Adds a snapshot location at this address of the cloud.
fn add_location(site: &Site, name: &str, endpoint: &str) {
    let cloud = AwsServer::shared();
    site.create(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("key-of-{name}")},
        "stringData": {"cloud": cloud.credentials_file()},
    }));
    site.add(
        "VolumeSnapshotLocation",
        name,
        &json!({
            "provider": "velero.io/aws",
            "config": {"region": REGION, "endpoint": endpoint},
            "credential": {"name": format!("key-of-{name}"), "key": "cloud"},
        }),
    );
}

fn uid(site: &Site, object: &str) -> String {
    let object = site.get(object).unwrap();
    object["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// What the cloud has with this tag.
fn tagged(all: Vec<Resource>, tag: &str, value: &str) -> Vec<Resource> {
    let mut all = all;
    all.retain(|one| one.tag(tag) == Some(value));
    all
}

/// The disks that snapshots of a backup are of.
fn sources(backup: &str) -> Vec<String> {
    let snapshots = AwsServer::shared().snapshots().unwrap();
    let mut ids: Vec<String> = tagged(snapshots, BACKUP_TAG, backup)
        .iter()
        .map(|snapshot| snapshot.text("volume_id").to_owned())
        .collect();
    ids.sort();
    ids
}

fn disks_of(restore: &str) -> Vec<Resource> {
    tagged(AwsServer::shared().disks().unwrap(), RESTORE_TAG, restore)
}

fn sorted(ids: &[String]) -> Vec<String> {
    let ids: BTreeSet<&String> = ids.iter().collect();
    ids.into_iter().cloned().collect()
}

#[test]
fn twenty_volumes_live_through_disaster_restore_and_deletion() {
    let mut site = Site::running();
    add_location(&site, "disks", &AwsServer::shared().endpoint());
    let shop = Shop::new(&mut site, 20);
    let spec = json!({"includedNamespaces": [shop.namespace]});
    site.add("Backup", "b", &spec);
    site.wait("backup/b", "{.status.phase}", "Completed");
    let backup = site.get("backup/b").unwrap();
    assert_eq!(backup["spec"]["volumeSnapshotLocations"], json!(["disks"]));
    assert_eq!(backup["status"]["volumeSnapshotsAttempted"], 20);
    assert_eq!(backup["status"]["volumeSnapshotsCompleted"], 20);
    let made_by = uid(&site, "backup/b");
    assert_eq!(sources(&made_by), sorted(&shop.disks));

    shop.lose(&site);
    site.add("Restore", "r", &json!({"backupName": "b"}));
    site.wait("restore/r", "{.status.phase}", "Completed");
    let restored = shop.bound(&site);
    let new = disks_of(&uid(&site, "restore/r"));
    let ids: Vec<String> = new.iter().map(|disk| disk.id().to_owned()).collect();
    assert_eq!(sorted(&restored), sorted(&ids));
    let snapshots = AwsServer::shared().snapshots().unwrap();
    for (old, new_id) in shop.disks.iter().zip(&restored) {
        let disk = new.iter().find(|disk| disk.id() == new_id).unwrap();
        let snapshot = disk.text("snapshot_id");
        let snapshot = snapshots.iter().find(|one| one.id() == snapshot).unwrap();
        assert_eq!(snapshot.text("volume_id"), old, "another's data");
        assert_eq!(
            (disk.text("volume_type"), disk.field("iops")),
            ("gp3", &json!(3500))
        );
    }

    site.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    site.until("the backup is gone", |site| site.get("backup/b").is_none());
    assert!(sources(&made_by).is_empty());
    assert_eq!(shop.bound(&site), restored, "what was restored stays");
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

#[test]
fn whenever_the_server_dies_no_snapshot_is_doubled_or_left() {
    let mut site = Site::running();
    let proxy = FaultProxy::start(&AwsServer::shared().endpoint()).unwrap();
    add_location(&site, "disks", &proxy.url());
    let shop = Shop::new(&mut site, 3);
    // One call that sweeps, three for each snapshot, one that looks at all.
    for (number, nth) in [2, 5, 10, 11].into_iter().enumerate() {
        let name = format!("b-{number}");
        let spec = json!({"includedNamespaces": [shop.namespace]});
        site.add("Backup", &name, &spec);
        dies_at(&mut site, &proxy, nth);
        let backup = format!("backup/{name}");
        site.wait(&backup, "{.status.phase}", "Completed");
        let uid = uid(&site, &backup);
        assert_eq!(sources(&uid), sorted(&shop.disks), "call {nth}");
    }
}

#[test]
fn whenever_the_server_dies_no_disk_is_doubled_or_left() {
    let mut site = Site::running();
    let proxy = FaultProxy::start(&AwsServer::shared().endpoint()).unwrap();
    add_location(&site, "disks", &proxy.url());
    let shop = Shop::new(&mut site, 3);
    let spec = json!({"includedNamespaces": [shop.namespace]});
    site.add("Backup", "b", &spec);
    site.wait("backup/b", "{.status.phase}", "Completed");
    shop.lose(&site);
    site.add("Restore", "r", &json!({"backupName": "b"}));
    // Three calls for each disk.
    dies_at(&mut site, &proxy, 8);
    site.wait("restore/r", "{.status.phase}", "Completed");
    let disks = disks_of(&uid(&site, "restore/r"));
    let ids: Vec<String> = disks.iter().map(|disk| disk.id().to_owned()).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(sorted(&shop.bound(&site)), sorted(&ids));
}

#[test]
fn a_backup_stays_as_long_as_its_snapshots_cannot_be_deleted() {
    let mut site = Site::running();
    let endpoint = AwsServer::shared().endpoint();
    add_location(&site, "disks", &endpoint);
    let shop = Shop::new(&mut site, 1);
    let spec = json!({"includedNamespaces": [shop.namespace]});
    site.add("Backup", "b", &spec);
    site.wait("backup/b", "{.status.phase}", "Completed");
    let uid = uid(&site, "backup/b");
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
    assert_eq!(sources(&uid), shop.disks);

    site.kubectl(&["delete", "volumesnapshotlocation", "disks"]);
    add_location(&site, "disks", &endpoint);
    site.add("DeleteBackupRequest", "again", &json!({"backupName": "b"}));
    site.until("the backup is gone", |site| site.get("backup/b").is_none());
    assert!(sources(&uid).is_empty());
}

#[test]
fn a_volume_that_nobody_saves_and_nobody_leaves_out_is_an_error() {
    let mut site = Site::running();
    let shop = Shop::new(&mut site, 1);
    let spec = json!({"includedNamespaces": [shop.namespace]});
    site.add("Backup", "b", &spec);
    site.wait("backup/b", "{.status.phase}", "PartiallyFailed");
    let spec = json!({"includedNamespaces": [shop.namespace], "snapshotVolumes": false});
    site.add("Backup", "without", &spec);
    site.wait("backup/without", "{.status.phase}", "Completed");
    for name in ["east", "west"] {
        add_location(&site, name, &AwsServer::shared().endpoint());
    }
    site.add("Backup", "unclear", &json!({}));
    site.wait("backup/unclear", "{.status.phase}", "FailedValidation");
    let backup = site.get("backup/unclear").unwrap();
    let error = backup["status"]["validationErrors"][0].as_str().unwrap();
    assert!(error.contains("east, west: name one of them"), "{error}");
}
