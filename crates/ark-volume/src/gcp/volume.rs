//! A `PersistentVolume` ↔ a persistent disk. Pure.
//!
//! A disk's id is its path from `projects/` on, which is also what the CSI driver calls
//! it. The older form has the name alone; its place is then in the volume's labels.

use ark_engine::port::Disk;
use serde_json::Value;

use super::place::{Place, last};
use crate::topology;

const IN_TREE: &str = "/spec/gcePersistentDisk/pdName";
const DRIVER: &str = "pd.csi.storage.gke.io";
const HANDLE: &str = "/spec/csi/volumeHandle";
/// The driver's own word for a zone.
const ZONE: &str = "topology.gke.io/zone";
/// What handles of volumes have that were moved from the older form.
const UNSPECIFIED: &str = "UNSPECIFIED";

/// The disk that a volume names; `project` where it names none.
pub(super) fn disk_of(volume: &Value, project: &str) -> Option<Disk> {
    let zone = topology::zones(volume, &[ZONE]).join("__");
    let name = volume.pointer(IN_TREE).and_then(Value::as_str);
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        let place = Place::of_zone(project, &zone)?;
        let id = format!("{}/disks/{name}", place.path);
        return Some(Disk { id, zone });
    }
    if volume["spec"]["csi"]["driver"] != DRIVER {
        return None;
    }
    let handle = volume.pointer(HANDLE)?.as_str()?;
    let place = Place::of_disk(handle)?;
    let project = if place.project == UNSPECIFIED {
        project
    } else {
        &place.project
    };
    let told = place.path.ends_with(&format!("/{UNSPECIFIED}"));
    let path = if told {
        Place::of_zone(project, &zone)?.path
    } else {
        place.path.replacen(&place.project, project, 1)
    };
    Some(Disk {
        id: format!("{path}/disks/{}", last(handle)),
        zone: match place.zones.into_iter().next() {
            Some(named) if !told => named,
            _ => zone,
        },
    })
}

/// Puts another disk there, in the form that the volume has, and says where it is.
pub(super) fn set_disk(volume: &mut Value, disk: &Disk) {
    let id = disk.id.as_str();
    if let Some(name) = volume.pointer_mut(IN_TREE) {
        *name = last(id).into();
    } else if volume["spec"]["csi"]["driver"] == DRIVER {
        volume["spec"]["csi"]["volumeHandle"] = id.into();
    }
    let zones: Vec<&str> = disk
        .zone
        .split("__")
        .filter(|zone| !zone.is_empty())
        .collect();
    let region = zones.first().and_then(|zone| zone.rsplit_once('-'));
    topology::move_to(volume, &[ZONE], &zones, region.map(|(region, _)| region));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(volume: &Value) -> Option<(String, String)> {
        disk_of(volume, "own").map(|disk| (disk.id, disk.zone))
    }

    #[test]
    fn both_forms_name_a_disk_and_keep_their_form() {
        let csi = |handle: &str| json!({"csi": {"driver": DRIVER, "volumeHandle": handle}});
        let in_tree = json!({"gcePersistentDisk": {"pdName": "d"}});
        let labels = |zone: &str| json!({"labels": {"topology.kubernetes.io/zone": zone}});
        let (one, two) = ("us-east1-b", "us-east1-b__us-east1-c");
        let zonal = "projects/p/zones/us-east1-b/disks/d";
        for (metadata, spec, id, zone) in [
            (
                labels(one),
                &in_tree,
                "projects/own/zones/us-east1-b/disks/d",
                one,
            ),
            (
                labels(two),
                &in_tree,
                "projects/own/regions/us-east1/disks/d",
                two,
            ),
            (json!({}), &csi(zonal), zonal, one),
            (
                labels(two),
                &csi("projects/p/regions/us-east1/disks/d"),
                "projects/p/regions/us-east1/disks/d",
                two,
            ),
            (
                labels(one),
                &csi("projects/UNSPECIFIED/zones/UNSPECIFIED/disks/d"),
                "projects/own/zones/us-east1-b/disks/d",
                one,
            ),
        ] {
            let mut volume = json!({"metadata": metadata, "spec": spec});
            let wanted = (id.to_owned(), zone.to_owned());
            assert_eq!(told(&volume), Some(wanted), "{volume}");
            let (place, _) = id.rsplit_once('/').unwrap();
            let new = Disk {
                id: format!("{place}/new"),
                zone: zone.to_owned(),
            };
            set_disk(&mut volume, &new);
            assert_eq!(told(&volume).unwrap().0, format!("{place}/new"));
        }
    }

    #[test]
    fn others_are_left_alone() {
        for spec in [
            json!({"csi": {"driver": "filestore.csi.storage.gke.io", "volumeHandle": "projects/p/zones/z/disks/d"}}),
            json!({"csi": {"driver": DRIVER, "volumeHandle": "d"}}),
            // Without a zone it cannot be found.
            json!({"gcePersistentDisk": {"pdName": "d"}}),
            json!({"awsElasticBlockStore": {"volumeID": "vol-1"}}),
        ] {
            assert_eq!(told(&json!({ "spec": spec })), None);
        }
    }
}
