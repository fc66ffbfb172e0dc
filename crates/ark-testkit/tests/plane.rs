//! The control plane is a real one: it tells its version, keeps objects, runs
//! controllers, and a second one can stand beside it.

use std::os::unix::fs::PermissionsExt as _;

use ark_testkit::{ControlPlane, Namespaces, Options};

#[test]
fn it_tells_its_true_version() {
    let plane = ControlPlane::shared();
    let told = plane.kubectl(&["get", "--raw=/version"]).unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["gitVersion"], plane.version());
    assert!(plane.is_alive());
}

#[test]
fn its_kubeconfig_is_for_the_owner_alone() {
    let plane = ControlPlane::shared();
    let mode = std::fs::metadata(plane.kubeconfig())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn controllers_make_replica_sets_and_delete_namespaces() {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("controllers").unwrap();
    let deployment = format!(
        r#"{{"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {{"name": "web", "namespace": "{namespace}"}},
            "spec": {{"replicas": 2, "selector": {{"matchLabels": {{"app": "web"}}}},
              "template": {{"metadata": {{"labels": {{"app": "web"}}}},
                "spec": {{"containers": [{{"name": "web", "image": "web:1"}}]}}}}}}}}"#
    );
    plane
        .kubectl_stdin(&["apply", "-f", "-"], &deployment)
        .unwrap();
    let pods = [
        "wait",
        "--for=create",
        "pod",
        "-l",
        "app=web",
        "--timeout=60s",
        "-n",
        &namespace,
    ];
    plane.kubectl(&pods).unwrap();
    plane
        .kubectl(&["get", "configmap/kube-root-ca.crt", "-n", &namespace])
        .unwrap();
    // Waits until it is gone.
    plane
        .kubectl(&["delete", "namespace", &namespace, "--timeout=60s"])
        .unwrap();
}

#[test]
fn errors_tell_the_command_and_what_kubectl_said() {
    let error = ControlPlane::shared()
        .kubectl(&["get", "namespace", "none-such"])
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("kubectl get namespace none-such"), "{text}");
    assert!(text.contains("NotFound"), "{text}");
}

#[test]
fn a_second_plane_is_another_cluster_and_leaves_nothing() {
    let options = Options {
        without_controllers: true,
        apiserver_arguments: vec!["--event-ttl=5m".to_owned()],
        ..Options::default()
    };
    let second = ControlPlane::start(&options).unwrap();
    assert_ne!(second.url(), ControlPlane::shared().url());
    assert!(!second.has_controllers());
    second
        .kubectl(&["create", "namespace", "only-here"])
        .unwrap();
    assert!(
        ControlPlane::shared()
            .kubectl(&["get", "namespace", "only-here"])
            .is_err()
    );
    let dir = second.dir().to_owned();
    drop(second);
    assert!(!dir.exists());
}

#[test]
fn a_start_that_fails_shows_the_program_s_own_words() {
    let options = Options {
        without_controllers: true,
        apiserver_arguments: vec!["--no-such-flag".to_owned()],
        ..Options::default()
    };
    let text = format!("{:#}", ControlPlane::start(&options).unwrap_err());
    assert!(text.contains("kube-apiserver has ended"), "{text}");
    assert!(text.contains("unknown flag: --no-such-flag"), "{text}");
}
