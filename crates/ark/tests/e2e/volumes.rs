//! Volumes on disks of a cloud, as people see them.

use ark_testkit::aws::{AwsServer, REGION};
use ark_testkit::{ControlPlane, Namespaces};
use serde_json::json;

use super::Installation;

/// A claim with a volume on a disk.
fn create_claim(plane: &ControlPlane, namespace: &str, disk: &str) {
    let name = format!("{namespace}-data");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"},
                "storageClassName": "", "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": disk},
                "claimRef": {"namespace": namespace, "name": "data"},
            },
        },
        {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"namespace": namespace, "name": "data"},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": name,
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
    ]});
    let create = ["create", "-f", "-"];
    plane.kubectl_stdin(&create, &list.to_string()).unwrap();
    let bound = [
        "wait",
        "--for=jsonpath={.status.phase}=Bound",
        "--timeout=60s",
        "pvc/data",
    ];
    plane
        .kubectl(&[&["-n", namespace][..], &bound].concat())
        .unwrap();
}

#[test]
fn a_snapshot_is_described_and_what_nobody_lists_is_found() {
    let cloud = AwsServer::start().unwrap();
    let plane = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let ark = Installation::new(plane, bucket.path());
    let mut namespaces = Namespaces::new(plane);
    let shop = namespaces.create("shop").unwrap();
    let disk = cloud.create_disk(1, &[("VolumeType", "gp3")]).unwrap();
    create_claim(plane, &shop, &disk);
    let key = format!("--from-literal=cloud={}", cloud.credentials_file());
    let secret = [
        "-n",
        &ark.namespace,
        "create",
        "secret",
        "generic",
        "key",
        &key,
    ];
    plane.kubectl(&secret).unwrap();
    let config = format!("region={REGION},endpoint={}", cloud.endpoint());
    let create = ["snapshot-location", "create", "disks", "--provider=aws"];
    let more = ["--credential=key=cloud", "--config", &config];
    ark.ark(&[&create[..], &more].concat());

    ark.ark(&[
        "backup",
        "create",
        "b",
        "--include-namespaces",
        &shop,
        "--wait",
    ]);
    let snapshots = cloud.snapshots().unwrap();
    let [snapshot] = snapshots.as_slice() else {
        panic!("{snapshots:?}");
    };
    let described = ark.ark(&["backup", "describe", "b", "--details"]);
    for told in [snapshot.id(), "gp3", "by default"] {
        assert!(described.contains(told), "no {told} in:\n{described}");
    }
    assert_eq!(ark.ark(&["orphans", "-o", "name"]), "");

    let lost = [
        ("Action", "CreateSnapshot"),
        ("VolumeId", &disk),
        ("TagSpecification.1.ResourceType", "snapshot"),
        ("TagSpecification.1.Tag.1.Key", "ark.heptio.com/backup-uid"),
        ("TagSpecification.1.Tag.1.Value", "uid-of-nobody"),
    ];
    cloud.call("ec2", &lost).unwrap();
    let gone = [("Action", "DeleteSnapshot"), ("SnapshotId", snapshot.id())];
    cloud.call("ec2", &gone).unwrap();
    let output = ark.try_ark(&["orphans"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(
        lines[1].contains("uid-of-nobody") && lines[1].contains("no backup lists"),
        "{told}"
    );
    assert!(
        lines[2].contains(snapshot.id()) && lines[2].contains("is gone"),
        "{told}"
    );
    let volume = format!("{shop}-data");
    plane
        .kubectl(&["delete", "pv", &volume, "--wait=false"])
        .unwrap();
}
