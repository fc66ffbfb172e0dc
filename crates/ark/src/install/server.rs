//! The deployment of the server. Pure, like all of the installation.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::manifest::{
    CREDENTIALS_KEY, CREDENTIALS_SECRET, INITIAL_LOCATION, INITIAL_LOCATION_KEY, InstallOptions,
    Resources, SERVER, labels,
};

/// Port of the probes and metrics.
const PORT: u16 = 8085;
/// Where the credentials are in the container.
const CREDENTIALS: &str = "/credentials";
/// Where the location to create is in the container.
const LOCATION: &str = "/location";
/// Where the server may write.
const SCRATCH: &str = "/scratch";
/// User and group of the server; nobody else's.
const UID: u32 = 65532;

/// The deployment. It has one replica and is recreated rather than rolled, so
/// that two servers do not work on the same backup.
pub(super) fn deployment(options: &InstallOptions) -> Value {
    let selector =
        json!({ "app.kubernetes.io/name": "ark", "app.kubernetes.io/component": "server" });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": SERVER, "namespace": options.namespace, "labels": labels("server") },
        "spec": {
            "replicas": 1,
            "strategy": { "type": "Recreate" },
            "selector": { "matchLabels": selector },
            "template": {
                "metadata": { "labels": pod_labels(options), "annotations": pod_annotations(options) },
                "spec": pod(options),
            },
        },
    })
}

/// The user's labels give way: the deployment selects its pods by ours.
fn pod_labels(options: &InstallOptions) -> BTreeMap<String, String> {
    let mut all = options.pod_labels.clone();
    all.extend(labels("server"));
    all
}

/// The user's annotations take precedence: scraping is a matter of taste.
fn pod_annotations(options: &InstallOptions) -> BTreeMap<String, String> {
    let port = PORT.to_string();
    let scrape = [
        ("scrape", "true"),
        ("port", port.as_str()),
        ("path", "/metrics"),
    ];
    let mut all: BTreeMap<String, String> = scrape
        .into_iter()
        .map(|(name, value)| (format!("prometheus.io/{name}"), value.to_owned()))
        .collect();
    all.extend(options.pod_annotations.clone());
    all
}

fn pod(options: &InstallOptions) -> Value {
    let (volumes, mounts) = volumes(options);
    let mut pod = json!({
        "serviceAccountName": options.service_account.as_deref().unwrap_or(SERVER),
        "nodeSelector": { "kubernetes.io/os": "linux" },
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": UID,
            "runAsGroup": UID,
            "fsGroup": UID,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "volumes": volumes,
        "containers": [{
            "name": SERVER,
            "image": options.image,
            "imagePullPolicy": pull_policy(&options.image),
            "command": ["ark"],
            "args": arguments(options),
            "env": environment(options),
            "ports": [{ "name": "metrics", "containerPort": PORT, "protocol": "TCP" }],
            "livenessProbe": probe("/healthz", 30),
            "readinessProbe": probe("/readyz", 10),
            "resources": resources(&options.resources),
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "runAsNonRoot": true,
                "capabilities": { "drop": ["ALL"] },
            },
            "volumeMounts": mounts,
        }],
    });
    if let Some(class) = &options.priority_class {
        pod["priorityClassName"] = json!(class);
    }
    pod
}

fn arguments(options: &InstallOptions) -> Vec<String> {
    let mut all = vec!["server".to_owned()];
    if options.hands_over_location() {
        all.push(format!(
            "--initial-location={LOCATION}/{INITIAL_LOCATION_KEY}"
        ));
    }
    all.extend(options.server_arguments.iter().cloned());
    all
}

fn probe(path: &str, period: u32) -> Value {
    json!({ "httpGet": { "path": path, "port": "metrics" }, "periodSeconds": period, "timeoutSeconds": 5 })
}

fn environment(options: &InstallOptions) -> Vec<Value> {
    let mut all = vec![
        json!({ "name": "ARK_NAMESPACE", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } }),
        json!({ "name": "ARK_SCRATCH_DIR", "value": SCRATCH }),
        // What one thread allocates another one frees. With an arena for every thread,
        // which is glibc's default, a third of the server's memory is such leftovers.
        json!({ "name": "MALLOC_ARENA_MAX", "value": "2" }),
    ];
    if options.uses_secret() {
        let file = format!("{CREDENTIALS}/{CREDENTIALS_KEY}");
        let names = [
            "AWS_SHARED_CREDENTIALS_FILE",
            "AZURE_CREDENTIALS_FILE",
            "GOOGLE_APPLICATION_CREDENTIALS",
        ];
        all.extend(names.map(|name| json!({ "name": name, "value": file })));
    }
    all
}

/// The volumes of the pod and their mounts in the container.
fn volumes(options: &InstallOptions) -> (Vec<Value>, Vec<Value>) {
    let mut volumes = vec![json!({ "name": "scratch", "emptyDir": {} })];
    let mut mounts = vec![json!({ "name": "scratch", "mountPath": SCRATCH })];
    if options.uses_secret() {
        let secret = json!({ "secretName": CREDENTIALS_SECRET });
        volumes.push(json!({ "name": "credentials", "secret": secret }));
        mounts.push(json!({ "name": "credentials", "mountPath": CREDENTIALS, "readOnly": true }));
    }
    if options.hands_over_location() {
        volumes.push(json!({ "name": "location", "configMap": { "name": INITIAL_LOCATION } }));
        mounts.push(json!({ "name": "location", "mountPath": LOCATION, "readOnly": true }));
    }
    if let Some((claim, path)) = options.claim() {
        volumes.push(json!({ "name": "bucket", "persistentVolumeClaim": { "claimName": claim } }));
        mounts.push(json!({ "name": "bucket", "mountPath": path }));
    }
    (volumes, mounts)
}

fn resources(resources: &Resources) -> Value {
    let bounds = |cpu: &str, memory: &str| -> BTreeMap<&str, String> {
        [("cpu", cpu), ("memory", memory)]
            .into_iter()
            .filter(|(_, quantity)| !matches!(*quantity, "" | "0"))
            .map(|(name, quantity)| (name, quantity.to_owned()))
            .collect()
    };
    json!({
        "requests": bounds(&resources.cpu_request, &resources.memory_request),
        "limits": bounds(&resources.cpu_limit, &resources.memory_limit),
    })
}

/// An image that its name pins is pulled once, any other at each start.
fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    let pinned = name.contains('@') || name.split_once(':').is_some_and(|(_, tag)| tag != "latest");
    if pinned { "IfNotPresent" } else { "Always" }
}

#[cfg(test)]
mod tests {
    use super::pull_policy;

    #[test]
    fn only_pinned_images_are_kept() {
        for image in [
            "ark:v1",
            "registry.example.org:5000/ark:v1",
            "ark@sha256:00",
            "a/ark:latest@sha256:00",
        ] {
            assert_eq!(pull_policy(image), "IfNotPresent", "{image}");
        }
        for image in [
            "ark",
            "ark:latest",
            "registry.example.org:5000/ark",
            "registry.example.org/a/ark:latest",
        ] {
            assert_eq!(pull_policy(image), "Always", "{image}");
        }
    }
}
