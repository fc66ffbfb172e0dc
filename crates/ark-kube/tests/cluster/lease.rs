//! Leader election: one at a time, and another when that one is gone.

use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::{Cluster, Patch, SystemClock};
use ark_kube::lease::{Leadership, LeaseOptions, elect};
use ark_testkit::{ControlPlane, Namespaces};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{bytes, connect, resource, target};

fn options(namespace: &str, identity: &str) -> LeaseOptions {
    LeaseOptions {
        duration: Duration::from_secs(3),
        deadline: Duration::from_secs(2),
        retry: Duration::from_millis(200),
        ..LeaseOptions::new(namespace, "leader", identity)
    }
}

async fn candidate(cluster: &Arc<dyn Cluster>, namespace: &str, identity: &str) -> Leadership {
    let never = CancellationToken::new();
    let clock = Arc::new(SystemClock);
    elect(
        Arc::clone(cluster),
        clock,
        options(namespace, identity),
        &never,
    )
    .await
    .unwrap()
}

async fn holder(cluster: &Arc<dyn Cluster>, namespace: &str) -> String {
    let leases = resource("coordination.k8s.io", "v1", "leases", "Lease");
    let lease = cluster
        .get(target(&leases, namespace, "leader"))
        .await
        .unwrap()
        .unwrap();
    lease.to_value().unwrap()["spec"]["holderIdentity"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_lease_is_taken_at_once_and_one_of_the_dead_later() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("lease").unwrap();
    let cluster: Arc<dyn Cluster> = Arc::new(connect(plane).await);

    let first = candidate(&cluster, &namespace, "first").await;
    assert_eq!(holder(&cluster, &namespace).await, "first");
    let waiting = tokio::time::timeout(
        // Longer than the lease is valid: it is renewed meanwhile.
        Duration::from_secs(4),
        candidate(&cluster, &namespace, "second"),
    );
    assert!(waiting.await.is_err(), "two leaders");
    assert!(!first.lost().is_cancelled());
    let lost = first.lost().clone();
    first.release().await;
    assert!(lost.is_cancelled());

    let soon = Duration::from_secs(1);
    let second = tokio::time::timeout(soon, candidate(&cluster, &namespace, "second"))
        .await
        .unwrap();
    assert_eq!(holder(&cluster, &namespace).await, "second");

    // A process that dies neither renews nor releases.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    second.release().await;
    let (kubeconfig, dying) = (plane, namespace.clone());
    runtime
        .spawn(async move {
            let cluster: Arc<dyn Cluster> = Arc::new(connect(kubeconfig).await);
            std::mem::forget(candidate(&cluster, &dying, "dead").await);
        })
        .await
        .unwrap();
    runtime.shutdown_background();
    assert_eq!(holder(&cluster, &namespace).await, "dead");
    let third = tokio::time::timeout(
        Duration::from_secs(10),
        candidate(&cluster, &namespace, "third"),
    );
    let third = third
        .await
        .expect("the lease of the dead is free after its time");
    assert_eq!(holder(&cluster, &namespace).await, "third");
    third.release().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_robbed_knows() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("robbed").unwrap();
    let cluster: Arc<dyn Cluster> = Arc::new(connect(plane).await);
    let first = candidate(&cluster, &namespace, "first").await;
    let leases = resource("coordination.k8s.io", "v1", "leases", "Lease");
    let theft = bytes(&json!({"spec": {"holderIdentity": "thief"}}));
    cluster
        .patch(target(&leases, &namespace, "leader"), Patch::Merge(theft))
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(3), first.lost().cancelled())
        .await
        .unwrap();
    first.release().await;
    assert_eq!(holder(&cluster, &namespace).await, "thief");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_the_waiting() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("ending").unwrap();
    let cluster: Arc<dyn Cluster> = Arc::new(connect(plane).await);
    let leader = candidate(&cluster, &namespace, "first").await;
    let shutdown = CancellationToken::new();
    let clock = Arc::new(SystemClock);
    let wait = elect(
        Arc::clone(&cluster),
        clock,
        options(&namespace, "second"),
        &shutdown,
    );
    let (none, ()) = tokio::join!(wait, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        shutdown.cancel();
    });
    assert!(none.is_none());
    leader.release().await;
}
