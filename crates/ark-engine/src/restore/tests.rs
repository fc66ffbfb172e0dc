//! Whole restores into a cluster in memory: what no real server does on demand.

use std::sync::Arc;

use ark_api::RestorePhase;
use ark_archive::{layout, side};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::fixture::{Fault, MemoryClock, MemoryCluster, MemoryStore, bucket, config_map, restore};
use super::*;

mod volumes;
use crate::job::Ports;
use crate::outcome::Severity;
use crate::port::{ClusterErrorKind, SnapshotLocations};
use crate::progress::Silent;

struct Bench {
    cluster: Arc<MemoryCluster>,
    store: Arc<MemoryStore>,
    snapshots: SnapshotLocations,
    cancel: CancellationToken,
}

impl Bench {
    fn new(objects: &[(&str, Value)]) -> Self {
        Self {
            cluster: Arc::default(),
            store: bucket(objects),
            snapshots: SnapshotLocations::default(),
            cancel: CancellationToken::new(),
        }
    }

    async fn run(&self, spec: &Value) -> Result<Report, RestoreError> {
        self.run_as(&restore(spec)).await
    }

    async fn run_as(&self, restore: &ValidatedRestore) -> Result<Report, RestoreError> {
        let ports = Ports {
            cluster: Arc::clone(&self.cluster) as _,
            store: Arc::clone(&self.store) as _,
            snapshots: self.snapshots.clone(),
            clock: Arc::new(MemoryClock::default()),
        };
        let job = Job::new(ports, Arc::new(Silent), self.cancel.clone());
        run(&job, restore, &Options::default()).await
    }

    fn results(&self) -> side::Results {
        let key = layout::restore_results("r");
        let bytes = self.store.0.lock().unwrap()[&key].clone();
        side::decode(&key, &bytes, 1 << 20).unwrap()
    }

    fn listing(&self) -> side::ResourceList {
        let key = layout::restore_resource_list("r");
        let bytes = self.store.0.lock().unwrap()[&key].clone();
        side::decode(&key, &bytes, 1 << 20).unwrap()
    }
}

fn shop(count: usize) -> Vec<(&'static str, Value)> {
    (0..count)
        .map(|n| ("configmaps", config_map("shop", &format!("c-{n:03}"), "v")))
        .collect()
}

#[tokio::test]
async fn a_restore_writes_its_five_files_and_tells_the_truth() {
    let bench = Bench::new(&shop(3));
    bench.cluster.put(
        "configmaps/shop/c-001",
        config_map("shop", "c-001", "other"),
    );
    let report = bench.run(&json!({})).await.unwrap();
    assert_eq!(report.status.phase, Some(RestorePhase::Completed));
    assert_eq!((report.status.warnings, report.status.errors), (1, 0));
    let progress = report.status.progress.unwrap();
    assert_eq!((progress.total_items, progress.items_restored), (3, 3));
    assert_eq!(
        report.counts,
        Counts {
            created: 2,
            skipped: 1,
            ..Counts::default()
        }
    );
    let listing = bench.listing();
    assert_eq!(
        listing["v1/ConfigMap"],
        [
            "shop/c-000(created)",
            "shop/c-001(skipped)",
            "shop/c-002(created)"
        ]
    );
    assert_eq!(listing["v1/Namespace"], ["shop(created)"]);
    assert_eq!(bench.results().warnings.namespaces["shop"].len(), 1);
    let files = bench.store.0.lock().unwrap();
    for key in [
        layout::restore_log("r"),
        layout::restore_item_operations("r"),
        layout::restore_volume_info("r"),
    ] {
        assert!(files.contains_key(&key), "{key}");
    }
}

#[tokio::test]
async fn a_backup_without_objects_is_a_warning() {
    let bench = Bench::new(&[]);
    let report = bench.run(&json!({})).await.unwrap();
    assert_eq!(report.status.phase, Some(RestorePhase::Completed));
    assert_eq!(report.status.warnings, 1);
}

#[tokio::test]
async fn an_archive_without_index_reads_the_same() {
    for spoil in [None, Some("not an index")] {
        let bench = Bench::new(&shop(3));
        let key = layout::index("b");
        match spoil {
            None => bench.store.0.lock().unwrap().remove(&key),
            Some(text) => bench.store.0.lock().unwrap().insert(key, text.into()),
        };
        let report = bench.run(&json!({})).await.unwrap();
        assert_eq!(report.counts.created, 3);
        assert_eq!(report.status.warnings, 0);
    }
}

#[tokio::test]
async fn a_damaged_archive_changes_nothing() {
    for indexed in [true, false] {
        for spoil in [flip as fn(Vec<u8>) -> Vec<u8>, cut] {
            let bench = Bench::new(&shop(40));
            let key = layout::contents("b");
            {
                let mut files = bench.store.0.lock().unwrap();
                let bytes = spoil(files[&key].to_vec());
                files.insert(key, bytes.into());
                if !indexed {
                    files.remove(&layout::index("b"));
                }
            }
            let error = bench.run(&json!({})).await.unwrap_err();
            assert!(matches!(error, RestoreError::Load(_)), "{error}");
            assert!(bench.cluster.log().is_empty());
            let files = bench.store.0.lock().unwrap();
            assert!(files.contains_key(&layout::restore_log("r")));
            // The description of a failed restore shows why, too.
            let packed = &files[&layout::restore_results("r")];
            let results: side::Results = side::decode("results", packed, 1 << 20).unwrap();
            assert!(results.errors.velero[0].contains("b.tar.gz"), "{results:?}");
        }
    }
}

fn flip(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    bytes
}

fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() * 2 / 3);
    bytes
}

#[tokio::test]
async fn a_namespace_that_does_not_go_away_is_one_error() {
    let mut objects = shop(5);
    objects.push(("configmaps", config_map("bank", "c", "v")));
    let bench = Bench::new(&objects);
    bench.cluster.put(
        "namespaces/-/shop",
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "shop", "deletionTimestamp": "2026-01-01T00:00:00Z"},
            "status": {"conditions": [{"type": "NamespaceFinalizersRemaining", "status": "True",
                "message": "Some content in the namespace has finalizers remaining: example.com/hold"}]},
        }),
    );
    let report = bench.run(&json!({})).await.unwrap();
    assert_eq!(report.status.phase, Some(RestorePhase::PartiallyFailed));
    assert_eq!(
        report.counts,
        Counts {
            created: 1,
            failed: 5,
            ..Counts::default()
        }
    );
    assert_eq!(report.issues.count(Severity::Error), 1);
    let errors = bench.results().errors;
    assert!(
        errors.velero[0].contains("finalizers remaining: example.com/hold"),
        "{errors:?}"
    );
}

#[tokio::test]
async fn a_namespace_that_goes_away_is_made_again() {
    let bench = Bench::new(&shop(2));
    let going = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "shop", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    bench.cluster.put("namespaces/-/shop", going);
    bench
        .cluster
        .lingering
        .lock()
        .unwrap()
        .insert("namespaces/-/shop".into(), 4);
    let report = bench.run(&json!({})).await.unwrap();
    assert_eq!(report.counts.created, 2);
    assert_eq!(bench.listing()["v1/Namespace"], ["shop(created)"]);
}

#[tokio::test]
async fn failures_of_the_way_do_not_lose_or_double_anything() {
    let bench = Bench::new(&shop(300));
    {
        let mut faults = bench.cluster.faults.lock().unwrap();
        for n in (0..300).step_by(7) {
            let path = format!("configmaps/shop/c-{n:03}");
            let queue = match n % 3 {
                0 => vec![Fault::AnswerLost],
                1 => vec![
                    Fault::Fails(ClusterErrorKind::Unavailable),
                    Fault::AnswerLost,
                ],
                _ => vec![Fault::Fails(ClusterErrorKind::Throttled)],
            };
            faults.insert(path, queue.into());
        }
    }
    let report = bench.run(&json!({})).await.unwrap();
    assert_eq!(
        report.counts,
        Counts {
            created: 300,
            ..Counts::default()
        }
    );
    assert_eq!(bench.cluster.objects.lock().unwrap().len(), 301);
}

#[tokio::test]
async fn a_refused_object_is_an_error_of_its_own_and_the_rest_goes_on() {
    let bench = Bench::new(&shop(10));
    let refused = vec![Fault::Fails(ClusterErrorKind::Forbidden)];
    bench
        .cluster
        .faults
        .lock()
        .unwrap()
        .insert("configmaps/shop/c-004".into(), refused.into());
    let report = bench.run(&json!({})).await.unwrap();
    assert_eq!(report.status.phase, Some(RestorePhase::PartiallyFailed));
    assert_eq!(
        report.counts,
        Counts {
            created: 9,
            failed: 1,
            ..Counts::default()
        }
    );
    assert!(bench.listing()["v1/ConfigMap"].contains(&"shop/c-004(failed)".to_owned()));
}

#[tokio::test]
async fn a_cancelled_restore_stops_and_can_be_carried_on() {
    let bench = Bench::new(&shop(600));
    bench.cancel.cancel();
    assert!(matches!(
        bench.run(&json!({})).await,
        Err(RestoreError::Cancelled)
    ));
    let bench = Bench {
        cancel: CancellationToken::new(),
        ..bench
    };
    let report = bench.run(&json!({})).await.unwrap();
    assert_eq!(report.counts.created, 600);
    let again = bench.run(&json!({})).await.unwrap();
    assert_eq!(
        again.counts, report.counts,
        "what it made before counts as created"
    );
    assert_eq!((again.status.warnings, again.status.errors), (0, 0));
}

#[tokio::test]
async fn kinds_that_are_not_served_are_one_error_each() {
    let mut objects = shop(1);
    for name in ["a", "b"] {
        let gadget = json!({"apiVersion": "example.com/v1", "kind": "Gadget",
            "metadata": {"name": name, "namespace": "shop"}});
        objects.push(("gadgets.example.com", gadget));
    }
    let bench = Bench::new(&objects);
    let report = bench.run(&json!({})).await.unwrap();
    assert_eq!(report.status.errors, 1);
    assert_eq!(
        bench.results().errors.cluster,
        [
            "gadgets.example.com: the cluster does not serve this kind; 2 objects of it are not restored"
        ]
    );
}

#[tokio::test]
async fn volume_data_that_cannot_come_back_is_an_error_unless_unwanted() {
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"},
        "spec": {"persistentVolumeReclaimPolicy": "Retain"},
    });
    for (spec, errors) in [(json!({}), 1), (json!({"restorePVs": false}), 0)] {
        let bench = Bench::new(&[("persistentvolumes", volume.clone())]);
        let infos = json!([{"pvName": "pv-1", "backupMethod": "PodVolumeBackup"}]);
        let infos = side::encode(&infos).unwrap();
        bench
            .store
            .0
            .lock()
            .unwrap()
            .insert(layout::volume_info("b"), infos.into());
        let report = bench.run(&spec).await.unwrap();
        assert_eq!(report.status.errors, errors, "{spec}");
        assert_eq!(report.left_out[&Rule::DynamicVolume], 1);
        assert!(bench.cluster.object("persistentvolumes/-/pv-1").is_none());
    }
}
