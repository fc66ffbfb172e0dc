//! A `PersistentVolume` ↔ a disk of EBS. Pure.

use ark_engine::port::Disk;
use serde_json::Value;

use crate::topology;

const IN_TREE: &str = "/spec/awsElasticBlockStore/volumeID";
const DRIVER: &str = "ebs.csi.aws.com";
const HANDLE: &str = "/spec/csi/volumeHandle";
/// The driver's own word for a zone.
const ZONE: &str = "topology.ebs.csi.aws.com/zone";

/// The disk that a volume names, in either form: `vol-…`, or `aws://ZONE/vol-…`.
pub(super) fn disk_of(volume: &Value) -> Option<Disk> {
    let text = volume.pointer(place(volume)?)?.as_str()?;
    let path = text.strip_prefix("aws://").unwrap_or(text);
    let (zone, id) = path.rsplit_once('/').unwrap_or(("", path));
    if !id.starts_with("vol-") {
        return None;
    }
    let told = topology::zones(volume, &[ZONE]).into_iter().next();
    Some(Disk {
        id: id.to_owned(),
        zone: told.unwrap_or_else(|| zone.trim_matches('/').to_owned()),
    })
}

/// Puts another disk there, in the form that the volume has, and says where it is.
pub(super) fn set_disk(volume: &mut Value, disk: &Disk) {
    let Some(slot) = place(volume).and_then(|place| volume.pointer_mut(place)) else {
        return;
    };
    let with_zone = slot.as_str().is_some_and(|text| text.starts_with("aws://"));
    *slot = if with_zone && !disk.zone.is_empty() {
        format!("aws://{}/{}", disk.zone, disk.id).into()
    } else {
        disk.id.as_str().into()
    };
    topology::move_to(volume, &[ZONE], &zones(disk), None);
}

/// None of a disk whose zone nobody told.
fn zones(disk: &Disk) -> Vec<&str> {
    Some(disk.zone.as_str())
        .filter(|zone| !zone.is_empty())
        .into_iter()
        .collect()
}

fn place(volume: &Value) -> Option<&'static str> {
    if volume.pointer(IN_TREE).is_some() {
        return Some(IN_TREE);
    }
    (volume["spec"]["csi"]["driver"] == DRIVER).then_some(HANDLE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(volume: &Value) -> Option<(String, String)> {
        disk_of(volume).map(|disk| (disk.id, disk.zone))
    }

    #[test]
    fn both_forms_name_a_disk_and_keep_their_form() {
        let labels = json!({"topology.kubernetes.io/zone": "us-east-1c"});
        let affinity = json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": ZONE, "operator": "In", "values": ["us-east-1d"]}]}]}});
        let in_tree = |id: &str| json!({"awsElasticBlockStore": {"volumeID": id}});
        let csi = json!({"csi": {"driver": DRIVER, "volumeHandle": "vol-0a"}});
        let new = Disk {
            id: "vol-1b".into(),
            zone: "us-east-1b".into(),
        };
        for (mut volume, zone, changed) in [
            (json!({"spec": in_tree("vol-0a")}), "", "vol-1b"),
            (
                json!({"spec": in_tree("aws://us-east-1a/vol-0a")}),
                "us-east-1a",
                "aws://us-east-1b/vol-1b",
            ),
            (
                json!({"spec": in_tree("aws:///vol-0a")}),
                "",
                "aws://us-east-1b/vol-1b",
            ),
            (
                json!({"metadata": {"labels": labels}, "spec": in_tree("aws://us-east-1a/vol-0a")}),
                "us-east-1c",
                "aws://us-east-1b/vol-1b",
            ),
            (json!({"spec": csi}), "", "vol-1b"),
            (
                json!({"spec": {"csi": csi["csi"], "nodeAffinity": affinity}}),
                "us-east-1d",
                "vol-1b",
            ),
        ] {
            assert_eq!(
                told(&volume),
                Some(("vol-0a".to_owned(), zone.to_owned())),
                "{volume}"
            );
            set_disk(&mut volume, &new);
            let place = place(&volume).unwrap();
            assert_eq!(volume.pointer(place).unwrap(), changed);
        }
    }

    #[test]
    fn others_are_left_alone() {
        for spec in [
            json!({"csi": {"driver": "efs.csi.aws.com", "volumeHandle": "vol-0a"}}),
            json!({"csi": {"driver": DRIVER, "volumeHandle": "fs-0a"}}),
            json!({"gcePersistentDisk": {"pdName": "vol-0a"}}),
            json!({}),
        ] {
            let mut volume = json!({ "spec": spec });
            assert_eq!(told(&volume), None, "{volume}");
            let before = volume.clone();
            let disk = Disk {
                id: "vol-1b".into(),
                zone: String::new(),
            };
            if place(&volume).is_none() {
                set_disk(&mut volume, &disk);
                assert_eq!(volume, before);
            }
        }
    }
}
