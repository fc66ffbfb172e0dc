//! A backup, a store and a cluster in memory, for unit tests of what no real
//! server does at a chosen moment.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ark_api::restore::RestoreSpec;
use ark_api::storage_location::LocationPhase;
use ark_api::{Backup, BackupSpec, BackupStorageLocation, Restore};
use ark_archive::write::{PackOptions, Packer};
use ark_archive::{GroupResource, ItemKey, layout};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::{Value, json};

mod disks;

pub(super) use disks::MemoryDisks;

use super::{Defaults, ValidatedRestore, validate};
use crate::object::Object;
use crate::port::*;

/// Key of an object: `kind` is `plural.group`.
pub(super) fn key(kind: &str, object: &Value) -> ItemKey {
    let text = |name: &str| object["metadata"][name].as_str().map(str::to_owned);
    ItemKey {
        group_resource: kind.parse::<GroupResource>().unwrap(),
        namespace: text("namespace"),
        name: text("name").unwrap(),
    }
}

/// A served kind.
pub(super) fn resource(
    api_version: &str,
    plural: &str,
    kind: &str,
    namespaced: bool,
) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource {
        group: group.into(),
        version: version.into(),
        plural: plural.into(),
        singular: kind.to_lowercase(),
        kind: kind.into(),
        namespaced,
        verbs: vec!["create".into(), "get".into(), "patch".into()],
        short_names: vec![],
        preferred: true,
    }
}

/// What the clusters of these tests serve.
pub(super) fn discovery() -> Discovery {
    let crds = "customresourcedefinitions";
    Discovery {
        resources: vec![
            resource("v1", "namespaces", "Namespace", false),
            resource("v1", "nodes", "Node", false),
            resource("v1", "configmaps", "ConfigMap", true),
            resource("v1", "secrets", "Secret", true),
            resource("v1", "pods", "Pod", true),
            resource("v1", "services", "Service", true),
            resource("v1", "serviceaccounts", "ServiceAccount", true),
            resource("v1", "persistentvolumes", "PersistentVolume", false),
            resource(
                "v1",
                "persistentvolumeclaims",
                "PersistentVolumeClaim",
                true,
            ),
            resource(
                "scheduling.k8s.io/v1",
                "priorityclasses",
                "PriorityClass",
                false,
            ),
            resource("apps/v1", "deployments", "Deployment", true),
            resource(
                "apiextensions.k8s.io/v1",
                crds,
                "CustomResourceDefinition",
                false,
            ),
        ],
        ..Discovery::default()
    }
}

/// The tarball and the index of a backup with these objects, in small members.
pub(super) fn pack(objects: &[(&str, Value)]) -> (Vec<u8>, Vec<u8>) {
    let mut packer = Packer::new(PackOptions {
        member_bytes: 2048,
        mtime_unix: 0,
    });
    let mut members = Vec::new();
    for (kind, object) in objects {
        let api_version = object["apiVersion"].as_str().unwrap();
        let version = api_version.rsplit('/').next().unwrap();
        let json = serde_json::to_vec(object).unwrap();
        members.extend(packer.add(&key(kind, object), version, &json).unwrap());
    }
    let mut finished = packer.finish();
    members.push(finished.last);
    let mut tarball = Vec::new();
    for member in members {
        let member = member.compress(1).unwrap();
        finished
            .index
            .place(member.seq, member.bytes.len() as u64)
            .unwrap();
        tarball.extend(member.bytes);
    }
    (tarball, finished.index.encode().unwrap())
}

/// A store with the backup `b` of these objects.
pub(super) fn bucket(objects: &[(&str, Value)]) -> Arc<MemoryStore> {
    let (tarball, index) = pack(objects);
    let store = MemoryStore::default();
    let mut files = store.0.lock().unwrap();
    files.insert(layout::contents("b"), tarball.into());
    files.insert(layout::index("b"), index.into());
    drop(files);
    Arc::new(store)
}

/// A valid restore `r` of the backup `b`.
pub(super) fn restore(spec: &Value) -> ValidatedRestore {
    let mut spec: RestoreSpec = serde_json::from_value(spec.clone()).unwrap();
    spec.backup_name = "b".into();
    let mut backup = Backup::new("b", BackupSpec::default());
    backup.spec.storage_location = "default".into();
    let mut location = BackupStorageLocation::default();
    location.metadata.name = Some("default".into());
    location.status.get_or_insert_default().phase = Some(LocationPhase::Available);
    let now = "2026-03-01T12:00:00Z".parse().unwrap();
    validate(
        &Restore::new("r", spec),
        &[backup],
        &[location],
        &Defaults::default(),
        now,
    )
    .unwrap()
}

/// Objects by key, nothing else.
#[derive(Default)]
pub(super) struct MemoryStore(pub(super) Mutex<BTreeMap<String, Bytes>>);

impl MemoryStore {
    fn find(&self, key: &str) -> Result<Bytes, StoreError> {
        let found = self.0.lock().unwrap().get(key).cloned();
        found.ok_or_else(|| StoreError {
            kind: StoreErrorKind::NotFound,
            operation: "read",
            key: key.to_owned(),
            message: "no such object".into(),
        })
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn read(&self, key: &str, _: u64) -> Result<Bytes, StoreError> {
        self.find(key)
    }

    async fn read_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let (start, end) = (
            usize::try_from(range.start).unwrap(),
            usize::try_from(range.end).unwrap(),
        );
        Ok(self.find(key)?.slice(start..end))
    }

    async fn stream(&self, key: &str) -> Result<ByteStream, StoreError> {
        Ok(stream::iter([Ok(self.find(key)?)]).boxed())
    }

    async fn put(&self, key: &str, body: Bytes, _: PutMode) -> Result<(), StoreError> {
        self.0.lock().unwrap().insert(key.to_owned(), body);
        Ok(())
    }

    async fn upload(&self, _: &str, _: PutMode) -> Result<Box<dyn Upload>, StoreError> {
        unreachable!("a restore uploads nothing")
    }

    async fn stat(&self, key: &str) -> Result<Option<StoreEntry>, StoreError> {
        let size = self.find(key).map(|bytes| bytes.len() as u64);
        Ok(size.ok().map(|size| StoreEntry {
            key: key.to_owned(),
            size,
            modified: None,
        }))
    }

    async fn list(&self, _: &str) -> Result<EntryStream, StoreError> {
        unreachable!("a restore lists nothing")
    }

    async fn list_dirs(&self, _: &str) -> Result<Vec<String>, StoreError> {
        unreachable!("a restore lists nothing")
    }

    async fn delete(&self, _: &[String]) -> Result<(), StoreError> {
        unreachable!("a restore deletes nothing")
    }

    async fn sign(&self, _: &str, _: Duration) -> Result<String, StoreError> {
        unreachable!("a restore signs nothing")
    }
}

/// What happens to one create.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// It fails and nothing is made.
    Fails(ClusterErrorKind),
    /// It succeeds, and the answer is lost.
    AnswerLost,
}

/// A cluster in memory: keeps what is created, fails where it is told to.
#[derive(Default)]
pub(super) struct MemoryCluster {
    pub(super) objects: Mutex<BTreeMap<String, Value>>,
    /// Faults of the creates of an object, by its path, first to last.
    pub(super) faults: Mutex<HashMap<String, VecDeque<Fault>>>,
    /// `post PATH`, `patch PATH`, in order.
    pub(super) log: Mutex<Vec<String>>,
    /// How often an object being deleted is still there when it is looked at.
    pub(super) lingering: Mutex<HashMap<String, u32>>,
}

impl MemoryCluster {
    pub(super) fn path(resource: &ApiResource, namespace: Option<&str>, name: &str) -> String {
        format!(
            "{}/{}/{name}",
            resource.group_resource(),
            namespace.unwrap_or("-")
        )
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn put(&self, path: &str, object: Value) {
        self.objects.lock().unwrap().insert(path.to_owned(), object);
    }

    pub(super) fn object(&self, path: &str) -> Option<Value> {
        self.objects.lock().unwrap().get(path).cloned()
    }
}

pub(super) fn error(kind: ClusterErrorKind, message: &str) -> ClusterError {
    ClusterError {
        kind,
        operation: "create".into(),
        message: message.into(),
        retry_after: None,
    }
}

#[async_trait]
impl Cluster for MemoryCluster {
    async fn discover(&self) -> Result<Discovery, ClusterError> {
        Ok(discovery())
    }

    async fn version(&self) -> Result<ServerVersion, ClusterError> {
        Ok(ServerVersion::default())
    }

    async fn revision(&self) -> Result<Revision, ClusterError> {
        Ok(Revision("1".into()))
    }

    async fn list(&self, query: &ListQuery, _: Option<&str>, _: u32) -> Result<Page, ClusterError> {
        let kind = format!("{}/", query.resource.group_resource());
        let objects = self.objects.lock().unwrap();
        let of_kind = objects.iter().filter(|(path, _)| path.starts_with(&kind));
        Ok(Page {
            items: of_kind
                .map(|(_, object)| Object::from_value(object).unwrap())
                .collect(),
            next: None,
            revision: Revision("1".into()),
            remaining: None,
            bytes: 0,
        })
    }

    async fn get(&self, target: Target<'_>) -> Result<Option<Object>, ClusterError> {
        let path = Self::path(target.resource, target.namespace, target.name);
        if let Some(left) = self.lingering.lock().unwrap().get_mut(&path) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.objects.lock().unwrap().remove(&path);
            }
        }
        Ok(self
            .object(&path)
            .map(|object| Object::from_value(&object).unwrap()))
    }

    async fn create(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        body: Bytes,
        _: CreateOptions<'_>,
    ) -> Result<Object, ClusterError> {
        let object: Value = serde_json::from_slice(&body).unwrap();
        let name = object["metadata"]["name"].as_str().unwrap();
        let path = Self::path(resource, namespace, name);
        self.log.lock().unwrap().push(format!("post {path}"));
        let fault = self
            .faults
            .lock()
            .unwrap()
            .get_mut(&path)
            .and_then(VecDeque::pop_front);
        if let Some(Fault::Fails(kind)) = fault {
            return Err(error(kind, "as the test says"));
        }
        if self.object(&path).is_some() {
            return Err(error(ClusterErrorKind::AlreadyExists, "already exists"));
        }
        self.put(&path, object.clone());
        if let Some(Fault::AnswerLost) = fault {
            return Err(error(ClusterErrorKind::Unavailable, "connection reset"));
        }
        Ok(Object::from_value(&object).unwrap())
    }

    async fn patch(&self, target: Target<'_>, _: Patch) -> Result<Object, ClusterError> {
        let path = Self::path(target.resource, target.namespace, target.name);
        self.log.lock().unwrap().push(format!("patch {path}"));
        match self.object(&path) {
            Some(object) => Ok(Object::from_value(&object).unwrap()),
            None => Err(error(ClusterErrorKind::NotFound, "not found")),
        }
    }

    async fn delete(&self, _: Target<'_>) -> Result<bool, ClusterError> {
        unreachable!("a restore deletes nothing")
    }
}

/// A clock whose waits end at once and are remembered.
#[derive(Default)]
pub(super) struct MemoryClock(pub(super) Mutex<Vec<Duration>>);

#[async_trait]
impl Clock for MemoryClock {
    fn now(&self) -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
        tokio::task::yield_now().await;
    }
}

/// A config map with one value.
pub(super) fn config_map(namespace: &str, name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "uid": "u", "resourceVersion": "7"},
        "data": {"k": value},
    })
}
