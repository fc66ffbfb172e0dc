//! An application is lost and comes back, in its place and in another one.

use ark_api::RestorePhase;
use ark_testkit::{Namespaces, unique_name};
use serde_json::{Value, json};

use super::{Bench, essence, managers};

/// The sample application and what of it must come back.
struct Shop {
    namespace: String,
    volume: String,
    definition: String,
    widgets: String,
}

impl Shop {
    const OBJECTS: &[&str] = &[
        "configmap/settings",
        "secret/password",
        "serviceaccount/web",
        "role/web",
        "rolebinding/web",
        "service/web",
        "deployment/web",
        "persistentvolumeclaim/data",
    ];

    fn create(bench: &Bench, namespaces: &mut Namespaces<'_>) -> Self {
        let unique = unique_name("shop");
        let group = format!("{unique}.example.org");
        let shop = Self {
            namespace: namespaces.create("shop").unwrap(),
            definition: format!("crd/widgets.{group}"),
            widgets: format!("widgets.{group}"),
            volume: unique,
        };
        let manifest = include_str!("shop.yaml")
            .replace("NAMESPACE", &shop.namespace)
            .replace("GROUP", &group)
            .replace("UNIQUE", &shop.volume);
        bench.apply(&manifest);
        bench.kubectl(&["wait", "--for=condition=Established", &shop.definition]);
        let claim = ["wait", "--for=jsonpath={.status.phase}=Bound", "pvc/data"];
        bench.kubectl(&[&claim[..], &["-n", &shop.namespace, "--timeout=60s"]].concat());
        let rollout = ["wait", "--for=create", "pod", "-l", "app=web"];
        bench.kubectl(&[&rollout[..], &["-n", &shop.namespace, "--timeout=60s"]].concat());
        for n in 0..20 {
            let widget = json!({
                "apiVersion": format!("{group}/v1"), "kind": "Widget",
                "metadata": {"name": format!("w-{n}"), "namespace": shop.namespace},
                "spec": {"size": n, "ratio": 0.5, "big": 9_007_199_254_740_993_i64},
            });
            bench.apply(&widget.to_string());
        }
        let status = r#"{"status":{"ready":true}}"#;
        let widget = format!("{}/w-0", shop.widgets);
        let patch = [
            "patch",
            &widget,
            "--subresource=status",
            "--type=merge",
            "-p",
            status,
        ];
        bench.kubectl(&[&["-n", &shop.namespace], &patch[..]].concat());
        shop
    }

    /// Every object of the application, with its managers.
    fn objects(&self, bench: &Bench, namespace: &str) -> Vec<Value> {
        let widgets: Vec<String> = (0..20).map(|n| format!("{}/w-{n}", self.widgets)).collect();
        let names = Self::OBJECTS
            .iter()
            .copied()
            .chain(widgets.iter().map(String::as_str));
        names.map(|what| bench.object(namespace, what)).collect()
    }

    fn destroy(&self, bench: &Bench) {
        bench.delete_namespace(&self.namespace);
        bench.kubectl(&["delete", "pv", &self.volume, "--timeout=60s"]);
        bench.kubectl(&["delete", &self.definition, "--timeout=60s"]);
    }

    fn clean_up(&self, bench: &Bench) {
        bench.kubectl(&["delete", "pv", &self.volume, "--wait=false"]);
        bench.kubectl(&["delete", &self.definition, "--wait=false"]);
    }
}

/// Managers of the object itself; controllers write the status anew.
fn owners(object: &Value) -> Vec<(String, String)> {
    let all = managers(object).into_iter();
    let own = all.filter(|(_, _, subresource)| subresource.is_empty());
    own.map(|(manager, operation, _)| (manager, operation))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_comes_back_as_it_was() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let shop = Shop::create(&bench, &mut namespaces);
    bench.kubectl(&["label", "namespace", &shop.namespace, "team=a"]);
    let before = shop.objects(&bench, &shop.namespace);
    bench
        .back_up(json!({"includedNamespaces": [shop.namespace]}))
        .await;
    shop.destroy(&bench);

    let spec = json!({
        "includedNamespaces": [shop.namespace], "includeClusterResources": true,
        "restoreStatus": {"includedResources": [shop.widgets]},
    });
    let report = bench.restore("back", spec).await;
    let problems: Vec<_> = report.issues.iter().collect();
    assert_eq!(
        report.status.phase,
        Some(RestorePhase::Completed),
        "{problems:?}"
    );
    let after = shop.objects(&bench, &shop.namespace);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(
            owners(before),
            owners(after),
            "{}",
            after["metadata"]["name"]
        );
        assert_eq!(
            after["metadata"]["labels"]["velero.io/restore-name"],
            "back"
        );
        assert_eq!(essence(before.clone()), essence(after.clone()));
    }
    let widget = bench.object(&shop.namespace, &format!("{}/w-0", shop.widgets));
    assert_eq!(widget["status"], json!({"ready": true}));
    let namespace = bench.object("", &format!("namespace/{}", shop.namespace));
    assert_eq!(namespace["metadata"]["labels"]["team"], "a");
    assert!(
        namespace["metadata"]["labels"]
            .get("velero.io/restore-name")
            .is_none()
    );
    let claim = ["wait", "--for=jsonpath={.status.phase}=Bound", "pvc/data"];
    bench.kubectl(&[&claim[..], &["-n", &shop.namespace, "--timeout=60s"]].concat());
    let listing = bench.listing("back").await;
    let expected = format!("{}/web(created)", shop.namespace);
    assert!(
        listing["apps/v1/Deployment"].contains(&expected),
        "{listing:?}"
    );
    assert_eq!(
        listing["v1/Namespace"],
        [format!("{}(created)", shop.namespace)]
    );
    let progress = report.status.progress.unwrap();
    assert_eq!(progress.total_items, progress.items_restored);
    shop.clean_up(&bench);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_in_another_namespace_is_complete() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let shop = Shop::create(&bench, &mut namespaces);
    let copy = namespaces.reserve("copy");
    bench
        .back_up(json!({"includedNamespaces": [shop.namespace]}))
        .await;
    let spec = json!({
        "includedNamespaces": [shop.namespace],
        "namespaceMapping": {shop.namespace.as_str(): copy},
        "excludedResources": ["persistentvolumeclaims", "pods"],
    });
    let report = bench.restore("copy", spec).await;
    let problems: Vec<_> = report.issues.iter().collect();
    assert_eq!(
        (report.status.errors, report.status.warnings),
        (0, 0),
        "{problems:?}"
    );
    for what in Shop::OBJECTS
        .iter()
        .filter(|what| !what.starts_with("persistent"))
    {
        let original = bench.object(&shop.namespace, what).to_string();
        let expected: Value =
            serde_json::from_str(&original.replace(&shop.namespace, &copy)).unwrap();
        let mut found = bench.object(&copy, what);
        // What kubectl remembers of the manifest still names the old namespace.
        let mut expected = essence(expected);
        found = essence(found);
        for object in [&mut expected, &mut found] {
            let annotations = object["metadata"]["annotations"].as_object_mut();
            annotations
                .unwrap()
                .remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        assert_eq!(expected, found, "{what}");
    }
    shop.clean_up(&bench);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_select_and_needs_come_along() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let shop = Shop::create(&bench, &mut namespaces);
    bench
        .back_up(json!({"includedNamespaces": [shop.namespace]}))
        .await;
    shop.destroy(&bench);
    let spec = json!({
        "includedNamespaces": [shop.namespace],
        "includedResources": ["pods", "configmaps", "pvc", "pv", "sa"],
        "labelSelector": {"matchLabels": {"app": "web"}},
    });
    let report = bench.restore("labels", spec).await;
    let problems: Vec<_> = report.issues.iter().collect();
    assert_eq!(report.status.errors, 0, "{problems:?}");
    let listing = bench.listing("labels").await;
    let kinds: Vec<_> = listing.keys().map(String::as_str).collect();
    assert_eq!(
        kinds,
        [
            "v1/ConfigMap",
            "v1/Namespace",
            "v1/PersistentVolume",
            "v1/PersistentVolumeClaim",
            "v1/Pod",
            "v1/ServiceAccount"
        ]
    );
    assert_eq!(
        listing["v1/ConfigMap"],
        [format!("{}/settings(created)", shop.namespace)]
    );
    assert_eq!(
        listing["v1/PersistentVolume"],
        [format!("{}(created)", shop.volume)]
    );
    bench.kubectl(&["delete", "pv", &shop.volume, "--wait=false"]);
}
