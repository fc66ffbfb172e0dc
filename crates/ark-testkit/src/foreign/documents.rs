//! The JSON of old backups: metadata files with the fields of their release, and
//! objects as an API server gave them.

use serde_json::{Value, json};

/// Velero's metadata: indented, with what Go writes for empty fields.
pub(super) fn velero(name: &str, of: &str, release: &str) -> Value {
    json!({
        "apiVersion": "velero.io/v1",
        "kind": "Backup",
        "metadata": {
            "name": name, "namespace": "velero", "generation": 6, "resourceVersion": "1234",
            "uid": "5d8e7cf0-0000-4000-8000-000000000000",
            "selfLink": format!("/apis/velero.io/v1/namespaces/velero/backups/{name}"),
            "creationTimestamp": "2020-03-01T12:00:00Z",
            "labels": {"velero.io/storage-location": "elsewhere", "release": release},
        },
        "spec": {
            "includedNamespaces": [of], "excludedNamespaces": null,
            "includedResources": null, "excludedResources": null,
            "labelSelector": null, "snapshotVolumes": null, "ttl": "720h0m0s",
            "includeClusterResources": null, "hooks": {"resources": null},
            "storageLocation": "elsewhere", "volumeSnapshotLocations": ["aws"],
            "orderedResources": null, "metadata": {},
        },
        "status": {
            "version": 1, "phase": "Completed", "expiration": "2999-03-31T12:00:00Z",
            "validationErrors": null,
            "startTimestamp": "2020-03-01T12:00:00Z",
            "completionTimestamp": "2020-03-01T12:00:30Z",
        },
    })
}

/// Heptio Ark's metadata, long expired; earlier releases have fewer fields.
pub(super) fn heptio(name: &str, of: &str, release: &str) -> Value {
    let mut document = json!({
        "apiVersion": "ark.heptio.com/v1",
        "kind": "Backup",
        "metadata": {
            "name": name, "namespace": "heptio-ark", "resourceVersion": "99", "generation": 0,
            "uid": "c0ffee00-0000-4000-8000-000000000000",
            "creationTimestamp": "2018-03-01T12:00:00Z",
            "labels": {"ark-schedule": "nightly", "release": release},
            "finalizers": ["gc.ark.heptio.com"],
        },
        "spec": {
            "includedNamespaces": [of], "excludedNamespaces": null,
            "includedResources": ["*"], "excludedResources": null,
            "labelSelector": null, "snapshotVolumes": true, "ttl": "24h0m0s",
        },
        "status": {
            "version": 1, "phase": "Completed", "expiration": "2018-03-02T12:00:00Z",
            "volumeBackups": {"pv-1": {"snapshotID": "snap-1", "type": "gp2", "iops": null}},
            "validationErrors": null,
        },
    });
    if release != "0.3" {
        let hook = json!({"exec": {"container": "db", "command": ["sync"], "onError": "Fail", "timeout": "30s"}});
        document["spec"]["hooks"] = json!({"resources": [{
            "name": "flush", "includedNamespaces": [of], "excludedNamespaces": null,
            "includedResources": ["pods"], "excludedResources": null, "labelSelector": null,
            "hooks": [hook],
        }]});
        document["spec"]["includeClusterResources"] = Value::Null;
        document["status"]["startTimestamp"] = "2018-03-01T12:00:00Z".into();
        document["status"]["completionTimestamp"] = "2018-03-01T12:00:30Z".into();
    }
    if release == "0.10" {
        document["spec"]["storageLocation"] = "default".into();
        document["spec"]["volumeSnapshotLocations"] = json!(["aws"]);
        document["status"]["volumeBackups"] = Value::Null;
        document["metadata"]["labels"]["ark.heptio.com/storage-location"] = "default".into();
    }
    document
}

/// As Go's serializer indents it.
pub(super) fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}

pub(super) fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {
            "name": name, "uid": "1", "resourceVersion": "1",
            "creationTimestamp": "2018-02-01T12:00:00Z",
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}

pub(super) fn config_map(namespace: &str, n: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": format!("item-{n}"), "namespace": namespace, "uid": format!("2{n}"),
            "resourceVersion": "2", "creationTimestamp": "2018-02-01T12:00:00Z",
            "selfLink": format!("/api/v1/namespaces/{namespace}/configmaps/item-{n}"),
        },
        "data": {"n": n.to_string()},
    })
}

/// The same autoscaler in one of its versions.
pub(super) fn autoscaler(namespace: &str, version: &str) -> Value {
    json!({
        "apiVersion": format!("autoscaling/{version}"), "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": namespace, "uid": "3", "resourceVersion": "3"},
        "spec": {
            "maxReplicas": 7, "minReplicas": 2,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        },
    })
}
