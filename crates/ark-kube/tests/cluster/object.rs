//! Single objects: fidelity, and what each refusal is called.

use std::time::Duration;

use ark_engine::port::{ApiResource, Cluster, ClusterErrorKind, CreateOptions, Patch, Target};
use ark_testkit::{ControlPlane, Namespaces};
use serde_json::json;

use crate::{
    bytes, config_map, config_maps, connect, connect_as, resource, secrets, target, widget,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_created_changed_and_deleted() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("object").unwrap();
    let connection = connect(plane).await;
    let maps = config_maps();
    let target = target(&maps, &namespace, "a");
    assert!(connection.get(target).await.unwrap().is_none());

    let trial = CreateOptions {
        dry_run: true,
        field_manager: Some("a trial & more"),
    };
    connection
        .create(&maps, Some(&namespace), config_map("a", "1"), trial)
        .await
        .unwrap();
    assert!(connection.get(target).await.unwrap().is_none());

    let options = CreateOptions {
        dry_run: false,
        field_manager: Some("tester"),
    };
    let made = connection
        .create(&maps, Some(&namespace), config_map("a", "1"), options)
        .await
        .unwrap();
    let made_value = made.to_value().unwrap();
    assert_eq!(
        made_value["metadata"]["managedFields"][0]["manager"],
        "tester"
    );

    let merge = Patch::Merge(bytes(&json!({"data": {"other": "2"}})));
    connection.patch(target, merge).await.unwrap();
    let replace = Patch::Json(bytes(
        &json!([{"op": "replace", "path": "/data/value", "value": "3"}]),
    ));
    connection.patch(target, replace).await.unwrap();
    let found = connection
        .get(target)
        .await
        .unwrap()
        .unwrap()
        .to_value()
        .unwrap();
    assert_eq!(found["data"], json!({"value": "3", "other": "2"}));
    assert_eq!(found["metadata"]["uid"], made.head().uid);

    assert!(connection.delete(target).await.unwrap());
    assert!(!connection.delete(target).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_patched_where_it_is_a_subresource() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("status").unwrap();
    let connection = connect(plane).await;
    widget::install(&connection).await;
    let widgets = resource(widget::GROUP, "v1", "widgets", "Widget");
    let body = bytes(&serde_json::to_value(widget::Widget::new("a", 1)).unwrap());
    let options = CreateOptions::default();
    connection
        .create(&widgets, Some(&namespace), body, options)
        .await
        .unwrap();
    let target = target(&widgets, &namespace, "a");

    let change = bytes(&json!({"status": {"phase": "Ready"}}));
    let plain = connection
        .patch(target, Patch::Merge(change.clone()))
        .await
        .unwrap();
    assert!(plain.to_value().unwrap()["status"].is_null());
    let status = connection
        .patch(target, Patch::MergeStatus(change))
        .await
        .unwrap();
    assert_eq!(status.to_value().unwrap()["status"]["phase"], "Ready");
}

async fn refusal(
    connection: &dyn Cluster,
    resource: &ApiResource,
    namespace: &str,
    body: bytes::Bytes,
) -> ark_engine::port::ClusterError {
    let options = CreateOptions::default();
    connection
        .create(resource, Some(namespace), body, options)
        .await
        .unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_told_apart() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("refused").unwrap();
    let connection = connect(plane).await;
    let maps = config_maps();
    let options = CreateOptions::default();
    connection
        .create(&maps, Some(&namespace), config_map("a", "1"), options)
        .await
        .unwrap();

    let error = refusal(&connection, &maps, &namespace, config_map("a", "2")).await;
    assert_eq!(error.kind, ClusterErrorKind::AlreadyExists);
    assert_eq!(error.operation, format!("create configmaps {namespace}/a"));
    let error = refusal(
        &connection,
        &maps,
        &namespace,
        config_map("Not a name", "1"),
    )
    .await;
    assert_eq!(error.kind, ClusterErrorKind::Invalid);
    assert!(error.message.contains("metadata.name"), "{error}");
    let error = refusal(
        &connection,
        &maps,
        &namespace,
        bytes::Bytes::from_static(b"{not json"),
    )
    .await;
    assert_eq!(error.kind, ClusterErrorKind::Invalid);
    let error = refusal(
        &connection,
        &maps,
        "no-such-namespace",
        config_map("a", "1"),
    )
    .await;
    assert_eq!(error.kind, ClusterErrorKind::NotFound);
    let unknown = resource("nowhere.ark.test", "v1", "things", "Thing");
    let error = refusal(&connection, &unknown, &namespace, config_map("a", "1")).await;
    assert_eq!(error.kind, ClusterErrorKind::NotFound);

    let stale = json!({"metadata": {"resourceVersion": "1"}, "data": {"value": "4"}});
    let patch = Patch::Merge(bytes(&stale));
    let error = connection
        .patch(target(&maps, &namespace, "a"), patch)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ClusterErrorKind::Conflict);
    let patch = Patch::Merge(bytes(&json!({"data": {"value": "4"}})));
    let error = connection
        .patch(target(&maps, &namespace, "gone"), patch)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ClusterErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permission_and_quota_are_forbidden() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("denied").unwrap();
    let nobody = connect_as(plane, Some("nobody")).await;
    let error = refusal(&nobody, &config_maps(), &namespace, config_map("a", "1")).await;
    assert_eq!(error.kind, ClusterErrorKind::Forbidden);
    assert!(error.message.contains("nobody"), "{error}");
    let maps = config_maps();
    let error = nobody
        .get(target(&maps, &namespace, "a"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ClusterErrorKind::Forbidden);

    let connection = connect(plane).await;
    let quotas = resource("", "v1", "resourcequotas", "ResourceQuota");
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"},
        "spec": {"hard": {"secrets": "0"}},
    });
    let options = CreateOptions::default();
    connection
        .create(&quotas, Some(&namespace), bytes(&quota), options)
        .await
        .unwrap();
    let quota = target(&quotas, &namespace, "none");
    // Admission enforces a quota once its controller has counted.
    for _ in 0..100 {
        let counted = connection
            .get(quota)
            .await
            .unwrap()
            .unwrap()
            .to_value()
            .unwrap();
        if !counted["status"]["hard"].is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}});
    let error = refusal(&connection, &secrets(), &namespace, bytes(&secret)).await;
    assert_eq!(error.kind, ClusterErrorKind::Forbidden);
    assert!(error.message.contains("quota"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_with_special_characters_are_addressed() {
    let connection = connect(ControlPlane::shared()).await;
    let roles = ApiResource {
        namespaced: false,
        ..resource(
            "rbac.authorization.k8s.io",
            "v1",
            "clusterroles",
            "ClusterRole",
        )
    };
    let name = format!("{}:a b?c#d", ark_testkit::unique_name("ark"));
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": name}, "rules": [],
    });
    let options = CreateOptions::default();
    connection
        .create(&roles, None, bytes(&role), options)
        .await
        .unwrap();
    let target = Target {
        resource: &roles,
        namespace: None,
        name: &name,
    };
    let found = connection.get(target).await.unwrap().unwrap();
    assert_eq!(found.head().name, name);
    assert!(connection.delete(target).await.unwrap());
}
