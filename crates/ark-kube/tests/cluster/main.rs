//! The cluster port against a real control plane.
//!
//! Tests share one control plane and keep to namespaces of their own; those that
//! disturb a whole cluster share a second one ([`disturbed`]).

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a test shall end it, also outside the test function"
)]

mod controller;
mod custom;
mod discovery;
mod exec;
mod install;
mod lease;
mod list;
mod object;
mod widget;

use std::sync::OnceLock;

use ark_engine::port::{ApiResource, Target};
use ark_kube::{ConnectOptions, Connection};
use ark_testkit::{ControlPlane, Options};
use bytes::Bytes;
use serde_json::{Value, json};

/// As the administrator.
async fn connect(plane: &ControlPlane) -> Connection {
    connect_as(plane, None).await
}

async fn connect_as(plane: &ControlPlane, user: Option<&str>) -> Connection {
    let options = ConnectOptions {
        kubeconfig: Some(plane.kubeconfig().to_owned()),
        as_user: user.map(str::to_owned),
        ..ConnectOptions::default()
    };
    Connection::from_options(&options).await.unwrap()
}

/// A control plane that compacts its history every second, without controllers,
/// for tests that break groups.
fn disturbed() -> &'static ControlPlane {
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    PLANE.get_or_init(|| {
        ControlPlane::start(&Options {
            without_controllers: true,
            apiserver_arguments: vec!["--etcd-compaction-interval=1s".to_owned()],
            ..Options::default()
        })
        .unwrap()
    })
}

fn resource(group: &str, version: &str, plural: &str, kind: &str) -> ApiResource {
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: plural.to_owned(),
        singular: kind.to_lowercase(),
        kind: kind.to_owned(),
        namespaced: true,
        verbs: Vec::new(),
        short_names: Vec::new(),
        preferred: true,
    }
}

fn config_maps() -> ApiResource {
    resource("", "v1", "configmaps", "ConfigMap")
}

fn secrets() -> ApiResource {
    resource("", "v1", "secrets", "Secret")
}

fn config_map(name: &str, value: &str) -> Bytes {
    bytes(&json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name}, "data": {"value": value},
    }))
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

fn target<'a>(resource: &'a ApiResource, namespace: &'a str, name: &'a str) -> Target<'a> {
    Target {
        resource,
        namespace: Some(namespace),
        name,
    }
}
