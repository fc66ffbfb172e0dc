//! Calls that fail, are throttled, or whose answer is lost.

use ark_testkit::fault::{Fault, FaultProxy, Rule};

use super::*;

/// The n-th call from now on is broken in this way.
async fn behind(rules: impl IntoIterator<Item = Rule>) -> (FaultProxy, Arc<dyn Disks>) {
    let proxy = FaultProxy::start(&AwsServer::shared().endpoint()).unwrap();
    proxy.set(rules);
    let disks = ark_volume::open(&location(&proxy.url(), &[])).await;
    (proxy, disks.unwrap())
}

fn new_disk() -> String {
    AwsServer::shared().create_disk(1, &[]).unwrap()
}

/// How many snapshots there are of a disk.
fn snapshots_of(disk: &str) -> usize {
    let snapshots = AwsServer::shared().snapshots().unwrap();
    let of_it = |one: &&ark_testkit::aws::Resource| one.text("volume_id") == disk;
    snapshots.iter().filter(of_it).count()
}

/// The calls of one snapshot: the disk, a look for the token, the snapshot.
const CREATE_SNAPSHOT: usize = 3;
/// The calls of one disk: the snapshot, a look for the token, the disk.
const CREATE_DISK: usize = 3;

#[tokio::test]
async fn a_snapshot_whose_answer_is_lost_is_not_taken_twice() {
    let (proxy, disks) =
        behind([Rule::new("", Fault::ResetDownload(0)).nth(CREATE_SNAPSHOT)]).await;
    let disk = new_disk();
    let request = snapshot_of(&disk);
    let made = disks.create_snapshot(&request).await.unwrap();
    assert_eq!(proxy.faults(), 1);
    assert_eq!(snapshots_of(&disk), 1);
    let found = disks
        .find_snapshots("ark.heptio.com/backup-uid", Some(&request.token))
        .await;
    assert_eq!(found.unwrap()[0].id, made.id);
}

#[tokio::test]
async fn a_disk_whose_answer_is_lost_is_not_made_twice() {
    let snapshot = open(&[])
        .await
        .create_snapshot(&snapshot_of(&new_disk()))
        .await;
    let snapshot = snapshot.unwrap();
    let (proxy, disks) = behind([Rule::new("", Fault::ResetDownload(0)).nth(CREATE_DISK)]).await;
    let request = disk_of(&snapshot);
    let made = disks.create_disk(&request).await.unwrap();
    assert_eq!(proxy.faults(), 1);
    let all = AwsServer::shared().disks().unwrap();
    let of_it = all
        .iter()
        .filter(|disk| disk.tag("ark.heptio.com/token") == Some(&request.token));
    let ids: Vec<&str> = of_it.map(ark_testkit::aws::Resource::id).collect();
    assert_eq!(ids, [made.id]);
}

#[tokio::test]
async fn each_call_is_repeated_after_what_passes() {
    for fault in [Fault::Reset, Fault::InternalError, Fault::SlowDown] {
        for nth in 1..=CREATE_SNAPSHOT {
            let (proxy, disks) = behind([Rule::new("", fault).nth(nth)]).await;
            let disk = new_disk();
            disks.create_snapshot(&snapshot_of(&disk)).await.unwrap();
            assert_eq!(
                (proxy.faults(), snapshots_of(&disk)),
                (1, 1),
                "{fault:?} {nth}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_asked_for_again() {
    let (proxy, disks) = behind([Rule::new("", Fault::Truncate(200)).nth(1)]).await;
    disks
        .find_snapshots("ark.heptio.com/backup-uid", None)
        .await
        .unwrap();
    assert_eq!(proxy.faults(), 1);
}
