//! What of a disk comes back with its data, where, and as whom it is asked for.

use ark_engine::port::{DiskErrorKind, SnapshotState};
use ark_testkit::disks::Fault;

use super::*;

impl Google {
    fn kept(&self, path: &str) -> DiskRecord {
        let name = path.rsplit('/').next().unwrap();
        let all = self.cloud.disks();
        all.into_iter().find(|disk| disk.name == name).unwrap()
    }
}

#[tokio::test]
async fn a_disk_in_two_zones_returns_to_both() {
    let google = Google::new(&[]).await;
    let path = google.disk(|disk| {
        disk.location = "europe-west1".to_owned();
        disk.zones = vec!["europe-west1-b".to_owned(), "europe-west1-d".to_owned()];
        disk.kind = "pd-ssd".to_owned();
    });
    let snapshot = google.disks.create_snapshot(&snapshot_of(&path)).await;
    let snapshot = snapshot.unwrap();
    assert_eq!(snapshot.zone, "europe-west1-b__europe-west1-d");
    assert_eq!(snapshot.disk_type, "pd-ssd");
    let made = google.disks.create_disk(&disk_of(&snapshot)).await.unwrap();
    assert!(
        made.id
            .starts_with("projects/shop/regions/europe-west1/disks/"),
        "{made:?}"
    );
    let copy = google.kept(&made.id);
    assert_eq!(copy.zones.len(), 2, "{copy:?}");
    assert_eq!(copy.kind, "pd-ssd");
}

#[tokio::test]
async fn a_disk_can_be_made_in_another_zone() {
    let google = Google::new(&[]).await;
    let path = google.disk(|disk| {
        disk.labels.insert("app".to_owned(), "shop".to_owned());
    });
    let snapshot = google.disks.create_snapshot(&snapshot_of(&path)).await;
    let mut request = disk_of(&snapshot.unwrap());
    request.zone = "us-east1-c".to_owned();
    let made = google.disks.create_disk(&request).await.unwrap();
    assert_eq!(made.zone, "us-east1-c");
    let copy = google.kept(&made.id);
    assert_eq!(copy.location, "us-east1-c");
    assert_eq!(
        copy.labels["app"], "shop",
        "the disk's labels go with its data"
    );
    assert!(
        !copy.labels.contains_key("ark-heptio-com_backup-uid"),
        "{copy:?}"
    );
    request.zone = "nowhere".to_owned();
    let error = google.disks.create_disk(&request).await.unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::Invalid, "{error}");
}

#[tokio::test]
async fn snapshots_are_kept_where_the_location_says() {
    let google = Google::new(&[("snapshotLocation", "us")]).await;
    let path = google.disk(|_| {});
    google
        .disks
        .create_snapshot(&snapshot_of(&path))
        .await
        .unwrap();
    let snapshots = google.cloud.snapshots();
    assert_eq!(snapshots[0].location, "us");
}

#[tokio::test]
async fn snapshots_of_another_project_are_found_by_their_path() {
    let google = Google::new(&[("project", "archive")]).await;
    let path = google.disk(|_| {});
    let snapshot = google.disks.create_snapshot(&snapshot_of(&path)).await;
    let snapshot = snapshot.unwrap();
    assert!(
        snapshot.id.starts_with("projects/shop/global/snapshots/"),
        "{snapshot:?}"
    );
    let ids = [snapshot.id.clone()];
    let states = google.disks.snapshot_states(&ids).await.unwrap();
    assert_eq!(states[&snapshot.id], SnapshotState::Completed);
    let found = google
        .disks
        .find_snapshots("ark.heptio.com/backup-uid", None);
    assert_eq!(found.await.unwrap()[0].id, snapshot.id);
}

#[tokio::test]
async fn a_snapshot_that_fails_says_so() {
    let google = Google::new(&[]).await;
    google.cloud.set_snapshot_steps(3);
    google.cloud.fail_next_snapshot("the disk is gone");
    let path = google.disk(|_| {});
    let snapshot = google.disks.create_snapshot(&snapshot_of(&path)).await;
    let ids = [snapshot.unwrap().id];
    for _ in 0..5 {
        let states = google.disks.snapshot_states(&ids).await.unwrap();
        if let SnapshotState::Failed(_) = states[&ids[0]] {
            return;
        }
    }
    panic!("it did not fail");
}

#[tokio::test]
async fn tokens_are_for_disks_and_asked_for_once() {
    let google = Google::new(&[]).await;
    for _ in 0..3 {
        google
            .disks
            .find_snapshots("velero.io/x", None)
            .await
            .unwrap();
    }
    assert_eq!(google.tokens.questions().len(), 1);
    for request in google.cloud.requests() {
        assert_eq!(request.authorization.as_deref(), Some("Bearer for-disks"));
    }
    google.cloud.fail(Fault::new("GET", "/snapshots", 401));
    let error = google.disks.find_snapshots("velero.io/x", None).await;
    assert_eq!(error.unwrap_err().kind, DiskErrorKind::Denied);
}
