//! Everything that the command line does, `kubectl` alone can do too.

use ark_testkit::{ControlPlane, Namespaces};

use super::{Installation, config_maps, many_config_maps};

#[test]
fn custom_resources_alone_back_up_and_restore() {
    let plane = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let ark = Installation::new(plane, bucket.path());
    let mut namespaces = Namespaces::new(plane);
    let source = namespaces.create("plain").unwrap();
    many_config_maps(plane, &source, 50);
    let before = config_maps(plane, &source);
    let apply = |kind: &str, name: &str, spec: serde_json::Value| {
        let object = serde_json::json!({
            "apiVersion": "velero.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": ark.namespace}, "spec": spec,
        });
        plane
            .kubectl_stdin(&["create", "-f", "-"], &object.to_string())
            .unwrap();
    };

    apply(
        "Backup",
        "by-hand",
        serde_json::json!({"includedNamespaces": [source]}),
    );
    let wait = |condition: &str, object: &str| {
        let condition = format!("--for=condition={condition}");
        let options = ["-n", &ark.namespace, "wait", "--timeout=120s"];
        plane
            .kubectl(&[&options[..], &[&condition, object]].concat())
            .unwrap();
    };
    wait("Succeeded", "backup/by-hand");
    wait("Ready", "backupstoragelocation/default");
    assert_eq!(
        ark.get("backup/by-hand", "jsonpath={.status.phase}"),
        "Completed"
    );
    plane.kubectl(&["delete", "namespace", &source]).unwrap();
    apply(
        "Restore",
        "by-hand",
        serde_json::json!({"backupName": "by-hand"}),
    );
    wait("Succeeded", "restore/by-hand");
    assert_eq!(config_maps(plane, &source), before);
}

#[test]
fn what_cannot_work_is_refused_with_every_reason() {
    let plane = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let ark = Installation::new(plane, bucket.path());
    let object = serde_json::json!({
        "apiVersion": "velero.io/v1", "kind": "Backup",
        "metadata": {"name": "wrong", "namespace": ark.namespace},
        "spec": {"storageLocation": "nowhere", "includedNamespaces": ["a"], "excludedNamespaces": ["a"]},
    });
    plane
        .kubectl_stdin(&["create", "-f", "-"], &object.to_string())
        .unwrap();
    let failed = "--for=condition=Succeeded=False";
    plane
        .kubectl(&[
            "-n",
            &ark.namespace,
            "wait",
            "--timeout=60s",
            failed,
            "backup/wrong",
        ])
        .unwrap();
    assert_eq!(
        ark.get("backup/wrong", "jsonpath={.status.phase}"),
        "FailedValidation"
    );
    let errors = ark.get("backup/wrong", "jsonpath={.status.validationErrors}");
    assert!(
        errors.contains("`nowhere`") && errors.contains("both included and excluded"),
        "{errors}"
    );
}
