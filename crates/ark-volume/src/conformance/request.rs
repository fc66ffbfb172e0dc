//! Requests as the tests of each provider make them beside the suite.

use ark_engine::port::{Disk, DiskRequest, Snapshot, SnapshotRequest, Tags};

use super::OWNER;

/// For a snapshot of a disk. `name`, which nothing else has, is its token and its tag.
pub fn snapshot_of(disk: &str, name: &str) -> SnapshotRequest {
    SnapshotRequest {
        disk: Disk {
            id: disk.to_owned(),
            zone: String::new(),
        },
        token: name.to_owned(),
        tags: Tags::from([(OWNER.to_owned(), name.to_owned())]),
    }
}

/// For a disk as the one that a snapshot is of. `name`, which nothing else has, is its
/// token.
pub fn disk_of(snapshot: &Snapshot, name: &str) -> DiskRequest {
    DiskRequest {
        snapshot: snapshot.id.clone(),
        disk_type: snapshot.disk_type.clone(),
        zone: snapshot.zone.clone(),
        iops: snapshot.iops,
        token: name.to_owned(),
        tags: Tags::new(),
    }
}
