//! A backup is one instant: what a writer keeps true at every moment is true in
//! every backup, across kinds and namespaces.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ark_api::BackupSpec;
use ark_engine::backup::Options;
use ark_engine::port::{ApiResource, Patch, Target};
use ark_testkit::Namespaces;
use bytes::Bytes;

use super::{Bench, names};

const BACKUPS: usize = 100;

fn core(plural: &str, kind: &str) -> ApiResource {
    ApiResource {
        group: String::new(),
        version: "v1".into(),
        plural: plural.into(),
        singular: String::new(),
        kind: kind.into(),
        namespaced: true,
        verbs: vec![],
        short_names: vec![],
        preferred: true,
    }
}

/// Counts a config map in one namespace and a secret in another upwards, the
/// config map first: at every moment it is ahead by nothing or by one.
async fn count(bench: &Bench, first: &str, second: &str, stop: &AtomicBool, rounds: &AtomicU64) {
    let (config_maps, secrets) = (core("configmaps", "ConfigMap"), core("secrets", "Secret"));
    let mut n = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        n += 1;
        for (resource, namespace) in [(&config_maps, first), (&secrets, second)] {
            let target = Target {
                resource,
                namespace: Some(namespace),
                name: "counter",
            };
            let patch = format!(r#"{{"metadata":{{"annotations":{{"n":"{n}"}}}}}}"#);
            bench
                .ports
                .cluster
                .patch(target, Patch::Merge(Bytes::from(patch)))
                .await
                .unwrap();
        }
        rounds.store(n, Ordering::Relaxed);
    }
}

/// How far the config map of a backup is ahead of its secret.
async fn lead(bench: &Bench, name: &str, spec: &BackupSpec, options: &Options) -> i64 {
    bench.back_up(name, spec.clone(), options).await;
    let items = bench.contents(name).await;
    let counter = |kind: &str| -> i64 {
        let found = items
            .iter()
            .find(|(key, _)| key.group_resource.resource == kind && key.name == "counter");
        let (_, object) = found.unwrap();
        object["metadata"]["annotations"]["n"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    counter("configmaps") - counter("secrets")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_never_see_an_invariant_broken_and_without_the_fence_they_do() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let (first, second) = (
        namespaces.create("fence-a").unwrap(),
        namespaces.create("fence-b").unwrap(),
    );
    bench
        .plane
        .kubectl(&["-n", &first, "create", "configmap", "counter"])
        .unwrap();
    bench
        .plane
        .kubectl(&["-n", &second, "create", "secret", "generic", "counter"])
        .unwrap();
    for (kind, namespace) in [("configmap", &first), ("secret", &second)] {
        bench
            .plane
            .kubectl(&["-n", namespace, "annotate", kind, "counter", "n=0"])
            .unwrap();
    }
    let spec = BackupSpec {
        included_namespaces: vec![first.clone(), second.clone()],
        included_resources: names(&["configmaps", "secrets"]),
        ..BackupSpec::default()
    };
    let (stop, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    let observe = async {
        while rounds.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut broken = (0, 0);
        for i in 0..BACKUPS {
            // One list at a time, so that without the fence the moments differ most.
            for (fence, broken) in [(true, &mut broken.0), (false, &mut broken.1)] {
                let options = Options {
                    fence,
                    list_concurrency: 1,
                    ..Options::default()
                };
                let name = format!("fence-{fence}-{i}");
                let lead = lead(&bench, &name, &spec, &options).await;
                *broken += usize::from(!(0..=1).contains(&lead));
            }
        }
        stop.store(true, Ordering::Relaxed);
        broken
    };
    let ((fenced, unfenced), ()) =
        tokio::join!(observe, count(&bench, &first, &second, &stop, &rounds));
    assert_eq!(
        fenced, 0,
        "{fenced} of {BACKUPS} fenced backups saw the invariant broken"
    );
    assert!(
        unfenced > 0,
        "the invariant held without the fence too ({} rounds): the test proves nothing",
        rounds.load(Ordering::Relaxed)
    );
}
