//! What backups and restores made in a cloud that nothing refers to any more, and what
//! backups refer to that is not there.

use std::collections::BTreeSet;

use crate::backup::UID_TAG;
use crate::port::{DiskError, Disks, SnapshotLocations, Tagged};
use crate::restore::RESTORE_UID_TAG;

/// What is referred to.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The snapshots that backups list: location and id.
    pub snapshots: BTreeSet<(String, String)>,
    /// UIDs of backups that are being made: what they made is not listed yet.
    pub unfinished: BTreeSet<String>,
    /// UIDs of restores that are running: their disks may have no volume yet.
    pub restoring: BTreeSet<String>,
    /// The cluster's `PersistentVolume`s.
    pub volumes: Vec<serde_json::Value>,
}

/// What is wrong with a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Problem {
    /// A snapshot of Ark's that no backup lists.
    UnlistedSnapshot,
    /// A snapshot that a backup lists and that is not there.
    MissingSnapshot,
    /// A disk that a restore made and that is behind no volume of this cluster.
    UnusedDisk,
}

impl Problem {
    /// As a clause.
    pub fn text(self) -> &'static str {
        match self {
            Self::UnlistedSnapshot => "snapshot that no backup lists",
            Self::MissingSnapshot => "snapshot that a backup lists and that is gone",
            Self::UnusedDisk => "disk that no volume of this cluster has",
        }
    }
}

/// A thing that should not be there, or should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orphan {
    /// The snapshot location.
    pub location: String,
    /// What is wrong.
    pub problem: Problem,
    /// Its id at the provider.
    pub id: String,
    /// UID of the backup or restore that made it; empty if that is not known.
    pub maker: String,
}

/// What the clouds have of Ark's, by location.
#[derive(Debug, Clone, Default)]
pub struct Found(Vec<(String, Result<Things, String>)>);

#[derive(Debug, Clone, Default)]
struct Things {
    snapshots: Vec<Tagged>,
    disks: Vec<Tagged>,
}

/// What a comparison came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Sorted by location, problem and id.
    pub orphans: Vec<Orphan>,
    /// Locations that could not be looked into, and why.
    pub unseen: Vec<(String, String)>,
}

/// Looks into every location. What is [`Known`] is to be gathered after this: then a
/// snapshot of a backup that has begun since is not taken for one that is left over.
pub async fn find(locations: &SnapshotLocations) -> Found {
    let mut found = Vec::new();
    for (name, disks) in locations.usable() {
        let things = things(disks).await;
        found.push((name.to_owned(), things.map_err(|error| error.to_string())));
    }
    let unusable = locations.unusable();
    found.extend(unusable.map(|(name, why)| (name.to_owned(), Err(why.to_owned()))));
    Found(found)
}

async fn things(disks: &dyn Disks) -> Result<Things, DiskError> {
    Ok(Things {
        snapshots: disks.find_snapshots(UID_TAG, None).await?,
        disks: disks.find_disks(RESTORE_UID_TAG, None).await?,
    })
}

/// Compares what was found with what is known, and asks whether what is listed is there.
pub async fn compare(locations: &SnapshotLocations, found: Found, known: &Known) -> Report {
    let mut report = Report::default();
    for (name, things) in found.0 {
        let orphans = match (things, locations.get(&name)) {
            (Ok(things), Ok(disks)) => of_location(&name, disks, &things, known).await,
            (Err(why), _) | (_, Err(why)) => Err(why),
        };
        match orphans {
            Ok(orphans) => report.orphans.extend(orphans),
            Err(why) => report.unseen.push((name, why)),
        }
    }
    report.orphans.sort();
    report
}

async fn of_location(
    location: &str,
    disks: &dyn Disks,
    things: &Things,
    known: &Known,
) -> Result<Vec<Orphan>, String> {
    let orphan = |problem, id: &str, maker: &str| Orphan {
        location: location.to_owned(),
        problem,
        id: id.to_owned(),
        maker: maker.to_owned(),
    };
    let listed = known.snapshots.iter();
    let listed = listed.filter(|(of, _)| of == location);
    let listed: Vec<String> = listed.map(|(_, id)| id.clone()).collect();
    let there = disks.snapshot_states(&listed).await;
    let there = there.map_err(|error| error.to_string())?;
    let gone = listed.iter().filter(|id| !there.contains_key(*id));
    let mut orphans: Vec<Orphan> = gone
        .map(|id| orphan(Problem::MissingSnapshot, id, ""))
        .collect();
    for snapshot in &things.snapshots {
        let maker = tag(snapshot, UID_TAG);
        let listed = (location.to_owned(), snapshot.id.clone());
        if !known.snapshots.contains(&listed) && !known.unfinished.contains(maker) {
            orphans.push(orphan(Problem::UnlistedSnapshot, &snapshot.id, maker));
        }
    }
    let used = known.volumes.iter();
    let used: BTreeSet<String> = used
        .filter_map(|volume| Some(disks.disk_of(volume)?.id))
        .collect();
    for disk in &things.disks {
        let maker = tag(disk, RESTORE_UID_TAG);
        if !used.contains(&disk.id) && !known.restoring.contains(maker) {
            orphans.push(orphan(Problem::UnusedDisk, &disk.id, maker));
        }
    }
    Ok(orphans)
}

fn tag<'t>(thing: &'t Tagged, key: &str) -> &'t str {
    thing.tags.get(key).map_or("", String::as_str)
}
