//! Where a disk is: `projects/P/zones/Z`, or `projects/P/regions/R` for one that is kept
//! in two zones. Pure.

use serde_json::Value;

/// A zone, or a region with two zones of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) project: String,
    /// From `projects/` on.
    pub(super) path: String,
    /// One, or those of a regional disk; of a disk's path only one that it names.
    pub(super) zones: Vec<String>,
}

impl Place {
    /// `Z`, or `Z1__Z2` as the label of a regional disk has it.
    pub(super) fn of_zone(project: &str, zone: &str) -> Option<Self> {
        let zones: Vec<String> = zone.split("__").map(str::to_owned).collect();
        let region = |zone: &str| Some(zone.rsplit_once('-')?.0.to_owned());
        let path = match zones.as_slice() {
            [zone] if region(zone).is_some() => format!("projects/{project}/zones/{zone}"),
            [one, other] => {
                let region = region(one).filter(|of_one| region(other).as_ref() == Some(of_one))?;
                format!("projects/{project}/regions/{region}")
            }
            _ => return None,
        };
        Some(Self {
            project: project.to_owned(),
            path,
            zones,
        })
    }

    /// That of a disk's path.
    pub(super) fn of_disk(disk: &str) -> Option<Self> {
        let parts: Vec<&str> = disk.split('/').collect();
        let [
            "projects",
            project,
            scope @ ("zones" | "regions"),
            place,
            "disks",
            _,
        ] = parts[..]
        else {
            return None;
        };
        Some(Self {
            project: project.to_owned(),
            path: format!("projects/{project}/{scope}/{place}"),
            zones: (scope == "zones")
                .then(|| place.to_owned())
                .into_iter()
                .collect(),
        })
    }

    /// The paths of its zones.
    pub(super) fn replica_zones(&self) -> Vec<String> {
        let zones = self.zones.iter();
        zones
            .map(|zone| format!("projects/{}/zones/{zone}", self.project))
            .collect()
    }
}

/// The last part of a path or link.
pub(super) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A link from `projects/` on.
pub(super) fn path_of(link: &Value) -> &str {
    let link = link.as_str().unwrap_or_default();
    link.find("projects/").map_or(link, |at| &link[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_zones_of_a_region_are_a_place_and_nothing_else_is() {
        let path = |zone: &str| Place::of_zone("p", zone).map(|place| place.path);
        assert_eq!(path("us-east1-b").unwrap(), "projects/p/zones/us-east1-b");
        assert_eq!(
            path("us-east1-b__us-east1-c").unwrap(),
            "projects/p/regions/us-east1"
        );
        for wrong in ["", "here", "us-east1-b__us-west1-b", "a-b__a-c__a-d"] {
            assert_eq!(path(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_disk_names_its_place() {
        let place = Place::of_disk("projects/p/regions/r/disks/d").unwrap();
        assert_eq!(place.path, "projects/p/regions/r");
        assert!(place.zones.is_empty());
        assert_eq!(Place::of_disk("projects/p/zones/z/disks"), None);
        assert_eq!(Place::of_disk("d"), None);
    }
}
