//! Locations against a cluster that has secrets and nothing else.

use std::collections::BTreeMap;

use ark_engine::object::Object;
use ark_engine::port::{
    ApiResource, Cluster, ClusterError, CreateOptions, Discovery, ListQuery, Page, Patch, Revision,
    ServerVersion, Target,
};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Value, json};

use super::*;

/// Secrets by name: their entries.
#[derive(Default)]
struct Fake(Mutex<BTreeMap<String, Value>>);

impl Fake {
    fn set(&self, name: &str, key: &str, value: &str) {
        let data = json!({ key: BASE64.encode(value) });
        self.0.lock().unwrap().insert(name.to_owned(), data);
    }
}

#[async_trait]
impl Cluster for Fake {
    async fn get(&self, target: Target<'_>) -> Result<Option<Object>, ClusterError> {
        assert_eq!(
            (target.resource.plural.as_str(), target.namespace),
            ("secrets", Some("ark"))
        );
        let data = self.0.lock().unwrap().get(target.name).cloned();
        Ok(data.map(|data| {
            Object::from_value(&json!({"metadata": {"name": target.name}, "data": data})).unwrap()
        }))
    }

    async fn discover(&self) -> Result<Discovery, ClusterError> {
        unreachable!()
    }
    async fn version(&self) -> Result<ServerVersion, ClusterError> {
        unreachable!()
    }
    async fn revision(&self) -> Result<Revision, ClusterError> {
        unreachable!()
    }
    async fn list(&self, _: &ListQuery, _: Option<&str>, _: u32) -> Result<Page, ClusterError> {
        unreachable!()
    }
    async fn create(
        &self,
        _: &ApiResource,
        _: Option<&str>,
        _: Bytes,
        _: CreateOptions<'_>,
    ) -> Result<Object, ClusterError> {
        unreachable!()
    }
    async fn patch(&self, _: Target<'_>, _: Patch) -> Result<Object, ClusterError> {
        unreachable!()
    }
    async fn delete(&self, _: Target<'_>) -> Result<bool, ClusterError> {
        unreachable!()
    }
}

fn location(spec: &Value) -> BackupStorageLocation {
    serde_json::from_value(json!({
        "apiVersion": "velero.io/v1", "kind": "BackupStorageLocation",
        "metadata": {"name": "main"}, "spec": spec,
    }))
    .unwrap()
}

fn locations(secrets: &Arc<Fake>) -> Locations {
    let cluster: Arc<dyn Cluster> = Arc::<Fake>::clone(secrets);
    Locations::new(Secrets::new(cluster, "ark"))
}

#[tokio::test]
async fn everything_that_the_resource_says_reaches_the_location() {
    let secrets = Arc::new(Fake::default());
    secrets.set("cloud", "creds", "[default]");
    secrets.set("ca", "pem", "CERTIFICATE");
    secrets.set("sse", "key", "0123");
    let location = location(&json!({
        "provider": "velero.io/aws",
        "config": {"region": "eu", CUSTOMER_KEY: "sse/key"},
        "credential": {"name": "cloud", "key": "creds"},
        "objectStorage": {
            "bucket": "b", "prefix": "p/", "caCertRef": {"name": "ca", "key": "pem"},
        },
    }));
    let source = locations(&secrets).fetch(&location).await.unwrap();
    let made = to_location(&source);
    assert_eq!(
        (
            made.name.as_str(),
            made.bucket.as_str(),
            made.prefix.as_str()
        ),
        ("main", "b", "p/")
    );
    assert_eq!(made.provider, "velero.io/aws");
    assert_eq!(made.config["region"], "eu");
    assert_eq!(made.ca_cert.as_deref(), Some(&b"CERTIFICATE"[..]));
    assert_eq!(made.customer_key.as_deref(), Some(&b"0123"[..]));
    assert!(matches!(made.credentials, Credentials::Contents(bytes) if bytes == b"[default]"));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let secrets = Arc::new(Fake::default());
    secrets.set("cloud", "other", "x");
    let locations = locations(&secrets);
    let storage = json!({"bucket": "b"});
    let error = async |spec: Value| {
        let location = location(&spec);
        locations
            .fetch(&location)
            .await
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let absent = json!({
        "provider": "aws", "objectStorage": storage, "credential": {"name": "gone", "key": "k"},
    });
    assert_eq!(
        error(absent).await,
        "secret `gone` does not exist in namespace `ark`"
    );
    let no_key = json!({
        "provider": "aws", "objectStorage": storage, "credential": {"name": "cloud", "key": "k"},
    });
    assert_eq!(error(no_key).await, "secret `cloud` has no key `k`");
    let optional = json!({
        "provider": "aws", "objectStorage": storage,
        "credential": {"name": "gone", "key": "k", "optional": true},
    });
    assert_eq!(error(optional).await, "");
    let twice = json!({
        "provider": "aws",
        "objectStorage": {"bucket": "b", "caCert": "QQ==", "caCertRef": {"name": "c", "key": "k"}},
    });
    assert!(error(twice).await.contains("cannot both be set"));
    let odd = json!({
        "provider": "aws", "objectStorage": storage, "config": {CUSTOMER_KEY: "nokey"},
    });
    assert!(error(odd).await.contains("must be NAME/KEY"));
}

#[tokio::test]
async fn a_store_is_opened_again_only_after_a_change() {
    let directory = tempfile::tempdir().unwrap();
    let secrets = Arc::new(Fake::default());
    secrets.set("cloud", "k", "one");
    let locations = locations(&secrets);
    let spec = |prefix: &str| {
        json!({
            "provider": "fs", "credential": {"name": "cloud", "key": "k"},
            "objectStorage": {"bucket": directory.path().to_str().unwrap(), "prefix": prefix},
        })
    };
    let first = locations.store(&location(&spec(""))).await.unwrap();
    let same = locations.store(&location(&spec(""))).await.unwrap();
    assert!(Arc::ptr_eq(&first, &same));
    secrets.set("cloud", "k", "two");
    let other_secret = locations.store(&location(&spec(""))).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &other_secret));
    let other_spec = locations.store(&location(&spec("p"))).await.unwrap();
    assert!(!Arc::ptr_eq(&other_secret, &other_spec));
}
