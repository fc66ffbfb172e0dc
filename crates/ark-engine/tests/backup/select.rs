//! What a backup holds: filters, labels, and what comes along.

use ark_api::BackupSpec;
use ark_archive::ItemKey;
use ark_engine::backup::Options;
use ark_testkit::{Namespaces, unique_name};
use serde_json::json;

use super::{Bench, names};

fn has(keys: &[&ItemKey], kind: &str, name: &str) -> bool {
    keys.iter()
        .any(|key| key.group_resource.to_string() == kind && key.name == name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_brings_what_its_objects_need() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let namespace = namespaces.create("select").unwrap();
    let unique = unique_name("select");
    let group = format!("{unique}.example.org");
    let fill = |text: &str| {
        let text = text.replace("NAMESPACE", &namespace);
        text.replace("GROUP", &group).replace("UNIQUE", &unique)
    };
    let manifest = fill(include_str!("related.yaml"));
    bench
        .plane
        .kubectl_stdin(&["apply", "-f", "-"], &manifest)
        .unwrap();
    let crd = format!("crd/widgets.{group}");
    bench
        .plane
        .kubectl(&["wait", "--for=condition=Established", &crd])
        .unwrap();
    let widget =
        fill("{apiVersion: GROUP/v1, kind: Widget, metadata: {name: one, namespace: NAMESPACE}}");
    bench
        .plane
        .kubectl_stdin(&["apply", "-f", "-"], &widget)
        .unwrap();

    let spec = BackupSpec {
        included_namespaces: vec![namespace.clone()],
        ..BackupSpec::default()
    };
    let report = bench
        .back_up("one-namespace", spec, &Options::default())
        .await;
    let items = bench.contents("one-namespace").await;
    let keys: Vec<_> = items.keys().collect();
    assert!(has(&keys, &format!("widgets.{group}"), "one"));
    for (kind, name) in [
        (
            "customresourcedefinitions.apiextensions.k8s.io",
            format!("widgets.{group}"),
        ),
        ("persistentvolumes", unique.clone()),
        ("persistentvolumeclaims", "data".into()),
        ("clusterroles.rbac.authorization.k8s.io", unique.clone()),
        (
            "clusterrolebindings.rbac.authorization.k8s.io",
            format!("{unique}-binding"),
        ),
        ("namespaces", namespace.clone()),
    ] {
        assert!(has(&keys, kind, &name), "{kind} {name} is missing");
    }
    assert!(
        !has(&keys, "configmaps", "left-out"),
        "the exclude label counts"
    );
    let foreign = keys
        .iter()
        .find(|k| k.namespace.as_deref().is_some_and(|n| n != namespace));
    assert_eq!(foreign, None, "nothing of another namespace");
    let status = json!(report.status);
    assert_eq!(status["phase"], "PartiallyFailed");
    assert_eq!(status["progress"]["totalItems"], items.len());
    assert_eq!(status["errors"], 1, "a volume without its data is an error");
    bench
        .plane
        .kubectl(&["delete", &crd, "--wait=false"])
        .unwrap();
    for kind in ["pv", "clusterrole"] {
        bench
            .plane
            .kubectl(&["delete", kind, &unique, "--wait=false"])
            .unwrap();
    }
    bench
        .plane
        .kubectl(&["delete", "clusterrolebinding", &format!("{unique}-binding")])
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_kinds_and_their_unions_select() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let namespace = namespaces.create("labels").unwrap();
    for (name, labels) in [
        ("a", "app=web"),
        ("b", "app=db"),
        ("c", "app=web,tier=x"),
        ("d", "x=y"),
    ] {
        bench
            .plane
            .kubectl(&["-n", &namespace, "create", "configmap", name])
            .unwrap();
        for label in labels.split(',') {
            bench
                .plane
                .kubectl(&["-n", &namespace, "label", "configmap", name, label])
                .unwrap();
        }
    }
    let select = |spec: serde_json::Value| -> BackupSpec {
        let mut spec: BackupSpec = serde_json::from_value(spec).unwrap();
        spec.included_namespaces = vec![namespace.clone()];
        spec.included_resources = names(&["cm"]);
        spec
    };
    let cases = [
        (
            "one",
            json!({"labelSelector": {"matchLabels": {"app": "web"}}}),
            vec!["a", "c"],
        ),
        (
            "union",
            json!({"orLabelSelectors": [{"matchLabels": {"app": "db"}}, {"matchLabels": {"tier": "x"}},
                                        {"matchLabels": {"app": "web"}}]}),
            vec!["a", "b", "c"],
        ),
    ];
    for (name, spec, expected) in cases {
        bench.back_up(name, select(spec), &Options::default()).await;
        let items = bench.contents(name).await;
        let found: Vec<_> = items
            .keys()
            .filter(|key| key.group_resource.resource == "configmaps")
            .map(|key| key.name.as_str())
            .collect();
        assert_eq!(found, expected, "{name}");
        let kinds: Vec<_> = items
            .keys()
            .map(|key| key.group_resource.to_string())
            .collect();
        assert!(
            kinds
                .iter()
                .all(|kind| kind == "configmaps" || kind == "namespaces"),
            "{kinds:?}"
        );
    }
}
