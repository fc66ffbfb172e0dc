//! What a backup does when something fails: it says so, and what is not whole
//! is not listed.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use ark_api::BackupSpec;
use ark_archive::layout;
use ark_engine::backup::{BackupError, Options};
use ark_engine::catalog;
use ark_engine::port::{ClusterErrorKind, PutMode};
use ark_testkit::Namespaces;
use bytes::Bytes;
use futures::TryStreamExt as _;
use tokio_util::sync::CancellationToken;

use super::faulty::{FaultyCluster, FaultyStore};
use super::{Bench, names};

/// A bench with one namespace that holds a config map and a secret.
async fn bench_with_objects(namespaces: &mut Namespaces<'_>) -> (Bench, BackupSpec) {
    let bench = Bench::new().await;
    let namespace = namespaces.create("failure").unwrap();
    bench
        .plane
        .kubectl(&["-n", &namespace, "create", "configmap", "one"])
        .unwrap();
    bench
        .plane
        .kubectl(&["-n", &namespace, "create", "secret", "generic", "two"])
        .unwrap();
    let spec = BackupSpec {
        included_namespaces: vec![namespace],
        included_resources: names(&["configmaps", "secrets"]),
        ..BackupSpec::default()
    };
    (bench, spec)
}

fn break_lists(bench: &mut Bench, plural: &'static str, kind: ClusterErrorKind, times: usize) {
    bench.ports.cluster = Arc::new(FaultyCluster {
        inner: Arc::clone(&bench.ports.cluster),
        plural,
        kind,
        times: AtomicUsize::new(times),
    });
}

async fn kinds(bench: &Bench, name: &str) -> Vec<String> {
    let items = bench.contents(name).await;
    let named = items
        .keys()
        .filter(|key| key.name == "one" || key.name == "two");
    named.map(|key| key.group_resource.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compacted_revision_starts_the_backup_again() {
    let mut namespaces = Namespaces::new(ark_testkit::ControlPlane::shared());
    let (mut bench, spec) = bench_with_objects(&mut namespaces).await;
    break_lists(&mut bench, "secrets", ClusterErrorKind::Expired, 2);
    let report = bench.back_up("again", spec, &Options::default()).await;
    assert_eq!(report.instant.exceptions.len(), 0);
    assert_eq!(report.status.errors, 0);
    assert_eq!(kinds(&bench, "again").await, ["configmaps", "secrets"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revision_that_always_vanishes_is_named_as_an_exception() {
    let mut namespaces = Namespaces::new(ark_testkit::ControlPlane::shared());
    let (mut bench, spec) = bench_with_objects(&mut namespaces).await;
    break_lists(&mut bench, "secrets", ClusterErrorKind::Expired, usize::MAX);
    let report = bench.back_up("exception", spec, &Options::default()).await;
    assert_eq!(kinds(&bench, "exception").await, ["configmaps", "secrets"]);
    let manifest = bench
        .ports
        .store
        .read(&layout::manifest("exception"), 1 << 20)
        .await
        .unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["instant"]["exceptions"][0]["resource"], "secrets");
    assert_eq!(report.instant.exceptions[0].resource, "secrets");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_cannot_be_read_makes_the_backup_partial() {
    let mut namespaces = Namespaces::new(ark_testkit::ControlPlane::shared());
    let (mut bench, spec) = bench_with_objects(&mut namespaces).await;
    break_lists(
        &mut bench,
        "secrets",
        ClusterErrorKind::Forbidden,
        usize::MAX,
    );
    let report = bench.back_up("partial", spec, &Options::default()).await;
    let status = serde_json::to_value(&report.status).unwrap();
    assert_eq!(status["phase"], "PartiallyFailed");
    assert_eq!(status["errors"], 1);
    assert_eq!(kinds(&bench, "partial").await, ["configmaps"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_store_leaves_nothing_that_is_listed() {
    let mut namespaces = Namespaces::new(ark_testkit::ControlPlane::shared());
    for suffix in [".tar.gz", "ark-index.gz", "velero-backup.json"] {
        let (mut bench, spec) = bench_with_objects(&mut namespaces).await;
        let store = Arc::clone(&bench.ports.store);
        bench.ports.store = Arc::new(FaultyStore {
            inner: Arc::clone(&store),
            suffix,
        });
        let error = bench
            .try_back_up("broken", spec, CancellationToken::new())
            .await
            .unwrap_err();
        assert!(matches!(error, BackupError::Store(_)), "{error}");
        assert_eq!(catalog::list(store.as_ref()).await.unwrap(), [""; 0]);
        let left: Vec<_> = store
            .list("backups/")
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let left: Vec<_> = left.into_iter().map(|entry| entry.key).collect();
        assert_eq!(left, [layout::log("broken")], "the log stays for people");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_backup_is_not_listed() {
    let mut namespaces = Namespaces::new(ark_testkit::ControlPlane::shared());
    let (bench, spec) = bench_with_objects(&mut namespaces).await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let error = bench
        .try_back_up("cancelled", spec, cancel)
        .await
        .unwrap_err();
    assert!(matches!(error, BackupError::Cancelled), "{error}");
    assert_eq!(
        catalog::list(bench.ports.store.as_ref()).await.unwrap(),
        [""; 0]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_taken_once_and_the_same_backup_is_made_once() {
    let mut namespaces = Namespaces::new(ark_testkit::ControlPlane::shared());
    let (bench, spec) = bench_with_objects(&mut namespaces).await;
    let leftover = format!("{}broken-part", layout::backup_dir("taken"));
    let body = Bytes::from_static(b"of an attempt that died");
    bench
        .ports
        .store
        .put(&leftover, body, PutMode::Create)
        .await
        .unwrap();
    let first = bench
        .back_up("taken", spec.clone(), &Options::default())
        .await;
    assert_eq!(
        bench.ports.store.stat(&leftover).await.unwrap(),
        None,
        "remains are cleared"
    );
    let again = bench
        .back_up("taken", spec.clone(), &Options::default())
        .await;
    assert_eq!(
        first.status, again.status,
        "the same resource finds its own backup"
    );
    let error = bench
        .try_back_up_as("taken", "another-uid", spec)
        .await
        .unwrap_err();
    assert!(matches!(error, BackupError::Exists { .. }), "{error}");
}
