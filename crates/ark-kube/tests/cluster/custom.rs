//! Typed custom resources: our own kinds, and objects that fit no type.

use std::time::Duration;

use ark_api::Backup;
use ark_engine::port::{Cluster as _, ClusterErrorKind, CreateOptions};
use ark_kube::apply::{ApplyOptions, apply};
use ark_kube::{Connection, Custom, CustomError, resource_of};
use ark_testkit::{ControlPlane, Namespaces};
use futures::StreamExt as _;
use serde_json::json;

use crate::widget::{self, Widget};
use crate::{bytes, connect, connect_as};

async fn widgets(connection: &Connection, namespace: &str) -> Custom<Widget> {
    widget::install(connection).await;
    Custom::new(connection, namespace)
}

async fn add_malformed(connection: &Connection, namespace: &str, name: &str) {
    let body = bytes(&widget::malformed(name));
    let options = CreateOptions::default();
    let resource = resource_of::<Widget>();
    connection
        .create(&resource, Some(namespace), body, options)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_kinds_are_created_changed_and_found() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("custom").unwrap();
    let connection = connect(plane).await;
    let definitions: Vec<_> = ark_api::crd::all()
        .unwrap()
        .iter()
        .map(|definition| serde_json::to_value(definition).unwrap())
        .collect();
    apply(&connection, &definitions, &ApplyOptions::default(), |_| ())
        .await
        .unwrap();

    let backups: Custom<Backup> = Custom::new(&connection, &namespace);
    assert!(backups.get("a").await.unwrap().is_none());
    let mut backup = Backup::new("a", ark_api::BackupSpec::default());
    backup.metadata.labels = Some([("team".to_owned(), "red".to_owned())].into());
    let stored = backups.create(&backup).await.unwrap();
    assert!(stored.metadata.uid.is_some());
    let error = backups.create(&backup).await.unwrap_err();
    assert_eq!(error.kind(), Some(ClusterErrorKind::AlreadyExists));

    let mut changed = stored.clone();
    changed.spec.storage_location = "elsewhere".to_owned();
    let patched = backups.patch("a", &stored, &changed).await.unwrap();
    assert_eq!(patched.spec.storage_location, "elsewhere");
    // No difference, no call: the version stays.
    let same = backups.patch("a", &patched, &patched).await.unwrap();
    assert_eq!(
        same.metadata.resource_version,
        patched.metadata.resource_version
    );
    // `stored` is old by now.
    let error = backups
        .patch_unchanged("a", &stored, &changed)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Some(ClusterErrorKind::Conflict));

    assert_eq!(backups.list(Some("team=red")).await.unwrap().items.len(), 1);
    assert_eq!(
        backups.list(Some("team=blue")).await.unwrap().items.len(),
        0
    );
    assert!(backups.delete("a").await.unwrap());
    assert!(!backups.delete("a").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_leaves_what_others_wrote() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("patch").unwrap();
    let connection = connect(plane).await;
    let widgets = widgets(&connection, &namespace).await;
    let body = bytes(&json!({
        "apiVersion": format!("{}/v1", widget::GROUP), "kind": "Widget",
        "metadata": {"name": "a"}, "spec": {"size": 1, "unknown": {"deep": [1]}}, "extra": true,
    }));
    let resource = resource_of::<Widget>();
    connection
        .create(&resource, Some(&namespace), body, CreateOptions::default())
        .await
        .unwrap();

    let before = widgets.get("a").await.unwrap().unwrap();
    let mut after = before.clone();
    after.spec.size = None;
    after.spec.phase = Some("Done".to_owned());
    widgets.patch_unchanged("a", &before, &after).await.unwrap();
    let target = crate::target(&resource, &namespace, "a");
    let found = connection
        .get(target)
        .await
        .unwrap()
        .unwrap()
        .to_value()
        .unwrap();
    assert_eq!(
        found["spec"],
        json!({"phase": "Done", "unknown": {"deep": [1]}})
    );
    assert_eq!(found["extra"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_object_is_named_and_hides_nothing() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("malformed").unwrap();
    let connection = connect(plane).await;
    let widgets = widgets(&connection, &namespace).await;
    widgets.create(&Widget::new("a", 1)).await.unwrap();
    add_malformed(&connection, &namespace, "m").await;
    widgets.create(&Widget::new("z", 2)).await.unwrap();

    let listed = widgets.list(None).await.unwrap();
    let names: Vec<_> = listed
        .items
        .iter()
        .filter_map(|w| w.metadata.name.as_deref())
        .collect();
    assert_eq!(names, ["a", "z"]);
    assert_eq!(listed.invalid.len(), 1);
    assert_eq!(
        (
            listed.invalid[0].name.as_str(),
            &listed.invalid[0].namespace
        ),
        ("m", &namespace)
    );
    assert!(
        listed.invalid[0].reason.contains("huge"),
        "{}",
        listed.invalid[0]
    );
    let error = widgets.get("m").await.unwrap_err();
    assert!(matches!(error, CustomError::Invalid(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn following_shows_each_state_until_the_end() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("follow").unwrap();
    let connection = connect(plane).await;
    let widgets = widgets(&connection, &namespace).await;
    let mut states = Box::pin(widgets.follow("a").unwrap());
    assert!(states.next().await.unwrap().unwrap().is_none());

    let first = widgets.create(&Widget::new("a", 1)).await.unwrap();
    let seen = states.next().await.unwrap().unwrap().unwrap();
    assert_eq!(seen.spec.size, Some(1));
    let mut second = first.clone();
    second.spec.size = Some(2);
    let change = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        widgets.patch("a", &first, &second).await.unwrap();
    };
    let long = Duration::from_secs(20);
    let wanted = |w: &Widget| w.spec.size == Some(2);
    let (reached, ()) = tokio::join!(widgets.watch_until("a", wanted, long), change);
    assert_eq!(reached.unwrap().spec.size, Some(2));

    let never = widgets
        .watch_until("a", |_| false, Duration::from_millis(300))
        .await;
    assert!(
        matches!(never, Err(CustomError::Timeout { .. })),
        "{never:?}"
    );
    let ending = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        widgets.delete("a").await.unwrap();
    };
    let (gone, ()) = tokio::join!(widgets.watch_until("a", |_| false, long), ending);
    assert!(matches!(gone, Err(CustomError::Gone { .. })), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn following_without_permission_ends_with_the_reason() {
    let plane = ControlPlane::shared();
    let connection = connect(plane).await;
    widget::install(&connection).await;
    let nobody = connect_as(plane, Some("nobody")).await;
    let widgets: Custom<Widget> = Custom::new(&nobody, "default");
    let long = Duration::from_secs(20);
    let error = widgets.watch_until("a", |_| true, long).await.unwrap_err();
    assert_eq!(error.kind(), Some(ClusterErrorKind::Forbidden), "{error:?}");
}
