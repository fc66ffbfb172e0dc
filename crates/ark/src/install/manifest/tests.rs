//! What the installation looks like for each choice.

use super::*;

fn kinds(objects: &[Value]) -> Vec<&str> {
    objects
        .iter()
        .map(|object| object["kind"].as_str().unwrap())
        .collect()
}

fn find<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects
        .iter()
        .find(|object| object["kind"] == kind)
        .unwrap()
}

fn aws() -> InstallOptions {
    InstallOptions {
        provider: Some(Provider::Aws),
        bucket: "backups".to_owned(),
        secret_data: Some(b"[default]\n".to_vec()),
        ..InstallOptions::new("ark:v1")
    }
}

#[test]
fn definitions_and_namespace_come_first() {
    let objects = manifests(&aws()).unwrap();
    let kinds = kinds(&objects);
    assert!(
        kinds[..13]
            .iter()
            .all(|kind| *kind == "CustomResourceDefinition")
    );
    assert_eq!(
        kinds[13..],
        [
            "Namespace",
            "ServiceAccount",
            "ClusterRoleBinding",
            "Secret",
            "BackupStorageLocation",
            "Deployment"
        ]
    );
}

#[test]
fn everything_is_labelled_and_nothing_as_velero() {
    for object in manifests(&aws()).unwrap() {
        let labels = &object["metadata"]["labels"];
        assert_eq!(
            labels["app.kubernetes.io/name"], "ark",
            "{}",
            object["kind"]
        );
        assert_eq!(
            labels["app.kubernetes.io/part-of"], "ark",
            "{}",
            object["kind"]
        );
        assert_eq!(labels.get("component"), None, "{}", object["kind"]);
        let kind = object["kind"].as_str().unwrap();
        if ![
            "CustomResourceDefinition",
            "Namespace",
            "ClusterRoleBinding",
        ]
        .contains(&kind)
        {
            assert_eq!(object["metadata"]["namespace"], "heptio-ark", "{kind}");
        }
    }
}

#[test]
fn without_a_provider_there_is_no_location_and_no_secret() {
    let objects = manifests(&InstallOptions::new("ark:v1")).unwrap();
    assert_eq!(
        kinds(&objects)[13..],
        [
            "Namespace",
            "ServiceAccount",
            "ClusterRoleBinding",
            "Deployment"
        ]
    );
    let pod = &find(&objects, "Deployment")["spec"]["template"]["spec"];
    assert_eq!(
        pod["volumes"],
        json!([{ "name": "scratch", "emptyDir": {} }])
    );
}

#[test]
fn a_secret_is_mounted_where_credentials_come_from_one() {
    let credentials = |options: &InstallOptions| {
        let objects = manifests(options).unwrap();
        let container = &find(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
        let mounted = container["volumeMounts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|mount| mount["mountPath"] == "/credentials");
        let named = container["env"].to_string().contains("/credentials/cloud");
        assert_eq!(mounted, named);
        (kinds(&objects).contains(&"Secret"), mounted)
    };
    assert_eq!(credentials(&aws()), (true, true));
    let existing = InstallOptions {
        secret_data: None,
        ..aws()
    };
    assert_eq!(credentials(&existing), (false, true));
    assert_eq!(
        credentials(&InstallOptions {
            no_secret: true,
            ..existing
        }),
        (false, false)
    );
    let both = InstallOptions {
        no_secret: true,
        ..aws()
    };
    assert!(matches!(
        manifests(&both),
        Err(ManifestError::SecretUnwanted)
    ));
}

#[test]
fn the_location_is_the_default_and_has_the_settings() {
    let options = InstallOptions {
        prefix: "cluster-1".to_owned(),
        config: [("region".to_owned(), "eu-central-1".to_owned())].into(),
        ..aws()
    };
    let objects = manifests(&options).unwrap();
    let location = find(&objects, "BackupStorageLocation");
    assert_eq!(
        location["spec"],
        json!({
            "provider": "aws",
            "default": true,
            "objectStorage": { "bucket": "backups", "prefix": "cluster-1" },
            "config": { "region": "eu-central-1" },
        })
    );
    serde_json::from_value::<ark_api::BackupStorageLocation>(location.clone()).unwrap();
}

#[test]
fn a_directory_is_a_mounted_claim() {
    let options = InstallOptions {
        provider: Some(Provider::Fs),
        bucket: "/backups".to_owned(),
        config: [("claim".to_owned(), "ark-backups".to_owned())].into(),
        secret_data: None,
        ..aws()
    };
    let objects = manifests(&options).unwrap();
    let pod = &find(&objects, "Deployment")["spec"]["template"]["spec"];
    assert!(
        pod["volumes"]
            .to_string()
            .contains(r#"{"claimName":"ark-backups"}"#)
    );
    assert!(
        pod["containers"][0]["volumeMounts"]
            .to_string()
            .contains(r#""mountPath":"/backups""#)
    );
    assert!(!pod.to_string().contains("hostPath"));
    assert_eq!(
        find(&objects, "BackupStorageLocation")["spec"].get("config"),
        None
    );

    let unmounted = InstallOptions {
        config: BTreeMap::new(),
        ..options.clone()
    };
    let objects = manifests(&unmounted).unwrap();
    assert!(
        !find(&objects, "Deployment")
            .to_string()
            .contains("/backups")
    );
    let relative = InstallOptions {
        bucket: "backups".to_owned(),
        ..options
    };
    assert!(matches!(
        manifests(&relative),
        Err(ManifestError::RelativePath { .. })
    ));
}

#[test]
fn a_provider_needs_a_bucket() {
    let options = InstallOptions {
        bucket: String::new(),
        ..aws()
    };
    assert_eq!(
        manifests(&options).unwrap_err().to_string(),
        "the provider aws needs a bucket"
    );
}

#[test]
fn the_deployment_selects_its_own_pods() {
    let options = InstallOptions {
        pod_labels: [
            ("app.kubernetes.io/name".to_owned(), "other".to_owned()),
            ("team".to_owned(), "a".to_owned()),
        ]
        .into(),
        pod_annotations: [("prometheus.io/scrape".to_owned(), "false".to_owned())].into(),
        server_arguments: vec!["--log-level=debug".to_owned()],
        resources: Resources {
            cpu_limit: "0".to_owned(),
            ..Resources::default()
        },
        ..aws()
    };
    let objects = manifests(&options).unwrap();
    let deployment = find(&objects, "Deployment");
    let pod = &deployment["spec"]["template"];
    for (key, value) in deployment["spec"]["selector"]["matchLabels"]
        .as_object()
        .unwrap()
    {
        assert_eq!(&pod["metadata"]["labels"][key], value);
    }
    assert_eq!(pod["metadata"]["labels"]["team"], "a");
    assert_eq!(
        pod["metadata"]["annotations"]["prometheus.io/scrape"],
        "false"
    );
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["args"], json!(["server", "--log-level=debug"]));
    assert_eq!(
        container["resources"]["limits"],
        json!({ "memory": "256Mi" })
    );
}
