//! Volumes whose data is in a snapshot, and what stands where they shall be.

use ark_api::label;
use ark_archive::side::VolumeSnapshot;

use super::*;
use crate::restore::fixture::MemoryDisks;

const VOLUME: &str = "persistentvolumes/-/pv";
const CLAIM: &str = "persistentvolumeclaims/shop/data";

/// A backup of a claim and its volume, with a snapshot, and a cloud.
fn bench() -> (Bench, Arc<MemoryDisks>) {
    let mut bench = Bench::new(&[
        ("persistentvolumes", volume(&json!({}))),
        (
            "persistentvolumeclaims",
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"name": "data", "namespace": "shop"},
                "spec": {"volumeName": "pv"}}),
        ),
    ]);
    let disks = Arc::default();
    bench.snapshots = MemoryDisks::locations(&disks);
    record(&bench, "cloud");
    (bench, disks)
}

/// The volume as the backup has it, with another status.
fn volume(status: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": "pv"}, "status": status,
        "spec": {"disk": "old", "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": {"name": "data", "namespace": "shop", "uid": "u"}}})
}

/// Writes the list of snapshots.
fn record(bench: &Bench, location: &str) {
    let mut snapshot = VolumeSnapshot::default();
    snapshot.spec.persistent_volume_name = "pv".into();
    snapshot.spec.location = location.into();
    snapshot.spec.volume_type = "fast".into();
    snapshot.spec.volume_az = "z".into();
    snapshot.spec.volume_iops = Some(9);
    snapshot.status.provider_snapshot_id = "snap".into();
    let bytes = side::encode(&[snapshot]).unwrap();
    let mut files = bench.store.0.lock().unwrap();
    files.insert(layout::volume_snapshots("b"), bytes.into());
}

fn live(bench: &Bench, path: &str) -> Value {
    let object = bench.cluster.object(path);
    object.unwrap_or_else(|| panic!("no {path}: {:?}", bench.cluster.log()))
}

#[tokio::test]
async fn a_volume_gets_a_disk_of_its_snapshot_whatever_its_reclaim_policy() {
    let (bench, disks) = bench();
    let report = bench.run(&json!({})).await.unwrap();
    assert_eq!(report.status.phase, Some(RestorePhase::Completed));
    let [disk] = &disks.disks()[..] else {
        panic!("{:?}", disks.disks())
    };
    let volume = live(&bench, VOLUME);
    assert_eq!(volume["spec"]["disk"], json!(disk));
    assert_eq!(
        volume["spec"]["claimRef"],
        json!({"name": "data", "namespace": "shop"})
    );
    assert_eq!(live(&bench, CLAIM)["spec"]["volumeName"], "pv");
    let request = disks.made.lock().unwrap().values().next().unwrap().clone();
    assert_eq!(
        (request.snapshot.as_str(), request.disk_type.as_str()),
        ("snap", "fast")
    );
    assert_eq!((request.zone.as_str(), request.iops), ("z", Some(9)));
    let key = layout::restore_volume_info("r");
    let bytes = bench.store.0.lock().unwrap()[&key].clone();
    let infos: Vec<side::RestoreVolumeInfo> = side::decode(&key, &bytes, 1 << 20).unwrap();
    insta::assert_yaml_snapshot!(infos);
}

#[tokio::test]
async fn a_disk_is_made_in_the_zone_that_the_restore_wants() {
    let (bench, disks) = bench();
    let mut restore = restore(&json!({}));
    restore.zones = [("z".to_owned(), "y".to_owned())].into();
    bench.run_as(&restore).await.unwrap();
    let request = disks.made.lock().unwrap().values().next().unwrap().clone();
    assert_eq!(request.zone, "y");
}

#[tokio::test]
async fn a_restore_that_runs_again_makes_no_second_disk() {
    let (bench, disks) = bench();
    bench.run(&json!({})).await.unwrap();
    let again = bench.run(&json!({})).await.unwrap();
    assert_eq!(again.status.phase, Some(RestorePhase::Completed));
    assert_eq!(disks.disks().len(), 1);
    let post = format!("post {VOLUME}");
    let posts = bench.cluster.log();
    assert_eq!(posts.iter().filter(|line| **line == post).count(), 1);
}

#[tokio::test]
async fn a_volume_in_use_keeps_its_disk() {
    let (bench, disks) = bench();
    bench
        .cluster
        .put(VOLUME, volume(&json!({"phase": "Bound"})));
    bench.run(&json!({})).await.unwrap();
    assert_eq!(live(&bench, VOLUME)["spec"]["disk"], "old");
    assert!(disks.disks().is_empty());
}

#[tokio::test]
async fn a_copy_in_another_namespace_has_a_volume_and_a_disk_of_its_own() {
    let (bench, disks) = bench();
    let original = volume(&json!({"phase": "Bound"}));
    bench.cluster.put(VOLUME, original.clone());
    let spec = json!({"namespaceMapping": {"shop": "copy"}});
    for _ in 0..2 {
        let report = bench.run(&spec).await.unwrap();
        assert_eq!(report.status.phase, Some(RestorePhase::Completed));
    }
    assert_eq!(live(&bench, VOLUME), original);
    let claim = live(&bench, "persistentvolumeclaims/copy/data");
    let name = claim["spec"]["volumeName"].as_str().unwrap();
    assert!(name.starts_with("velero-clone-"), "{name}");
    let clone = live(&bench, &format!("persistentvolumes/-/{name}"));
    assert_eq!(clone["spec"]["claimRef"]["namespace"], "copy");
    let annotations = &clone["metadata"]["annotations"];
    assert_eq!(annotations[label::ORIGINAL_PV_NAME], "pv");
    assert_eq!(disks.disks(), [clone["spec"]["disk"].as_str().unwrap()]);
    let listed = &bench.listing()["v1/PersistentVolume"];
    assert_eq!(*listed, [format!("{name}(created)")]);
}

#[tokio::test]
async fn a_volume_that_was_released_and_stays_does_not_bar_the_way() {
    let (bench, disks) = bench();
    let mut released = volume(&json!({"phase": "Released"}));
    released["spec"]["persistentVolumeReclaimPolicy"] = "Retain".into();
    bench.cluster.put(VOLUME, released.clone());
    bench.run(&json!({})).await.unwrap();
    assert_eq!(live(&bench, VOLUME), released);
    let claim = live(&bench, CLAIM);
    let name = claim["spec"]["volumeName"].as_str().unwrap();
    let clone = live(&bench, &format!("persistentvolumes/-/{name}"));
    assert_eq!(disks.disks(), [clone["spec"]["disk"].as_str().unwrap()]);
}

#[tokio::test]
async fn a_volume_that_goes_away_is_waited_for() {
    let (bench, disks) = bench();
    bench
        .cluster
        .put(VOLUME, volume(&json!({"phase": "Released"})));
    let linger = |times| {
        let mut lingering = bench.cluster.lingering.lock().unwrap();
        lingering.insert(VOLUME.to_owned(), times);
    };
    linger(3);
    let report = bench.run(&json!({})).await.unwrap();
    assert_eq!(report.status.phase, Some(RestorePhase::Completed));
    assert_eq!(live(&bench, VOLUME)["spec"]["disk"], disks.disks()[0]);
}

#[tokio::test]
async fn a_disk_whose_volume_is_refused_is_taken_back_and_one_in_doubt_is_not() {
    let fault = |bench: &Bench, fault| {
        let mut faults = bench.cluster.faults.lock().unwrap();
        faults.insert(VOLUME.into(), [fault].into());
    };
    let (refused, disks) = bench();
    fault(&refused, Fault::Fails(ClusterErrorKind::Forbidden));
    let report = refused.run(&json!({})).await.unwrap();
    assert_eq!(report.status.errors, 1);
    assert!(disks.disks().is_empty());
    assert_eq!(disks.deleted.lock().unwrap().len(), 1);

    let (lost, disks) = bench();
    fault(&lost, Fault::AnswerLost);
    let report = lost.run(&json!({})).await.unwrap();
    assert_eq!(report.status.errors, 0);
    assert_eq!(live(&lost, VOLUME)["spec"]["disk"], disks.disks()[0]);
}

#[tokio::test]
async fn without_its_location_the_volume_fails_and_no_empty_one_takes_its_place() {
    let (bench, _) = bench();
    record(&bench, "gone");
    bench.run(&json!({})).await.unwrap();
    let problems = bench.results().errors.cluster;
    assert_eq!(
        problems,
        ["persistentvolumes pv: snapshot location `gone` does not exist"]
    );
    assert_eq!(live(&bench, CLAIM)["spec"]["volumeName"], "pv");
    // Backups of Heptio Ark name none: then the only one is meant.
    record(&bench, "");
    let (again, disks) = self::bench();
    record(&again, "");
    again.run(&json!({})).await.unwrap();
    assert_eq!(disks.disks().len(), 1);
}

#[tokio::test]
async fn data_that_is_not_wanted_makes_no_disk() {
    let (bench, disks) = bench();
    let report = bench.run(&json!({"restorePVs": false})).await.unwrap();
    assert_eq!(report.status.phase, Some(RestorePhase::Completed));
    assert!(disks.disks().is_empty());
    assert!(bench.cluster.object(VOLUME).is_none());
    assert!(live(&bench, CLAIM)["spec"].get("volumeName").is_none());
}
