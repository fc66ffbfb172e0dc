//! Applying and deleting manifests, and waiting for what they make.

use std::time::Duration;

use ark_engine::port::{Cluster as _, Target};
use ark_kube::Connection;
use ark_kube::apply::{Applied, ApplyError, ApplyOptions, Change, apply, delete};
use ark_kube::wait::{self, WaitError};
use ark_testkit::{ControlPlane, Namespaces, unique_name};
use serde_json::{Value, json};

use crate::{connect, resource, target, widget};

const LONG: Duration = Duration::from_mins(1);

fn manifests(namespace: &str, group: &str) -> Vec<Value> {
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        widget::definition(group),
        json!({
            "apiVersion": format!("{group}/v1"), "kind": "Widget",
            "metadata": {"name": "a", "namespace": namespace}, "spec": {"size": 1},
        }),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "c", "namespace": namespace}, "data": {"k": "v"},
        }),
    ]
}

fn changes(applied: &[Applied]) -> Vec<Change> {
    applied.iter().map(|one| one.change).collect()
}

async fn apply_all(connection: &Connection, manifests: &[Value]) -> Vec<Applied> {
    let mut reported = Vec::new();
    let applied = apply(connection, manifests, &ApplyOptions::default(), |one| {
        reported.push(one.clone());
    })
    .await
    .unwrap();
    assert_eq!(reported, applied);
    applied
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_twice_changes_nothing_and_deleting_leaves_nothing() {
    use Change::{Absent, Changed, Created, Deleted, Unchanged};
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.reserve("install");
    let connection = connect(plane).await;
    let group = format!("{}.kube.ark.test", unique_name("install"));
    let mut all = manifests(&namespace, &group);

    let first = apply_all(&connection, &all).await;
    assert_eq!(changes(&first), [Created, Created, Created, Created]);
    assert_eq!(first[3].object, format!("configmaps {namespace}/c"));
    let second = apply_all(&connection, &all).await;
    // The server itself may have written to the namespace and the definition.
    assert_eq!(changes(&second[2..]), [Unchanged, Unchanged]);
    all[3]["data"]["k"] = json!("w");
    assert_eq!(apply_all(&connection, &all).await[3].change, Changed);

    let gone = delete(&connection, &all, Some(LONG), |_| ()).await.unwrap();
    assert_eq!(changes(&gone), [Deleted, Deleted, Deleted, Deleted]);
    wait::namespace_gone(&connection, &namespace, LONG)
        .await
        .unwrap();
    let again = delete(&connection, &all, None, |_| ()).await.unwrap();
    assert_eq!(changes(&again), [Absent, Absent, Absent, Absent]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_persists_nothing() {
    let connection = connect(ControlPlane::shared()).await;
    let name = unique_name("trial");
    let manifest = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let options = ApplyOptions {
        dry_run: true,
        ..ApplyOptions::default()
    };
    let applied = apply(&connection, &[manifest], &options, |_| ())
        .await
        .unwrap();
    assert_eq!(applied[0].change, Change::Created);
    let resource = ark_engine::port::ApiResource {
        namespaced: false,
        ..resource("", "v1", "namespaces", "Namespace")
    };
    let target = Target {
        resource: &resource,
        namespace: None,
        name: &name,
    };
    assert!(connection.get(target).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_applied_is_named() {
    let connection = connect(ControlPlane::shared()).await;
    let attempt = async |manifest: Value| {
        let options = ApplyOptions::default();
        apply(&connection, &[manifest], &options, |_| ())
            .await
            .unwrap_err()
    };
    let error = attempt(json!({"kind": "ConfigMap"})).await;
    assert!(
        matches!(error, ApplyError::Manifest { index: 0, .. }),
        "{error:?}"
    );
    let error = attempt(json!({
        "apiVersion": "no.ark.test/v1", "kind": "Thing", "metadata": {"name": "t"},
    }))
    .await;
    assert_eq!(
        error.to_string(),
        "the server does not know the kind Thing (no.ark.test/v1) of `t`"
    );
    let error =
        attempt(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "t"}})).await;
    assert_eq!(error.to_string(), "the ConfigMap `t` needs a namespace");
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_say_what_they_wait_for() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("wait").unwrap();
    let connection = connect(plane).await;
    wait::namespace_active(&connection, &namespace, LONG)
        .await
        .unwrap();

    let short = Duration::from_millis(300);
    let error = wait::definition_served(&connection, "no.ark.test", short)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("there is no such definition"),
        "{error}"
    );
    let held = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "held", "namespace": namespace, "finalizers": ["ark.test/hold"]},
    });
    apply_all(&connection, &[held]).await;
    let maps = crate::config_maps();
    let held = target(&maps, &namespace, "held");
    connection.delete(held).await.unwrap();
    let error = wait::object_gone(&connection, held, short)
        .await
        .unwrap_err();
    assert!(matches!(error, WaitError::Timeout { .. }));
    assert!(
        error.to_string().contains("held by ark.test/hold"),
        "{error}"
    );
    let free = crate::bytes(&json!({"metadata": {"finalizers": null}}));
    connection
        .patch(held, ark_engine::port::Patch::Merge(free))
        .await
        .unwrap();
    wait::object_gone(&connection, held, LONG).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_ready_when_its_replicas_are() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("ready").unwrap();
    let connection = connect(plane).await;
    let deployment = |replicas: u32, image: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {
                "replicas": replicas, "progressDeadlineSeconds": 2, "minReadySeconds": 0,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "web", "image": image}]},
                },
            },
        })
    };
    apply_all(&connection, &[deployment(0, "example.com/one")]).await;
    wait::deployment_ready(&connection, &namespace, "web", LONG)
        .await
        .unwrap();
    // There is no node, so a replica never runs, and the cluster gives up on it.
    apply_all(&connection, &[deployment(1, "example.com/two")]).await;
    let error = wait::deployment_ready(&connection, &namespace, "web", LONG)
        .await
        .unwrap_err();
    assert!(matches!(error, WaitError::Hopeless { .. }), "{error:?}");
}
