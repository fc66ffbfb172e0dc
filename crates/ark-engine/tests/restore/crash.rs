//! A restore that stops in the middle is run again and ends as if it had not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ark_engine::job::Job;
use ark_engine::progress::{Event, Observer};
use ark_engine::restore::{self, Counts, Options, RestoreError};
use ark_testkit::Namespaces;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Bench, validated};

const OBJECTS: u64 = 400;

/// Stops a job when so many objects are done.
struct StopAfter {
    objects: u64,
    cancel: CancellationToken,
    seen: AtomicU64,
}

impl Observer for StopAfter {
    fn on(&self, event: &Event) {
        if let Event::Done(done) = event {
            self.seen.store(*done, Ordering::Relaxed);
            if *done >= self.objects {
                self.cancel.cancel();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_goes_on_where_it_stopped() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let namespace = namespaces.create("crash").unwrap();
    let manifests: Vec<String> = (0..OBJECTS)
        .map(|n| {
            json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": format!("c-{n:04}"), "namespace": namespace},
                "data": {"n": n.to_string()},
            })
            .to_string()
        })
        .collect();
    let create = ["create", "--field-manager=helm", "-f", "-"];
    bench
        .plane
        .kubectl_stdin(&create, &manifests.join("\n---\n"))
        .unwrap();
    bench
        .back_up(json!({"includedNamespaces": [namespace]}))
        .await;
    bench.delete_namespace(&namespace);

    let spec = json!({
        "includedNamespaces": [namespace], "includedResources": ["configmaps"],
    });
    let restore = validated("crash", spec);
    let cancel = CancellationToken::new();
    let observer = Arc::new(StopAfter {
        objects: 100,
        cancel: cancel.clone(),
        seen: AtomicU64::new(0),
    });
    let job = Job::new(bench.ports.clone(), Arc::clone(&observer) as _, cancel);
    let stopped = restore::run(&job, &restore, &Options::default()).await;
    assert!(matches!(stopped, Err(RestoreError::Cancelled)));
    let list = ["-n", &namespace, "get", "configmaps", "-o", "name"];
    let there = bench.kubectl(&list).lines().count() as u64;
    assert!(
        (100..OBJECTS).contains(&there),
        "{there} objects after the stop"
    );

    let report = bench
        .try_restore(&restore, CancellationToken::new())
        .await
        .unwrap();
    let problems: Vec<_> = report.issues.iter().collect();
    assert!(problems.is_empty(), "{problems:?}");
    // One more than the test made: the certificates that a controller puts into
    // every namespace. Whether it or the restore came first is open.
    let Counts {
        created, skipped, ..
    } = report.counts;
    assert_eq!(created + skipped, OBJECTS + 1);
    assert!(created >= OBJECTS, "{created} created");
}
