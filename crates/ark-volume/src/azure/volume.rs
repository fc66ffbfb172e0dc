//! A `PersistentVolume` ↔ a managed disk. Pure.

use ark_engine::port::Disk;
use serde_json::Value;

use super::id::{Id, Kind};
use crate::topology;

const IN_TREE: &str = "/spec/azureDisk";
const DRIVER: &str = "disk.csi.azure.com";
const HANDLE: &str = "/spec/csi/volumeHandle";
/// The driver's own word for a zone.
const ZONE: &str = "topology.disk.csi.azure.com/zone";

/// The disk that a volume names.
pub(super) fn disk_of(volume: &Value) -> Option<Disk> {
    let text = match volume.pointer(IN_TREE) {
        Some(disk) => &disk["diskURI"],
        None if volume["spec"]["csi"]["driver"] == DRIVER => volume.pointer(HANDLE)?,
        None => return None,
    };
    let id = Id::parse(Kind::Disk, text.as_str()?)?;
    // A disk that is in all zones, or in none, has none of its own.
    let mut zones = topology::zones(volume, &[ZONE]).into_iter();
    let zone = match (zones.next(), zones.next()) {
        (Some(zone), None) if number(&zone).is_some() => zone,
        _ => String::new(),
    };
    Some(Disk {
        id: id.to_string(),
        zone,
    })
}

/// Puts another disk there, in the form that the volume has, and says where it is.
pub(super) fn set_disk(volume: &mut Value, disk: &Disk) {
    let id = disk.id.as_str();
    let name = id.rsplit('/').next().unwrap_or(id);
    if let Some(old) = volume.pointer_mut(IN_TREE) {
        old["diskURI"] = id.into();
        old["diskName"] = name.into();
    } else if let Some(handle) = volume.pointer_mut(HANDLE) {
        *handle = id.into();
    }
    if number(&disk.zone).is_some() {
        topology::move_to(volume, &[ZONE], &[&disk.zone], None);
    }
}

/// Region and number of a zone: `eastus-1`. A number alone is a fault domain of machines,
/// which disks have none of.
pub(super) fn number(zone: &str) -> Option<(&str, &str)> {
    let (region, number) = zone.rsplit_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !region.is_empty()).then_some((region, number))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d";

    fn csi(handle: &str) -> Value {
        json!({"csi": {"driver": DRIVER, "volumeHandle": handle}})
    }

    #[test]
    fn both_forms_name_a_disk_and_keep_their_form() {
        let in_tree = json!({"azureDisk": {"diskName": "d", "diskURI": ID, "kind": "Managed"}});
        let nodes = |zones: &[&str]| {
            let expression = json!({"key": ZONE, "operator": "In", "values": zones});
            json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}})
        };
        for (labels, mut spec, affinity, zone) in [
            (json!({}), in_tree.clone(), json!(null), ""),
            (
                json!({"failure-domain.beta.kubernetes.io/zone": "0"}),
                in_tree.clone(),
                json!(null),
                "",
            ),
            (
                json!({"topology.kubernetes.io/zone": "eastus-2"}),
                in_tree,
                json!(null),
                "eastus-2",
            ),
            (json!({}), csi(ID), nodes(&["eastus-1"]), "eastus-1"),
            (
                json!({}),
                csi(&ID.to_uppercase().replace("/D", "/d")),
                nodes(&[""]),
                "",
            ),
            (json!({}), csi(ID), nodes(&["eastus-1", "eastus-2", ""]), ""),
        ] {
            spec["nodeAffinity"] = affinity;
            let mut volume = json!({"metadata": {"labels": labels}, "spec": spec});
            let disk = disk_of(&volume).unwrap_or_else(|| panic!("{volume}"));
            assert_eq!(
                (disk.id.to_lowercase(), disk.zone.as_str()),
                (ID.to_lowercase(), zone)
            );
            let other = ID.replace("/d", "/D").replace("/Disks", "/disks");
            let new = Disk {
                id: other.clone(),
                zone: zone.to_owned(),
            };
            set_disk(&mut volume, &new);
            assert_eq!(disk_of(&volume).unwrap().id, other);
            if volume["spec"].get("azureDisk").is_some() {
                assert_eq!(volume["spec"]["azureDisk"]["diskName"], "D");
                assert_eq!(volume["spec"]["azureDisk"]["kind"], "Managed");
            }
        }
    }

    #[test]
    fn others_are_left_alone() {
        let blob = "https://a.blob.core.windows.net/vhds/d.vhd";
        for spec in [
            json!({"csi": {"driver": "file.csi.azure.com", "volumeHandle": ID}}),
            csi("d"),
            json!({"azureDisk": {"diskName": "d", "diskURI": blob, "kind": "Dedicated"}}),
            json!({"awsElasticBlockStore": {"volumeID": "vol-1"}}),
        ] {
            assert_eq!(disk_of(&json!({ "spec": spec })), None);
        }
    }

    #[test]
    fn a_zone_is_a_number_in_a_region() {
        assert_eq!(number("eastus-1"), Some(("eastus", "1")));
        for other in ["", "1", "eastus", "eastus-", "-1", "us-east1-b"] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
