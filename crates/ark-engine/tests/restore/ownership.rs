//! Who owns the fields of restored objects, as the API server answers it.

use ark_testkit::Namespaces;
use serde_json::{Value, json};

use super::{Bench, managers};

/// Fields that an entry owns, but for the labels that a restore adds.
fn fields(object: &Value, manager: &str) -> Value {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["manager"] == manager);
    let mut fields = entry.unwrap()["fieldsV1"].clone();
    if let Some(metadata) = fields.get_mut("f:metadata").and_then(Value::as_object_mut) {
        if let Some(labels) = metadata.get_mut("f:labels").and_then(Value::as_object_mut) {
            labels.retain(|key, _| !key.starts_with("f:velero.io/"));
            labels.remove(".");
        }
        let empty = metadata
            .get("f:labels")
            .is_some_and(|labels| *labels == json!({}));
        if empty {
            metadata.remove("f:labels");
        }
        if metadata.is_empty() {
            fields.as_object_mut().unwrap().remove("f:metadata");
        }
    }
    fields
}

fn config_map(name: &str, data: &Value) -> String {
    let object =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data});
    object.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restored_objects_have_the_owners_that_they_had() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let namespace = namespaces.create("owners").unwrap();
    let kubectl = |arguments: &[&str], manifest: &str| {
        let arguments = [&["-n", &namespace], arguments, &["-f", "-"]].concat();
        bench.plane.kubectl_stdin(&arguments, manifest).unwrap();
    };
    let flux = ["apply", "--server-side", "--field-manager=flux"];
    let argo = ["apply", "--server-side", "--field-manager=argo"];
    // One owner by ordinary writes, one by server-side apply, two of a kind, two kinds.
    kubectl(
        &["create", "--field-manager=helm"],
        &config_map("updated", &json!({"a": "1"})),
    );
    kubectl(&flux, &config_map("applied", &json!({"a": "1"})));
    kubectl(&flux, &config_map("shared", &json!({"a": "1"})));
    kubectl(&argo, &config_map("shared", &json!({"b": "2"})));
    kubectl(
        &["create", "--field-manager=helm"],
        &config_map("mixed", &json!({"a": "1"})),
    );
    kubectl(&argo, &config_map("mixed", &json!({"b": "2"})));
    let names = ["updated", "applied", "shared", "mixed"];
    let read = || names.map(|name| bench.object(&namespace, &format!("configmap/{name}")));
    let before = read();
    bench
        .back_up(json!({"includedNamespaces": [namespace]}))
        .await;
    bench.delete_namespace(&namespace);
    let report = bench
        .restore("owners", json!({"includedNamespaces": [namespace]}))
        .await;
    let problems: Vec<_> = report.issues.iter().collect();
    assert!(problems.is_empty(), "{problems:?}");

    for (before, after) in before.iter().zip(read()) {
        let name = &before["metadata"]["name"];
        assert_eq!(managers(before), managers(&after), "{name}");
        assert!(
            managers(&after)
                .iter()
                .all(|(manager, ..)| !manager.starts_with("ark")),
            "{name}"
        );
        for (manager, ..) in managers(before) {
            assert_eq!(
                fields(before, &manager),
                fields(&after, &manager),
                "{name} {manager}"
            );
        }
    }
    // The owner by apply still is one: what it no longer applies goes away.
    kubectl(&flux, &config_map("applied", &json!({"c": "3"})));
    let applied = bench.object(&namespace, "configmap/applied");
    assert_eq!(applied["data"], json!({"c": "3"}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_of_a_status_survive_a_single_request() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let namespace = namespaces.create("status").unwrap();
    let claim = json!({
        "apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "web"},
        "spec": {"replicas": 0, "selector": {"app": "web"}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        }},
    });
    let create = [
        "-n",
        &namespace,
        "create",
        "--field-manager=helm",
        "-f",
        "-",
    ];
    bench
        .plane
        .kubectl_stdin(&create, &claim.to_string())
        .unwrap();
    let observed = [
        "wait",
        "--for=jsonpath={.status.observedGeneration}=1",
        "rc/web",
    ];
    bench.kubectl(&[&["-n", &namespace], &observed[..], &["--timeout=60s"]].concat());
    let before = bench.object(&namespace, "rc/web");
    assert_eq!(managers(&before).len(), 2, "helm and the controller");
    bench
        .back_up(json!({"includedNamespaces": [namespace]}))
        .await;
    bench.delete_namespace(&namespace);
    bench
        .restore("status", json!({"includedNamespaces": [namespace]}))
        .await;
    bench.kubectl(&[&["-n", &namespace], &observed[..], &["--timeout=60s"]].concat());
    let after = bench.object(&namespace, "rc/web");
    assert_eq!(managers(&before), managers(&after));
    assert_eq!(fields(&before, "helm"), fields(&after, "helm"));
}
