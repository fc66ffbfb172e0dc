//! Calls that fail, are throttled, or whose answer is lost.

use ark_testkit::disks::Fault;

use super::*;

#[tokio::test]
async fn what_is_made_and_not_answered_is_not_made_twice() {
    let google = Google::new(&[]).await;
    let path = google.disk(|_| {});
    google.cloud.lose_answer("POST", "/createSnapshot", 1);
    let request = snapshot_of(&path);
    let snapshot = google.disks.create_snapshot(&request).await.unwrap();
    assert_eq!(google.cloud.snapshots().len(), 1);
    google.cloud.lose_answer("POST", "/disks", 1);
    let before = google.cloud.disks().len();
    let made = google.disks.create_disk(&disk_of(&snapshot)).await.unwrap();
    assert_eq!(google.cloud.disks().len(), before + 1);
    assert!(
        made.id
            .starts_with("projects/shop/zones/europe-west1-b/disks/")
    );
}

#[tokio::test]
async fn what_passes_is_waited_out() {
    let google = Google::new(&[]).await;
    let path = google.disk(|_| {});
    for status in [429, 503] {
        google.cloud.fail(Fault::new("GET", &path, status));
        google
            .cloud
            .fail(Fault::new("POST", "/createSnapshot", status));
        google.cloud.fail(Fault::new("GET", "/snapshots/", status));
        google
            .disks
            .create_snapshot(&snapshot_of(&path))
            .await
            .unwrap();
    }
    assert_eq!(google.cloud.snapshots().len(), 2);
}
