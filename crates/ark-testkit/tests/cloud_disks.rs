//! The clouds' own clients find nothing wrong with the server of disks, and it goes
//! wrong as tests want.

use ark_testkit::disks::{DiskCloud, DiskRecord, judge};

#[test]
fn googles_client_finds_nothing_wrong() {
    let cloud = DiskCloud::start().unwrap();
    cloud.set_snapshot_steps(3);
    cloud.add_disk(&DiskRecord {
        attached_to: Some("machine".to_owned()),
        ..DiskRecord::gce("judged", "europe-west1-b", "attached", 5)
    });
    judge::run("gce.py", &cloud.endpoint()).unwrap_or_else(|error| panic!("{error:#}"));
}
