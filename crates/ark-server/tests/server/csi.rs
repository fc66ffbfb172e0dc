//! Volumes of a CSI driver, with Kubernetes' own sidecars and snapshot controller: what
//! the driver and the cluster have after each step, and after a death in the middle.

use std::time::{Duration, Instant};

use ark_testkit::csi::{CLASS, CsiPlane};
use serde_json::{Value, json};

use crate::site::{PATIENCE, Site};

/// Claims in a namespace, each with a volume that has a file of its own.
struct Shop {
    csi: &'static CsiPlane,
    namespace: String,
    /// Handles of the volumes, by number of the claim.
    volumes: Vec<String>,
}

fn running() -> Site {
    let mut site = Site::on(CsiPlane::shared().plane());
    site.begin();
    site
}

fn file(n: usize) -> String {
    format!("what only claim {n} has")
}

impl Shop {
    fn new(site: &mut Site, count: usize) -> Self {
        let csi = CsiPlane::shared();
        let namespace = site.namespace("shop");
        let claim = |n| {
            json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"namespace": namespace, "name": format!("data-{n}"),
                    // By such labels tools know what is theirs to delete.
                    "labels": {"argocd.argoproj.io/instance": "shop"}},
                "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": CLASS,
                    "resources": {"requests": {"storage": "1Gi"}}},
            })
        };
        let items: Vec<Value> = (0..count).map(claim).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        let create = ["create", "-f", "-"];
        site.plane
            .kubectl_stdin(&create, &list.to_string())
            .unwrap();
        let mut shop = Self {
            csi,
            namespace,
            volumes: Vec::new(),
        };
        shop.volumes = shop.bound(site, &shop.namespace, count);
        for (n, volume) in shop.volumes.iter().enumerate() {
            std::fs::write(csi.volume(volume).join("file"), file(n)).unwrap();
        }
        shop
    }

    /// Waits until all claims of a namespace are bound; the handles of their volumes.
    fn bound(&self, site: &Site, namespace: &str, count: usize) -> Vec<String> {
        let _ = self;
        let start = Instant::now();
        let claims = loop {
            let claims = get(site, &["-n", namespace, "get", "persistentvolumeclaims"]);
            let is_bound = |claim: &&Value| claim["status"]["phase"] == "Bound";
            if claims.iter().filter(is_bound).count() == count {
                break claims;
            }
            assert!(start.elapsed() < PATIENCE, "not bound: {claims:#?}");
            std::thread::sleep(Duration::from_millis(200));
        };
        let volumes = get(site, &["get", "persistentvolumes"]);
        let handle = |n: usize| {
            let name = format!("data-{n}");
            let claim = claims.iter().find(|one| one["metadata"]["name"] == *name);
            let volume = &claim.unwrap()["spec"]["volumeName"];
            let volume = volumes
                .iter()
                .find(|one| one["metadata"]["name"] == *volume);
            let handle = &volume.unwrap()["spec"]["csi"]["volumeHandle"];
            handle.as_str().unwrap().to_owned()
        };
        (0..count).map(handle).collect()
    }

    fn spec(&self) -> Value {
        json!({"includedNamespaces": [self.namespace]})
    }

    /// Gives the volume of the first claim a label and another reclaim policy.
    fn mark_first(&self, site: &Site) {
        let claim = [
            "-n",
            &self.namespace,
            "get",
            "persistentvolumeclaim",
            "data-0",
        ];
        let name = "jsonpath={.spec.volumeName}";
        let volume = site.plane.kubectl(&[&claim[..], &["-o", name]].concat());
        let patch = json!({"metadata": {"labels": {"velero.io/test": "kept"}},
            "spec": {"persistentVolumeReclaimPolicy": "Retain"}});
        let patch = [
            "patch",
            "persistentvolume",
            &volume.unwrap(),
            "--patch",
            &patch.to_string(),
        ];
        site.plane.kubectl(&patch).unwrap();
    }

    /// The namespace and its volumes are gone; one that is kept is deleted by hand.
    fn lose(&self, site: &Site) {
        let namespace = ["delete", "namespace", &self.namespace, "--timeout=60s"];
        site.plane.kubectl(&namespace).unwrap();
        for volume in get(
            site,
            &["get", "persistentvolumes", "-l", "velero.io/test=kept"],
        ) {
            let name = volume["metadata"]["name"].as_str().unwrap();
            let delete = r#"{"spec": {"persistentVolumeReclaimPolicy": "Delete"}}"#;
            let patch = ["patch", "persistentvolume", name, "--patch", delete];
            site.plane.kubectl(&patch).unwrap();
        }
        site.until("the volumes are gone", |_| {
            let left = self.csi.volumes().unwrap();
            !left.iter().any(|volume| self.volumes.contains(&volume.id))
        });
    }

    /// The volumes that the driver has snapshots of, sorted: what is there twice stays so.
    fn snapshots(&self) -> Vec<String> {
        let all = self.csi.snapshots().unwrap().into_iter();
        let mine = all.filter(|snapshot| self.volumes.contains(&snapshot.volume));
        let mut volumes: Vec<String> = mine.map(|snapshot| snapshot.volume).collect();
        volumes.sort();
        volumes
    }

    fn sorted(&self) -> Vec<String> {
        let mut volumes = self.volumes.clone();
        volumes.sort();
        volumes
    }

    /// That the cluster has nothing any more that a backup or a restore made beside.
    fn is_tidy(&self, site: &Site, namespace: &str) {
        let _ = self;
        let start = Instant::now();
        loop {
            let left = left_of_snapshots(site, namespace);
            if left.is_empty() {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "left in {namespace}: {left:#?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn behave(&self, n: usize, behaviour: &Value) {
        self.csi.behave(Some(&self.volumes[n]), behaviour).unwrap();
    }

    fn behave_all(&self, behaviour: &Value) {
        (0..self.volumes.len()).for_each(|n| self.behave(n, behaviour));
    }
}

/// The items of a list that kubectl gets.
fn get(site: &Site, arguments: &[&str]) -> Vec<Value> {
    let json = site.plane.kubectl(&[arguments, &["-o", "json"]].concat());
    let list: Value = serde_json::from_str(&json.unwrap()).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Snapshots, groups and contents that there are of a namespace.
fn left_of_snapshots(site: &Site, namespace: &str) -> Vec<Value> {
    let mut left = Vec::new();
    for kind in ["volumesnapshots", "volumegroupsnapshots"] {
        left.extend(get(site, &["-n", namespace, "get", kind]));
    }
    for (kind, of) in [
        ("volumesnapshotcontents", "volumeSnapshotRef"),
        ("volumegroupsnapshotcontents", "volumeGroupSnapshotRef"),
    ] {
        let contents = get(site, &["get", kind]).into_iter();
        left.extend(contents.filter(|content| content["spec"][of]["namespace"] == namespace));
    }
    left
}

fn volume_infos(site: &Site, backup: &str) -> Vec<Value> {
    let key = ark_archive::layout::volume_info(backup);
    let bytes = std::fs::read(site.file(&key)).unwrap();
    ark_archive::side::decode(&key, &bytes, 1 << 20).unwrap()
}

/// The `VolumeSnapshot`s that there are in a namespace.
fn snapshots_in(site: &Site, namespace: &str) -> Vec<Value> {
    get(site, &["-n", namespace, "get", "volumesnapshots"])
}

#[test]
fn twenty_volumes_of_csi_live_through_disaster_restore_and_deletion() {
    let mut site = running();
    let shop = Shop::new(&mut site, 20);
    shop.mark_first(&site);
    site.add("Backup", "b", &shop.spec());
    site.wait("backup/b", "{.status.phase}", "Completed");
    let status = &site.get("backup/b").unwrap()["status"];
    assert_eq!(status["csiVolumeSnapshotsAttempted"], 20);
    assert_eq!(status["csiVolumeSnapshotsCompleted"], 20);
    assert_eq!(status["backupItemOperationsCompleted"], 20);
    assert_eq!(shop.snapshots(), shop.sorted());
    shop.is_tidy(&site, &shop.namespace);
    let counted = "velero_csi_snapshot_success_total{schedule=\"\",backupName=\"b\"} 20\n";
    assert!(site.ask("/metrics").contains(counted));
    let infos = volume_infos(&site, "b");
    let info = &infos[0];
    assert_eq!(info["backupMethod"], "CSISnapshot");
    assert_eq!(info["chosenBy"], "by default");
    assert_eq!(info["csiSnapshotInfo"]["ReadyToUse"], true);
    assert_eq!(info["csiSnapshotInfo"]["size"], 1 << 30);

    shop.lose(&site);
    assert_eq!(
        shop.snapshots(),
        shop.sorted(),
        "they outlive their volumes"
    );
    let mapping = format!("{}-new", shop.namespace);
    let new = site.namespaces.reserve(&mapping);
    let spec = json!({"backupName": "b", "namespaceMapping": {&shop.namespace: new}});
    site.add("Restore", "r", &spec);
    site.wait("restore/r", "{.status.phase}", "Completed");
    let restored = shop.bound(&site, &new, 20);
    let volumes = get(
        &site,
        &["get", "persistentvolumes", "-l", "velero.io/test=kept"],
    );
    let kept = volumes.iter().filter(|volume| {
        volume["spec"]["claimRef"]["namespace"] == *new
            && volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    });
    assert_eq!(kept.count(), 1, "{volumes:#?}");
    for (n, volume) in restored.iter().enumerate() {
        let found = std::fs::read_to_string(shop.csi.volume(volume).join("file")).unwrap();
        assert_eq!(found, file(n), "another's data");
    }
    shop.is_tidy(&site, &new);

    site.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    site.until("the backup is gone", |site| site.get("backup/b").is_none());
    assert!(shop.snapshots().is_empty());
    assert_eq!(
        shop.bound(&site, &new, 20),
        restored,
        "what was restored stays"
    );
    shop.is_tidy(&site, "default");
}

#[test]
fn whenever_the_server_dies_nothing_of_csi_is_doubled_or_left() {
    let mut site = running();
    let shop = Shop::new(&mut site, 3);
    // While they are being cut, and while they get ready.
    for (name, behaviour, until) in [
        ("cut", json!({"cutMillis": 4000}), "{.spec.source}"),
        (
            "ready",
            json!({"readyMillis": 4000}),
            "{.status.creationTime}",
        ),
    ] {
        shop.behave_all(&behaviour);
        site.add("Backup", name, &shop.spec());
        let pointer = until.trim_matches(['{', '}']).replace('.', "/");
        site.until("the snapshots are there", |site| {
            let all = snapshots_in(site, &shop.namespace);
            all.iter()
                .filter(|one| one.pointer(&pointer).is_some())
                .count()
                == 3
        });
        if name == "ready" {
            site.await_backup(name, &["WaitingForPluginOperations"]);
            // Which keeps nobody else waiting.
            site.add(
                "Backup",
                "other",
                &json!({"includedNamespaces": ["default"]}),
            );
            site.await_backup("other", &["Completed"]);
            assert_eq!(
                site.get("backup/ready").unwrap()["status"]["phase"],
                "WaitingForPluginOperations"
            );
        }
        site.kill();
        shop.behave_all(&json!({}));
        site.start(|_| {});
        site.wait(&format!("backup/{name}"), "{.status.phase}", "Completed");
        site.until("only the last attempt's are left", |_| {
            shop.snapshots() == shop.sorted()
        });
        shop.is_tidy(&site, &shop.namespace);
        site.add("DeleteBackupRequest", name, &json!({"backupName": name}));
        let backup = format!("backup/{name}");
        site.until("the backup is gone", |site| site.get(&backup).is_none());
        assert!(shop.snapshots().is_empty());
    }

    site.add("Backup", "b", &shop.spec());
    site.wait("backup/b", "{.status.phase}", "Completed");
    shop.lose(&site);
    site.add("Restore", "r", &json!({"backupName": "b"}));
    site.until("claims come back", |site| {
        let claims = ["-n", &shop.namespace, "get", "persistentvolumeclaims"];
        !get(site, &claims).is_empty()
    });
    site.kill();
    site.start(|_| {});
    site.wait("restore/r", "{.status.phase}", "Completed");
    let restored = shop.bound(&site, &shop.namespace, 3);
    let made: Vec<_> = shop.csi.volumes().unwrap().into_iter().collect();
    let mine = made.iter().filter(|volume| restored.contains(&volume.id));
    assert_eq!(mine.count(), 3);
    shop.is_tidy(&site, &shop.namespace);
}

#[test]
fn a_driver_that_refuses_is_told_from_one_that_is_slow() {
    let mut site = running();
    let shop = Shop::new(&mut site, 3);
    shop.behave(
        0,
        &json!({"refuseCode": 3, "refuseMessage": "the disk is of another kind"}),
    );
    shop.behave(1, &json!({"cutMillis": 100_000}));
    // This one changes its mind, and takes its time then.
    shop.behave(2, &json!({"refuseCode": 9, "refuseMessage": "not now"}));
    let spec = json!({"includedNamespaces": [shop.namespace], "csiSnapshotTimeout": "12s"});
    site.add("Backup", "b", &spec);
    site.until("it is refused", |site| {
        let all = snapshots_in(site, &shop.namespace);
        all.iter()
            .any(|one| one["status"]["error"].to_string().contains("not now"))
    });
    shop.behave(2, &json!({"readyMillis": 12_000}));
    site.wait("backup/b", "{.status.phase}", "PartiallyFailed");
    let status = &site.get("backup/b").unwrap()["status"];
    assert_eq!(status["csiVolumeSnapshotsAttempted"], 3);
    assert_eq!(status["csiVolumeSnapshotsCompleted"], 1);
    assert_eq!(status["errors"], 2);
    let key = ark_archive::layout::results("b");
    let bytes = std::fs::read(site.file(&key)).unwrap();
    let results: Value = ark_archive::side::decode(&key, &bytes, 1 << 20).unwrap();
    let errors = results["errors"].to_string();
    assert!(
        errors.contains("refuses the snapshot") && errors.contains("the disk is of another kind"),
        "{errors}"
    );
    assert!(errors.contains("was not taken within 12 s; "), "{errors}");
    // What is still on its way goes when the driver has answered.
    shop.behave_all(&json!({}));
    shop.is_tidy(&site, &shop.namespace);
    assert_eq!(shop.snapshots(), [shop.volumes[2].clone()]);
}

#[test]
fn another_cluster_with_the_driver_gets_the_data_back() {
    let mut site = running();
    let shop = Shop::new(&mut site, 2);
    site.add("Backup", "b", &shop.spec());
    site.wait("backup/b", "{.status.phase}", "Completed");

    let other: &'static CsiPlane = Box::leak(Box::new(shop.csi.beside().unwrap()));
    let mut there = Site::on(other.plane());
    there.start(|_| {});
    there.add_location("default", site.bucket(), &json!({"accessMode": "ReadOnly"}));
    there.until("the backup is seen", |there| {
        there.get("backup/b").is_some()
    });
    let new = there.namespaces.reserve("shop");
    let spec = json!({"backupName": "b", "namespaceMapping": {&shop.namespace: new}});
    there.add("Restore", "r", &spec);
    there.wait("restore/r", "{.status.phase}", "Completed");
    for (n, volume) in shop.bound(&there, &new, 2).iter().enumerate() {
        let found = std::fs::read_to_string(other.volume(volume).join("file")).unwrap();
        assert_eq!(found, file(n));
    }
    shop.is_tidy(&there, &new);
    assert_eq!(
        shop.snapshots(),
        shop.sorted(),
        "they are still the backup's"
    );
}

#[test]
fn claims_of_a_group_are_snapshotted_at_one_instant() {
    let mut site = running();
    let shop = Shop::new(&mut site, 4);
    let label = ["data-0", "data-1", "data-2", "velero.io/volume-group=Db_1"];
    let claims = ["-n", &shop.namespace, "label", "persistentvolumeclaims"];
    site.plane.kubectl(&[claims, label].concat()).unwrap();
    site.add("Backup", "b", &shop.spec());
    site.wait("backup/b", "{.status.phase}", "Completed");
    assert_eq!(shop.snapshots(), shop.sorted());
    let all = shop.csi.snapshots().unwrap();
    let group_of = |n: usize| {
        let snapshot = all.iter().find(|one| one.volume == shop.volumes[n]);
        snapshot.unwrap().group.clone()
    };
    let group = group_of(0);
    assert!(!group.is_empty());
    assert_eq!(
        [group_of(1), group_of(2), group_of(3)],
        [group.clone(), group.clone(), String::new()]
    );
    let infos = volume_infos(&site, "b");
    let told = infos
        .iter()
        .filter(|info| info["csiSnapshotInfo"]["volumeGroupSnapshotHandle"] == *group);
    assert_eq!(told.count(), 3, "{infos:#?}");
    shop.is_tidy(&site, &shop.namespace);

    shop.lose(&site);
    site.add("Restore", "r", &json!({"backupName": "b"}));
    site.wait("restore/r", "{.status.phase}", "Completed");
    for (n, volume) in shop.bound(&site, &shop.namespace, 4).iter().enumerate() {
        let found = std::fs::read_to_string(shop.csi.volume(volume).join("file")).unwrap();
        assert_eq!(found, file(n));
    }
    site.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    site.until("the backup is gone", |site| site.get("backup/b").is_none());
    let left = shop.csi.snapshots().unwrap().into_iter();
    let left: Vec<_> = left
        .filter(|one| shop.volumes.contains(&one.volume))
        .collect();
    assert!(left.is_empty(), "{left:#?} of {:?}", shop.volumes);
}
