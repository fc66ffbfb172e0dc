//! Pages, and the state of the cluster at one revision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use ark_engine::port::{
    ApiResource, Cluster, ClusterErrorKind, CreateOptions, ListQuery, Patch, Revision,
};
use ark_kube::Connection;
use ark_testkit::{ControlPlane, Namespaces};
use serde_json::json;

use crate::{bytes, config_map, config_maps, connect, disturbed, secrets, target};

const OBJECTS: usize = 30;

fn query(resource: ApiResource, namespace: &str, at: Option<Revision>) -> ListQuery {
    ListQuery {
        resource,
        namespace: Some(namespace.to_owned()),
        label_selector: Some("test=list".to_owned()),
        field_selector: None,
        at,
    }
}

async fn fill(connection: &Connection, namespace: &str) {
    for resource in [config_maps(), secrets()] {
        let field = if resource.kind == "Secret" {
            "stringData"
        } else {
            "data"
        };
        for index in 0..OBJECTS {
            let body = bytes(&json!({
                "apiVersion": "v1", "kind": resource.kind,
                "metadata": {"name": format!("o{index:02}"), "labels": {"test": "list", "round": "0"}},
                field: {"value": "0"},
            }));
            let options = CreateOptions::default();
            connection
                .create(&resource, Some(namespace), body, options)
                .await
                .unwrap();
        }
    }
}

/// Name to the round it was last written in.
async fn rounds(connection: &Connection, query: &ListQuery) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut token = None;
    loop {
        let page = connection.list(query, token.as_deref(), 7).await.unwrap();
        assert!(page.items.len() <= 7);
        if let Some(at) = &query.at {
            assert_eq!(&page.revision, at);
        }
        for object in &page.items {
            let head = object.head();
            assert_eq!(
                (head.api_version.as_str(), &head.kind),
                ("v1", &query.resource.kind)
            );
            let value = object.to_value().unwrap();
            assert_eq!(
                (&value["apiVersion"], &value["kind"]),
                (&json!("v1"), &json!(head.kind))
            );
            let old = found.insert(head.name.clone(), head.labels["round"].clone());
            assert!(old.is_none(), "{} came twice", head.name);
        }
        token = page.next;
        if token.is_none() {
            return found;
        }
    }
}

/// Changes, deletes and creates until told to stop.
async fn write(
    connection: Connection,
    namespace: String,
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU32>,
) {
    let mut round = 0;
    while !stop.load(Ordering::SeqCst) {
        round += 1;
        for resource in [config_maps(), secrets()] {
            for index in (round % 3..OBJECTS).step_by(3) {
                let name = format!("o{index:02}");
                let target = target(&resource, &namespace, &name);
                let patch = json!({"metadata": {"labels": {"round": round.to_string()}}});
                // An object deleted in an earlier round cannot be patched: fine.
                let _ = connection.patch(target, Patch::Merge(bytes(&patch))).await;
                if index % 5 == 0 {
                    connection.delete(target).await.unwrap();
                }
            }
        }
        let body = bytes(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": format!("new{round}"), "labels": {"test": "list", "round": "9"}},
        }));
        let options = CreateOptions::default();
        connection
            .create(&config_maps(), Some(&namespace), body, options)
            .await
            .unwrap();
        rounds.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_at_a_revision_shows_that_instant_for_every_kind() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("fence").unwrap();
    let connection = connect(plane).await;
    fill(&connection, &namespace).await;
    let at = connection.revision().await.unwrap();

    let (stop, written) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let writer = tokio::spawn(write(
        connection.clone(),
        namespace.clone(),
        Arc::clone(&stop),
        Arc::clone(&written),
    ));
    while written.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for _ in 0..3 {
        for resource in [config_maps(), secrets()] {
            let then = rounds(&connection, &query(resource, &namespace, Some(at.clone()))).await;
            assert_eq!(then.len(), OBJECTS);
            assert!(then.values().all(|round| round == "0"), "{then:?}");
        }
    }
    stop.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    let now = rounds(&connection, &query(config_maps(), &namespace, None)).await;
    assert!(now.values().any(|round| round != "0"));
    assert!(now.contains_key("new1") && !now.contains_key("o00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn selectors_reach_the_server() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("select").unwrap();
    let connection = connect(plane).await;
    for name in ["a", "b"] {
        let body = config_map(name, "1");
        let options = CreateOptions::default();
        connection
            .create(&config_maps(), Some(&namespace), body, options)
            .await
            .unwrap();
    }
    let query = ListQuery {
        label_selector: None,
        field_selector: Some("metadata.name=b".to_owned()),
        ..query(config_maps(), &namespace, None)
    };
    let page = connection.list(&query, None, 10).await.unwrap();
    let names: BTreeSet<_> = page.items.iter().map(|o| o.head().name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["b"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compacted_revision_is_expired() {
    let connection = connect(disturbed()).await;
    let options = CreateOptions::default();
    for name in ["expire-a", "expire-b"] {
        let body = config_map(name, "1");
        connection
            .create(&config_maps(), Some("default"), body, options)
            .await
            .unwrap();
    }
    let old = connection.revision().await.unwrap();
    let all = |at| ListQuery {
        label_selector: None,
        ..query(config_maps(), "default", Some(at))
    };
    let page = connection.list(&all(old.clone()), None, 1).await.unwrap();
    let token = page.next.expect("a second page");

    let mut answer = connection.list(&all(old.clone()), None, 1).await;
    for round in 0..100 {
        if answer.is_err() {
            break;
        }
        // Compaction keeps the newest revisions: make new ones.
        let patch = json!({"data": {"value": round.to_string()}});
        let resource = config_maps();
        let target = target(&resource, "default", "expire-a");
        connection
            .patch(target, Patch::Merge(bytes(&patch)))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        answer = connection.list(&all(old.clone()), None, 1).await;
    }
    assert_eq!(answer.unwrap_err().kind, ClusterErrorKind::Expired);
    let next = connection.list(&all(old), Some(&token), 1).await;
    assert_eq!(next.unwrap_err().kind, ClusterErrorKind::Expired);
}
