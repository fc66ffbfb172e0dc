//! Buckets as Velero and Heptio Ark left them: made by hand after their layouts, with
//! `tar` and `gzip`, so that nothing here is our own writer's idea of them.
//!
//! Each function adds one backup of one namespace, whose config maps `item-0` to
//! `item-2` hold their number as `data.n`.

mod documents;
mod pack;

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use documents::{config_map, heptio, namespace, velero};
use pack::{Folder, Tarball};

/// How many config maps each backup has.
pub const ITEMS: usize = 3;

/// Velero 1.3: format 1, each object once, `PersistentVolumeName` with a capital,
/// no list of results or operations. The tarball has entries for its folders.
pub fn velero_1_3(bucket: &Path, name: &str, of: &str) -> Result<()> {
    let folder = Folder::new(bucket, &format!("backups/{name}"))?;
    let mut tarball = Tarball::new().with_folders();
    tarball.add("metadata/version", "1\n");
    for (place, object) in items(of) {
        tarball.add(&format!("resources/{place}.json"), &object.to_string());
    }
    folder.put(&format!("{name}.tar.gz"), &tarball.gzip()?)?;
    folder.gzip(&format!("{name}-logs.gz"), LOG)?;
    folder.gzip(&format!("{name}-podvolumebackups.json.gz"), "null\n")?;
    let snapshots = json!([{
        "spec": {"backupName": name, "backupUID": "u", "location": "default",
                 "PersistentVolumeName": "pv-1", "providerVolumeID": "vol-1", "volumeType": "gp2"},
        "status": {"providerSnapshotID": "snap-1", "phase": "Completed"},
    }]);
    folder.gzip(
        &format!("{name}-volumesnapshots.json.gz"),
        &format!("{snapshots}\n"),
    )?;
    let list = json!({"v1/Namespace": [of]});
    folder.gzip(
        &format!("{name}-resource-list.json.gz"),
        &format!("{list}\n"),
    )?;
    let mut document = velero(name, of, "1.3");
    document["status"]["volumeSnapshotsAttempted"] = 1.into();
    folder.put(
        "velero-backup.json",
        documents::pretty(&document).as_bytes(),
    )
}

/// Velero 1.4 and later: format 1.1.0, each object a second time below its preferred
/// version. With `all_versions` an autoscaler is there in a version that no cluster
/// serves any more, preferred, and in `v1`.
pub fn velero_1_16(bucket: &Path, name: &str, of: &str, all_versions: bool) -> Result<()> {
    let folder = Folder::new(bucket, &format!("backups/{name}"))?;
    let mut tarball = Tarball::new();
    tarball.add("metadata/version", "1.1.0\n");
    for (place, object) in items(of) {
        let (kind, rest) = place.split_once('/').unwrap_or((&place, ""));
        let json = object.to_string();
        tarball.add(&format!("resources/{kind}/{rest}.json"), &json);
        tarball.add(
            &format!("resources/{kind}/v1-preferredversion/{rest}.json"),
            &json,
        );
    }
    if all_versions {
        let kind = "resources/horizontalpodautoscalers.autoscaling";
        let rest = format!("namespaces/{of}/web.json");
        let preferred = documents::autoscaler(of, "v2beta2").to_string();
        tarball.add(&format!("{kind}/{rest}"), &preferred);
        tarball.add(
            &format!("{kind}/v2beta2-preferredversion/{rest}"),
            &preferred,
        );
        let other = documents::autoscaler(of, "v1").to_string();
        tarball.add(&format!("{kind}/v1/{rest}"), &other);
    }
    folder.put(&format!("{name}.tar.gz"), &tarball.gzip()?)?;
    folder.gzip(&format!("{name}-logs.gz"), LOG)?;
    for list in [
        "podvolumebackups",
        "volumesnapshots",
        "itemoperations",
        "volumeinfo",
        "csi-volumesnapshots",
        "csi-volumesnapshotcontents",
        "csi-volumesnapshotclasses",
    ] {
        folder.gzip(&format!("{name}-{list}.json.gz"), "null\n")?;
    }
    let maps: Vec<String> = (0..ITEMS).map(|n| format!("{of}/item-{n}")).collect();
    let list = json!({"v1/ConfigMap": maps, "v1/Namespace": [of]});
    folder.gzip(
        &format!("{name}-resource-list.json.gz"),
        &format!("{list}\n"),
    )?;
    let results = json!({"errors": {}, "warnings": {"velero": ["a warning"]}});
    folder.gzip(&format!("{name}-results.gz"), &format!("{results}\n"))?;
    let mut document = velero(name, of, "1.16");
    document["status"]["formatVersion"] = "1.1.0".into();
    document["status"]["warnings"] = 1.into();
    document["status"]["hookStatus"] = json!({});
    document["status"]["progress"] = json!({"totalItems": 4, "itemsBackedUp": 4});
    document["spec"]["csiSnapshotTimeout"] = "10m0s".into();
    document["spec"]["snapshotMoveData"] = false.into();
    // Of a release that is still to come.
    document["spec"]["fromTheFuture"] = json!({"a": 1});
    document["status"]["fromTheFuture"] = 7.into();
    folder.put(
        "velero-backup.json",
        documents::pretty(&document).as_bytes(),
    )
}

/// Heptio Ark 0.3: folders of backups at the root, no `resources`, no log, objects
/// without status.
pub fn heptio_0_3(bucket: &Path, name: &str, of: &str) -> Result<()> {
    let folder = Folder::new(bucket, name)?;
    let mut tarball = Tarball::new();
    for (place, object) in items(of) {
        let parts: Vec<&str> = place.split('/').collect();
        let path = match parts[..] {
            [kind, "namespaces", namespace, name] => {
                format!("namespaces/{namespace}/{kind}/{name}")
            }
            [kind, "cluster", name] => format!("cluster/{kind}/{name}"),
            _ => place.clone(),
        };
        tarball.add(&format!("{path}.json"), &object.to_string());
    }
    folder.put(&format!("{name}.tar.gz"), &tarball.gzip()?)?;
    folder.put(
        "ark-backup.json",
        heptio(name, of, "0.3").to_string().as_bytes(),
    )
}

/// Heptio Ark 0.9: folders of backups at the root, with the log, and with what
/// restores left beside it.
pub fn heptio_0_9(bucket: &Path, name: &str, of: &str) -> Result<()> {
    let folder = Folder::new(bucket, name)?;
    folder.put(&format!("{name}.tar.gz"), &heptio_tarball(of)?)?;
    folder.gzip(&format!("{name}-logs.gz"), LOG)?;
    folder.gzip(&format!("restore-{name}-2018-logs.gz"), LOG)?;
    folder.gzip(
        &format!("restore-{name}-2018-results.gz"),
        "{\"warnings\":{\"ark\":[\"old\"]}}\n",
    )?;
    folder.put(
        "ark-backup.json",
        heptio(name, of, "0.9").to_string().as_bytes(),
    )
}

/// Heptio Ark 0.10: below `backups/`, with native snapshots in a file, and the
/// revision that tells old servers to look again.
pub fn heptio_0_10(bucket: &Path, name: &str, of: &str) -> Result<()> {
    Folder::new(bucket, "metadata")?.put("revision", b"6a4bd0e0-0000-4000-8000-000000000000")?;
    let folder = Folder::new(bucket, &format!("backups/{name}"))?;
    folder.put(&format!("{name}.tar.gz"), &heptio_tarball(of)?)?;
    folder.gzip(&format!("{name}-logs.gz"), LOG)?;
    folder.gzip(&format!("{name}-volumesnapshots.json.gz"), "null\n")?;
    folder.put(
        "ark-backup.json",
        heptio(name, of, "0.10").to_string().as_bytes(),
    )
}

const LOG: &str = "time=\"2019-03-01T12:00:00Z\" level=info msg=\"Backing up items\"\n";

/// Objects by their place below `resources/`, without `.json`.
fn items(of: &str) -> Vec<(String, Value)> {
    let mut items = vec![(format!("namespaces/cluster/{of}"), namespace(of))];
    for n in 0..ITEMS {
        items.push((
            format!("configmaps/namespaces/{of}/item-{n}"),
            config_map(of, n),
        ));
    }
    items
}

fn heptio_tarball(of: &str) -> Result<Vec<u8>> {
    let mut tarball = Tarball::new();
    for (place, object) in items(of) {
        tarball.add(&format!("resources/{place}.json"), &object.to_string());
    }
    tarball.gzip()
}
