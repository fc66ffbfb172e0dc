//! The objects of an installation, as values in the order in which they are
//! applied. No client, no files, no clock.
//!
//! No object carries the label `component: velero`, by which `velero uninstall`
//! finds what it deletes.

use std::collections::BTreeMap;

use ark_api::ByteString;
use ark_api::crd::CrdError;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::server;

/// Name of the secret with the credentials of the storage.
pub const CREDENTIALS_SECRET: &str = "cloud-credentials";
/// The entry of that secret, and the name of its file in the server's container.
pub const CREDENTIALS_KEY: &str = "cloud";
/// Name of the deployment, of its service account and of its container.
pub const SERVER: &str = "ark";
/// Name of the storage location that an installation makes.
pub const DEFAULT_LOCATION: &str = "default";

/// Name of the config map with a location that the server creates.
pub const INITIAL_LOCATION: &str = "ark-initial-location";
/// The entry of that config map.
pub const INITIAL_LOCATION_KEY: &str = "location.yaml";

/// Kinds of object storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// S3 and everything that speaks it.
    Aws,
    /// Google Cloud Storage.
    Gcp,
    /// Azure Blob Storage.
    Azure,
    /// A directory.
    Fs,
}

impl Provider {
    /// The provider's name in a storage location.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::Fs => "fs",
        }
    }
}

/// What a container asks for and may use, as Kubernetes quantities. `0` or
/// nothing leaves a bound out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Processors asked for.
    pub cpu_request: String,
    /// Memory asked for.
    pub memory_request: String,
    /// Processors it may use.
    pub cpu_limit: String,
    /// Memory it may use.
    pub memory_limit: String,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            cpu_request: "100m".to_owned(),
            memory_request: "64Mi".to_owned(),
            cpu_limit: "1".to_owned(),
            memory_limit: "256Mi".to_owned(),
        }
    }
}

/// What to install.
#[derive(Clone, Debug)]
pub struct InstallOptions {
    /// Namespace of everything that has one.
    pub namespace: String,
    /// Image of the server.
    pub image: String,
    /// Storage of the default location; none makes no location.
    pub provider: Option<Provider>,
    /// Bucket of the default location; for [`Provider::Fs`] the path of a
    /// directory in the server's container.
    pub bucket: String,
    /// Folder in the bucket; may be empty.
    pub prefix: String,
    /// Settings of the default location, as its provider documents them. For
    /// [`Provider::Fs`] the key `claim` names a persistent volume claim in the
    /// namespace, which is mounted at the bucket's path; it does not become a
    /// setting of the location. Without it nothing is mounted there, and the
    /// location cannot be used unless something else puts the directory into
    /// the container.
    pub config: BTreeMap<String, String>,
    /// Settings of the default snapshot location, which is of the same provider; none
    /// makes no such location.
    pub snapshot_config: Option<BTreeMap<String, String>>,
    /// The default location is handed to the server, which creates it when the
    /// namespace has none. For `kubectl apply`, which cannot bring a resource in
    /// the same call as its definition.
    pub location_by_server: bool,
    /// Content of the credentials file, for the secret; none makes no secret.
    pub secret_data: Option<Vec<u8>>,
    /// No secret is used: the server has its credentials from where it runs.
    pub no_secret: bool,
    /// Annotations of the service account, by which clouds give it an identity.
    pub service_account_annotations: BTreeMap<String, String>,
    /// More annotations of the server's pod.
    pub pod_annotations: BTreeMap<String, String>,
    /// More labels of the server's pod.
    pub pod_labels: BTreeMap<String, String>,
    /// What the server asks for and may use.
    pub resources: Resources,
    /// More arguments of `ark server`.
    pub server_arguments: Vec<String>,
    /// Certificates (PEM) to trust in connections to the default location.
    pub ca_cert: Option<ByteString>,
    /// A service account that exists and has the rights that the server needs;
    /// none makes one and gives it every right.
    pub service_account: Option<String>,
    /// Priority class of the server's pod.
    pub priority_class: Option<String>,
}

impl InstallOptions {
    /// An installation of `image` in the namespace `heptio-ark`, without a
    /// storage location.
    pub fn new(image: &str) -> Self {
        Self {
            namespace: "heptio-ark".to_owned(),
            image: image.to_owned(),
            provider: None,
            bucket: String::new(),
            prefix: String::new(),
            config: BTreeMap::new(),
            snapshot_config: None,
            location_by_server: false,
            secret_data: None,
            no_secret: false,
            service_account_annotations: BTreeMap::new(),
            pod_annotations: BTreeMap::new(),
            pod_labels: BTreeMap::new(),
            resources: Resources::default(),
            server_arguments: Vec::new(),
            ca_cert: None,
            service_account: None,
            priority_class: None,
        }
    }

    /// Whether the server finds credentials in a secret. One that this
    /// installation does not make is expected to exist.
    pub(super) fn uses_secret(&self) -> bool {
        let cloud = self
            .provider
            .is_some_and(|provider| provider != Provider::Fs);
        !self.no_secret && (cloud || self.secret_data.is_some())
    }

    /// Whether the server finds a location to create in a config map.
    pub(super) fn hands_over_location(&self) -> bool {
        self.location_by_server && self.provider.is_some()
    }

    /// The claim that holds the bucket, and the path it is mounted at.
    pub(super) fn claim(&self) -> Option<(&str, &str)> {
        let claim = self
            .config
            .get(CLAIM)
            .filter(|_| self.provider == Some(Provider::Fs))?;
        Some((claim, &self.bucket))
    }
}

/// The key in [`InstallOptions::config`] that names a claim.
const CLAIM: &str = "claim";

/// Why there is no such installation.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The definitions of the kinds could not be made.
    #[error("cannot make the definitions of Ark's kinds")]
    Definitions(#[from] CrdError),
    /// An object of the installation could not be made into a value.
    #[error("cannot make the {kind} of the installation")]
    Object {
        /// The object's kind.
        kind: &'static str,
        /// What went wrong.
        #[source]
        source: serde_json::Error,
    },
    /// An object of the installation could not be written as YAML.
    #[error("cannot write the installation as YAML")]
    Yaml(#[from] ark_api::wire::YamlError),
    /// A location needs a bucket.
    #[error("the provider {provider} needs a bucket")]
    NoBucket {
        /// The provider.
        provider: &'static str,
    },
    /// A directory must be given by its full path.
    #[error("{path:?} is not a full path, which the bucket of the provider fs must be")]
    RelativePath {
        /// The bucket.
        path: String,
    },
    /// Two options exclude each other.
    #[error("credentials are given, together with the wish for no secret")]
    SecretUnwanted,
}

/// All objects of an installation in the order in which they are applied. The
/// location can only be applied once the definitions before it are established.
pub fn manifests(options: &InstallOptions) -> Result<Vec<Value>, ManifestError> {
    check(options)?;
    let mut objects = crds()?;
    objects.push(namespace(options));
    if options.service_account.is_none() {
        objects.push(service_account(options));
        objects.push(cluster_role_binding(options));
    }
    objects.extend(secret(options));
    objects.extend(match location(options) {
        Some(location) if options.location_by_server => Some(handed_over(options, &location)?),
        location => location,
    });
    objects.extend(snapshot_location(options));
    objects.push(server::deployment(options));
    Ok(objects)
}

/// The definitions of Ark's kinds, which are the first of the [`manifests`].
pub fn crds() -> Result<Vec<Value>, ManifestError> {
    let value = |crd| {
        serde_json::to_value(&crd).map_err(|source| ManifestError::Object {
            kind: "CustomResourceDefinition",
            source,
        })
    };
    ark_api::crd::all()?.into_iter().map(value).collect()
}

fn check(options: &InstallOptions) -> Result<(), ManifestError> {
    if options.no_secret && options.secret_data.is_some() {
        return Err(ManifestError::SecretUnwanted);
    }
    let Some(provider) = options.provider else {
        return Ok(());
    };
    if options.bucket.is_empty() {
        return Err(ManifestError::NoBucket {
            provider: provider.as_str(),
        });
    }
    if provider == Provider::Fs && !options.bucket.starts_with('/') {
        return Err(ManifestError::RelativePath {
            path: options.bucket.clone(),
        });
    }
    Ok(())
}

/// The labels of every object, with what the object is for.
pub(super) fn labels(component: &str) -> BTreeMap<String, String> {
    let mut labels = ark_api::crd::labels();
    labels.insert("app.kubernetes.io/managed-by".to_owned(), "ark".to_owned());
    labels.insert(
        "app.kubernetes.io/component".to_owned(),
        component.to_owned(),
    );
    labels
}

fn namespace(options: &InstallOptions) -> Value {
    let mut labels = labels("namespace");
    // The server needs nothing from its node.
    for mode in ["enforce", "audit", "warn"] {
        labels.insert(
            format!("pod-security.kubernetes.io/{mode}"),
            "restricted".to_owned(),
        );
        labels.insert(
            format!("pod-security.kubernetes.io/{mode}-version"),
            "latest".to_owned(),
        );
    }
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": options.namespace, "labels": labels },
    })
}

fn service_account(options: &InstallOptions) -> Value {
    let mut account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": { "name": SERVER, "namespace": options.namespace, "labels": labels("server") },
    });
    if !options.service_account_annotations.is_empty() {
        account["metadata"]["annotations"] = json!(options.service_account_annotations);
    }
    account
}

fn cluster_role_binding(options: &InstallOptions) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {
            "name": format!("{SERVER}-{}", options.namespace),
            "labels": labels("server"),
            "annotations": {
                "ark.heptio.com/reason": "A backup reads objects of any kind and a restore creates them. \
                    Roles can only be restored by someone who has every right that is in them, or who may \
                    escalate and bind, which amounts to the same.",
            },
        },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": SERVER, "namespace": options.namespace }],
    })
}

fn secret(options: &InstallOptions) -> Option<Value> {
    let content = options.secret_data.as_ref()?;
    Some(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": CREDENTIALS_SECRET, "namespace": options.namespace, "labels": labels("credentials") },
        "type": "Opaque",
        "data": { CREDENTIALS_KEY: BASE64.encode(content) },
    }))
}

fn location(options: &InstallOptions) -> Option<Value> {
    let provider = options.provider?;
    let mut storage = json!({ "bucket": options.bucket });
    if !options.prefix.is_empty() {
        storage["prefix"] = json!(options.prefix);
    }
    if let Some(certificates) = &options.ca_cert {
        storage["caCert"] = json!(certificates);
    }
    let mut spec =
        json!({ "provider": provider.as_str(), "default": true, "objectStorage": storage });
    let mut config = options.config.clone();
    if provider == Provider::Fs {
        config.remove(CLAIM);
    }
    if !config.is_empty() {
        spec["config"] = json!(config);
    }
    Some(json!({
        "apiVersion": ark_api::V1,
        "kind": "BackupStorageLocation",
        "metadata": { "name": DEFAULT_LOCATION, "namespace": options.namespace, "labels": labels("storage") },
        "spec": spec,
    }))
}

fn snapshot_location(options: &InstallOptions) -> Option<Value> {
    let (provider, config) = (options.provider?, options.snapshot_config.as_ref()?);
    Some(json!({
        "apiVersion": ark_api::V1,
        "kind": "VolumeSnapshotLocation",
        "metadata": { "name": DEFAULT_LOCATION, "namespace": options.namespace, "labels": labels("storage") },
        "spec": { "provider": provider.as_str(), "config": config },
    }))
}

/// A location as text, for the server to create.
fn handed_over(options: &InstallOptions, location: &Value) -> Result<Value, ManifestError> {
    Ok(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": INITIAL_LOCATION, "namespace": options.namespace, "labels": labels("storage") },
        "data": { INITIAL_LOCATION_KEY: ark_api::wire::to_yaml(location)? },
    }))
}

#[cfg(test)]
mod tests;
