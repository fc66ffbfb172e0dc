//! The files under `deploy/` are what the types say, and a real API server takes
//! them, and every other installation, by server-side apply.
#![cfg(test)]

use std::path::{Path, PathBuf};

use ark::install::{InstallOptions, Provider, crds, deploy, manifests};
use ark_testkit::{ControlPlane, Options, unique_name};
use serde_json::{Value, json};

fn deploy_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

#[test]
fn files_are_up_to_date() {
    for (name, content) in deploy::files().unwrap() {
        let found = std::fs::read_to_string(deploy_dir().join(name)).unwrap();
        assert!(
            found == content,
            "deploy/{name} is not what the types say; run `cargo xtask crds`"
        );
    }
}

#[test]
fn files_hold_what_is_installed() {
    let read = |text: &str| -> Value { serde_saphyr::from_str(text).unwrap() };
    let files = deploy::files().unwrap();
    let definitions: Vec<Value> = files[0].1.split("\n---\n").skip(1).map(read).collect();
    assert_eq!(definitions, crds().unwrap());
    let kinds: Vec<String> = files[1]
        .1
        .split("\n---\n")
        .skip(1)
        .map(|text| read(text)["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        [
            "Namespace",
            "ServiceAccount",
            "ClusterRoleBinding",
            "Secret",
            "ConfigMap",
            "Deployment"
        ]
    );
}

#[test]
fn kubectl_alone_installs() {
    // A plane of its own: the definitions must not be there yet.
    let plane = ControlPlane::start(&Options::default()).unwrap();
    let dir = deploy_dir();
    let apply = ["apply", "-f", dir.to_str().unwrap()];
    plane.kubectl(&apply).unwrap();
    let named = [
        "get",
        "-n",
        "heptio-ark",
        "deployment/ark",
        "configmap/ark-initial-location",
    ];
    plane.kubectl(&named).unwrap();

    let again = plane.kubectl(&apply).unwrap();
    let changed: Vec<&str> = again
        .lines()
        .filter(|line| !line.ends_with(" unchanged"))
        .collect();
    // Clear text in a secret is always written anew.
    assert_eq!(changed, ["secret/cloud-credentials configured"]);
    the_server_makes_the_location(&plane);
}

/// Runs the server with the arguments of the deployment; the location's file is
/// where a kubelet would have put it.
fn the_server_makes_the_location(plane: &ControlPlane) {
    let get = |what: &str, path: &str| {
        let output = format!("jsonpath={path}");
        plane
            .kubectl(&[
                "get",
                "-n",
                "heptio-ark",
                what,
                "-o",
                &output,
                "--ignore-not-found",
            ])
            .unwrap()
    };
    let arguments = get("deployment/ark", "{.spec.template.spec.containers[0].args}");
    let arguments: Vec<String> = serde_json::from_str(&arguments).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("location.yaml");
    std::fs::write(
        &file,
        get("configmap/ark-initial-location", "{.data.location\\.yaml}"),
    )
    .unwrap();
    let here = file.to_str().unwrap();
    let arguments = arguments
        .iter()
        .map(|one| one.replace("/location/location.yaml", here));
    let mut server = std::process::Command::new(env!("CARGO_BIN_EXE_ark"))
        .arg("--kubeconfig")
        .arg(plane.kubeconfig())
        .args(["--namespace", "heptio-ark"])
        .args(arguments)
        .arg("--metrics-address=127.0.0.1:0")
        .spawn()
        .unwrap();
    let patience = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while get("bsl/default", "{.spec.provider}") != "aws" && std::time::Instant::now() < patience {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(
        get("bsl/default", "{.spec.objectStorage.bucket}"),
        "YOUR-BUCKET"
    );
}

/// Takes the objects away again that are not of a namespace of this test.
struct Installation<'a> {
    plane: &'a ControlPlane,
    namespace: String,
}

impl Drop for Installation<'_> {
    fn drop(&mut self) {
        let binding = format!("ark-{}", self.namespace);
        let _ = self.plane.kubectl(&[
            "delete",
            "clusterrolebinding",
            &binding,
            "--ignore-not-found",
        ]);
        let _ = self.plane.kubectl(&[
            "delete",
            "namespace",
            &self.namespace,
            "--ignore-not-found",
            "--wait=false",
        ]);
    }
}

#[test]
fn server_side_apply_takes_every_object_and_keeps_it() {
    let plane = ControlPlane::shared();
    let installation = Installation {
        plane,
        namespace: unique_name("install"),
    };
    let options = InstallOptions {
        namespace: installation.namespace.clone(),
        provider: Some(Provider::Fs),
        bucket: "/backups".to_owned(),
        prefix: "a".to_owned(),
        config: [("claim".to_owned(), "backups".to_owned())].into(),
        secret_data: Some(b"[default]\n".to_vec()),
        service_account_annotations: [("a.example.org/role".to_owned(), "ark".to_owned())].into(),
        pod_annotations: [("a.example.org/note".to_owned(), "x".to_owned())].into(),
        pod_labels: [("team".to_owned(), "a".to_owned())].into(),
        server_arguments: vec!["--log-level=debug".to_owned()],
        ..InstallOptions::new("ark:v1")
    };
    let objects = manifests(&options).unwrap();
    for object in &objects {
        let applied = plane
            .kubectl_stdin(
                &[
                    "apply",
                    "--server-side",
                    "--field-manager=ark",
                    "--validate=strict",
                    "-o",
                    "json",
                    "-f",
                    "-",
                ],
                &object.to_string(),
            )
            .unwrap();
        let applied: Value = serde_json::from_str(&applied).unwrap();
        assert_contains(&applied, object, object["kind"].as_str().unwrap());
        if object["kind"] == "CustomResourceDefinition" {
            let name = format!("crd/{}", object["metadata"]["name"].as_str().unwrap());
            plane
                .kubectl(&[
                    "wait",
                    "--for=condition=Established",
                    "--timeout=60s",
                    &name,
                ])
                .unwrap();
        }
    }
    // The namespace refuses pods that want too much; this one it takes.
    let template = &objects.last().unwrap()["spec"]["template"];
    let mut pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": template["spec"] });
    pod["metadata"]["name"] = json!("server");
    pod["metadata"]["namespace"] = json!(options.namespace);
    pod["spec"]
        .as_object_mut()
        .unwrap()
        .remove("serviceAccountName");
    plane
        .kubectl_stdin(&["create", "--dry-run=server", "-f", "-"], &pod.to_string())
        .unwrap();
}

/// Everything in `part` is in `whole`, which may have more.
#[track_caller]
fn assert_contains(whole: &Value, part: &Value, path: &str) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                let found = whole
                    .get(name)
                    .unwrap_or_else(|| panic!("{path}.{name} is lost"));
                assert_contains(found, value, &format!("{path}.{name}"));
            }
        }
        (Value::Array(whole), Value::Array(part)) => {
            assert_eq!(whole.len(), part.len(), "{path}");
            for (whole, part) in whole.iter().zip(part) {
                assert_contains(whole, part, &format!("{path}[]"));
            }
        }
        _ => assert_eq!(whole, part, "{path}"),
    }
}
