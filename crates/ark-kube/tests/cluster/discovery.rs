//! What the server serves is found completely, whatever is broken.

use std::collections::BTreeSet;
use std::time::Duration;

use ark_engine::port::{ApiResource, Cluster as _, Discovery};
use ark_testkit::{ControlPlane, unique_name};
use serde_json::json;

use crate::{connect, disturbed, widget};

/// Names of what Kubernetes itself serves: other tests add definitions meanwhile.
fn builtin<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names
        .into_iter()
        .filter(|name| name.rsplit('.').next() != Some("test") && !name.ends_with("velero.io"))
        .map(str::to_owned)
        .collect()
}

fn names(discovery: &Discovery) -> BTreeSet<String> {
    let names: Vec<_> = discovery
        .resources
        .iter()
        .map(ApiResource::group_resource)
        .collect();
    builtin(names.iter().map(String::as_str))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_that_kubectl_lists_is_found() {
    let plane = ControlPlane::shared();
    let connection = connect(plane).await;
    let listed = plane
        .kubectl(&["api-resources", "-o", "name", "--cached=false"])
        .unwrap();
    let discovery = connection.discover().await.unwrap();
    assert_eq!(names(&discovery), builtin(listed.lines()));
    assert_eq!(discovery.failed, []);

    let web = discovery
        .resources
        .iter()
        .find(|r| r.group_resource() == "deployments.apps")
        .unwrap();
    assert_eq!(
        (web.kind.as_str(), web.api_version().as_str()),
        ("Deployment", "apps/v1")
    );
    assert!(web.namespaced && web.preferred && web.can("list") && !web.can("fly"));
    assert_eq!(web.short_names, ["deploy"]);
    let nodes = discovery
        .resources
        .iter()
        .find(|r| r.group_resource() == "nodes")
        .unwrap();
    assert!(!nodes.namespaced);
    assert!(discovery.resources.iter().all(|r| !r.plural.contains('/')));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_is_found_as_soon_as_it_is_served() {
    let connection = connect(ControlPlane::shared()).await;
    widget::install(&connection).await;
    for round in 0..3 {
        let group = format!("{}.kube.ark.test", unique_name("fresh"));
        let definition = widget::definition(&group);
        let options = ark_kube::apply::ApplyOptions::default();
        let definitions = [definition];
        ark_kube::apply::apply(&connection, &definitions, &options, |_| ())
            .await
            .unwrap();
        let discovery = connection.discover().await.unwrap();
        let found = discovery.resources.iter().find(|r| r.group == group);
        assert!(found.is_some(), "round {round}: {group} is missing");
        ark_kube::apply::delete(&connection, &definitions, None, |_| ())
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_group_is_named_and_costs_nothing_else() {
    let plane = disturbed();
    let connection = connect(plane).await;
    let before = connection.discover().await.unwrap();
    assert_eq!(before.aggregated_groups, Vec::<String>::new());

    let group = format!("{}.ark.test", unique_name("broken"));
    let service = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": format!("v1.{group}")},
        "spec": {
            "group": group, "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 10,
            "insecureSkipTLSVerify": true,
            "service": {"name": "nobody", "namespace": "default"},
        },
    });
    plane
        .kubectl_stdin(&["create", "-f", "-"], &service.to_string())
        .unwrap();
    let mut discovery = connection.discover().await.unwrap();
    for _ in 0..50 {
        // A moment after the creation the path may not be proxied yet.
        if discovery
            .failed
            .first()
            .is_some_and(|f| f.reason.contains("unavailable"))
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        discovery = connection.discover().await.unwrap();
    }
    plane
        .kubectl(&["delete", "apiservice", &format!("v1.{group}")])
        .unwrap();

    assert_eq!(discovery.failed.len(), 1, "{:?}", discovery.failed);
    assert_eq!(discovery.failed[0].group_version, format!("{group}/v1"));
    assert!(!discovery.failed[0].reason.is_empty());
    assert_eq!(discovery.aggregated_groups, [group]);
    assert_eq!(names(&discovery), names(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_is_that_of_the_server() {
    let plane = ControlPlane::shared();
    let version = connect(plane).await.version().await.unwrap();
    assert_eq!(version.git_version, plane.version());
    assert_eq!(version.major, "1");
}
