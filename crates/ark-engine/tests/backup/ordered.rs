//! What comes first in the archive when a backup says so.

use ark_api::BackupSpec;
use ark_archive::{Index, Limits, layout};
use ark_engine::backup::Options;
use ark_testkit::Namespaces;
use serde_json::json;

use super::Bench;

/// Names of a kind in the order of the archive.
async fn order(bench: &Bench, name: &str, kind: &str) -> Vec<String> {
    let index = bench.ports.store.read(&layout::index(name), 1 << 30).await;
    let index = Index::decode(&index.unwrap(), &Limits::default()).unwrap();
    let of_kind = index.iter().map(|entry| entry.key());
    of_kind
        .filter(|key| key.group_resource.to_string() == kind)
        .map(|key| key.name)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ordered_objects_come_first_in_their_order_if_they_are_selected() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let namespace = namespaces.create("ordered").unwrap();
    let other = namespaces.create("ordered-other").unwrap();
    for name in ["a", "b", "c", "d", "plain"] {
        bench
            .plane
            .kubectl(&["-n", &namespace, "create", "configmap", name])
            .unwrap();
        let label = if name == "plain" {
            "app=other"
        } else {
            "app=web"
        };
        bench
            .plane
            .kubectl(&["-n", &namespace, "label", "configmap", name, label])
            .unwrap();
    }
    bench
        .plane
        .kubectl(&["-n", &other, "create", "configmap", "foreign"])
        .unwrap();
    let names = ["d", "absent", "plain", "b"].map(|name| format!("{namespace}/{name}"));
    let list = format!("{}, {other}/foreign, bare", names.join(","));
    let spec: BackupSpec = serde_json::from_value(json!({
        "includedNamespaces": [namespace],
        "includedResources": ["configmaps"],
        "labelSelector": {"matchLabels": {"app": "web"}},
        "orderedResources": {"cm": list, "persistentvolumes": "v1"},
    }))
    .unwrap();
    let report = bench.back_up("ordered", spec, &Options::default()).await;
    assert_eq!(
        order(&bench, "ordered", "configmaps").await,
        ["d", "b", "a", "c"]
    );
    let mut said: Vec<_> = report
        .issues
        .iter()
        .map(|issue| issue.message.clone())
        .collect();
    said.sort();
    assert_eq!(
        said,
        [
            "orderedResources: `bare` of `cm` must be written NAMESPACE/NAME".to_owned(),
            format!("orderedResources: configmaps {namespace}/absent does not exist"),
            "orderedResources: the backup does not collect `persistentvolumes`, so nothing of it comes first"
                .to_owned(),
        ]
    );
    assert_eq!(json!(report.status)["phase"], "Completed");
}
