//! Objects that exist already, and services whose ports are taken.

use ark_api::RestorePhase;
use ark_testkit::Namespaces;
use serde_json::json;

use super::Bench;

async fn bench_with_objects(namespaces: &mut Namespaces<'_>) -> (Bench, String) {
    let bench = Bench::new().await;
    let namespace = namespaces.create("existing").unwrap();
    let create = |arguments: &[&str]| {
        bench.kubectl(&[&["-n", &namespace, "create"], arguments].concat());
    };
    create(&["configmap", "one", "--from-literal=k=saved"]);
    create(&["configmap", "two", "--from-literal=k=saved"]);
    create(&["secret", "generic", "three", "--from-literal=k=saved"]);
    create(&["service", "clusterip", "web", "--tcp=80"]);
    create(&["deployment", "web", "--image=web:1", "--replicas=1"]);
    let pod = [
        "wait",
        "--for=create",
        "pod",
        "-l",
        "app=web",
        "--timeout=60s",
    ];
    bench.kubectl(&[&["-n", &namespace], &pod[..]].concat());
    bench.kubectl(&["-n", &namespace, "get", "configmap/kube-root-ca.crt"]);
    bench
        .back_up(json!({"includedNamespaces": [namespace]}))
        .await;
    (bench, namespace)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_untouched_namespace_is_unchanged_without_a_word() {
    let mut namespaces = Namespaces::new(ark_testkit::ControlPlane::shared());
    let (bench, namespace) = bench_with_objects(&mut namespaces).await;
    let report = bench
        .restore("same", json!({"includedNamespaces": [namespace]}))
        .await;
    let problems: Vec<_> = report.issues.iter().collect();
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(report.counts.created, 0);
    assert!(report.counts.skipped >= 8, "{:?}", report.counts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_object_stays_with_a_warning_or_is_made_as_it_was() {
    let mut namespaces = Namespaces::new(ark_testkit::ControlPlane::shared());
    let (bench, namespace) = bench_with_objects(&mut namespaces).await;
    let patch = r#"{"data":{"k":"changed","more":"x"}}"#;
    bench.kubectl(&["-n", &namespace, "patch", "configmap", "one", "-p", patch]);
    bench.kubectl(&["-n", &namespace, "delete", "configmap", "two"]);
    bench.kubectl(&[
        "-n",
        &namespace,
        "scale",
        "deployment",
        "web",
        "--replicas=2",
    ]);
    let patch = r#"{"spec":{"sessionAffinity":"ClientIP"}}"#;
    bench.kubectl(&["-n", &namespace, "patch", "service", "web", "-p", patch]);
    let address = bench.object(&namespace, "service/web")["spec"]["clusterIP"].clone();

    let spec = json!({
        "includedNamespaces": [namespace],
        "includedResources": ["configmaps", "secrets", "services", "deployments"],
    });
    let report = bench.restore("none", spec.clone()).await;
    assert_eq!(report.status.phase, Some(RestorePhase::Completed));
    assert_eq!(report.status.warnings, 3, "{:?}", report.issues);
    assert_eq!((report.counts.created, report.counts.failed), (1, 0));
    assert_eq!(
        bench.object(&namespace, "configmap/one")["data"]["k"],
        "changed"
    );

    let mut spec = spec;
    spec["existingResourcePolicy"] = "update".into();
    let report = bench.restore("update", spec).await;
    let problems: Vec<_> = report.issues.iter().collect();
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!((report.counts.updated, report.counts.created), (3, 0));
    assert_eq!(
        bench.object(&namespace, "configmap/one")["data"],
        json!({"k": "saved"})
    );
    assert_eq!(
        bench.object(&namespace, "deployment/web")["spec"]["replicas"],
        1
    );
    let service = bench.object(&namespace, "service/web");
    assert_eq!(service["spec"]["sessionAffinity"], "None");
    assert_eq!(
        service["spec"]["clusterIP"], address,
        "an address in use is kept"
    );
    let secret = bench.object(&namespace, "secret/three");
    assert_eq!(
        secret["metadata"]["labels"]["velero.io/restore-name"],
        "update"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_port_that_another_service_has_is_an_error() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let (namespace, other) = (
        namespaces.create("ports").unwrap(),
        namespaces.create("thief").unwrap(),
    );
    let port = ["create", "service", "nodeport", "web", "--tcp=80"];
    bench.kubectl(&[&["-n", &namespace], &port[..]].concat());
    bench
        .back_up(json!({"includedNamespaces": [namespace]}))
        .await;
    let service = bench.object(&namespace, "service/web");
    let number = service["spec"]["ports"][0]["nodePort"].as_i64().unwrap();

    // The port is the service's own: that is not an error.
    let keep = json!({
        "includedNamespaces": [namespace],
        "includedResources": ["services"],
        "preserveNodePorts": true,
    });
    let report = bench.restore("own", keep.clone()).await;
    assert_eq!(report.status.errors, 0, "{:?}", report.issues);

    bench.kubectl(&["-n", &namespace, "delete", "service", "web"]);
    let number = format!("--node-port={number}");
    bench.kubectl(&[&["-n", &other], &port[..], &[&number]].concat());
    let report = bench.restore("taken", keep.clone()).await;
    assert_eq!(report.status.phase, Some(RestorePhase::PartiallyFailed));
    assert_eq!(report.status.errors, 1, "{:?}", report.issues);

    // Without the wish to keep it, the service gets another one.
    let mut free = keep;
    free["preserveNodePorts"] = false.into();
    let report = bench.restore("free", free).await;
    assert_eq!(report.status.errors, 0, "{:?}", report.issues);
    assert_eq!(report.counts.created, 1);
}
