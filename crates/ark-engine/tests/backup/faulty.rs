//! A real cluster and a real store that fail where a test says so.
//!
//! The failures themselves (a revision compacted between two pages, a disk that
//! is full at the last file) cannot be brought about at a chosen moment.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ark_engine::object::Object;
use ark_engine::port::{
    ApiResource, ByteStream, Cluster, ClusterError, ClusterErrorKind, CreateOptions, Discovery,
    EntryStream, ExecCommand, Execution, ListQuery, Page, Patch, PutMode, Revision, ServerVersion,
    Store, StoreEntry, StoreError, StoreErrorKind, Target, Upload,
};
use async_trait::async_trait;
use bytes::Bytes;

/// Answers lists of one kind with an error, as often as told.
pub(crate) struct FaultyCluster {
    pub(crate) inner: Arc<dyn Cluster>,
    pub(crate) plural: &'static str,
    pub(crate) kind: ClusterErrorKind,
    pub(crate) times: AtomicUsize,
}

#[async_trait]
impl Cluster for FaultyCluster {
    async fn list(
        &self,
        query: &ListQuery,
        token: Option<&str>,
        limit: u32,
    ) -> Result<Page, ClusterError> {
        let hit = query.resource.plural == self.plural && query.at.is_some();
        let left = |n: usize| n.checked_sub(1);
        if hit
            && self
                .times
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)
                .is_ok()
        {
            return Err(ClusterError {
                kind: self.kind,
                operation: format!("list {}", self.plural),
                message: "as the test says".into(),
                retry_after: None,
            });
        }
        self.inner.list(query, token, limit).await
    }

    async fn discover(&self) -> Result<Discovery, ClusterError> {
        self.inner.discover().await
    }

    async fn version(&self) -> Result<ServerVersion, ClusterError> {
        self.inner.version().await
    }

    async fn revision(&self) -> Result<Revision, ClusterError> {
        self.inner.revision().await
    }

    async fn get(&self, target: Target<'_>) -> Result<Option<Object>, ClusterError> {
        self.inner.get(target).await
    }

    async fn create(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        body: Bytes,
        options: CreateOptions<'_>,
    ) -> Result<Object, ClusterError> {
        self.inner.create(resource, namespace, body, options).await
    }

    async fn patch(&self, target: Target<'_>, patch: Patch) -> Result<Object, ClusterError> {
        self.inner.patch(target, patch).await
    }

    async fn delete(&self, target: Target<'_>) -> Result<bool, ClusterError> {
        self.inner.delete(target).await
    }

    async fn exec(&self, command: &ExecCommand<'_>) -> Result<Execution, ClusterError> {
        self.inner.exec(command).await
    }
}

/// Refuses to write keys that end in `suffix`.
pub(crate) struct FaultyStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) suffix: &'static str,
}

impl FaultyStore {
    fn check(&self, key: &str) -> Result<(), StoreError> {
        if !key.ends_with(self.suffix) {
            return Ok(());
        }
        Err(StoreError {
            kind: StoreErrorKind::Unavailable,
            operation: "put",
            key: key.to_owned(),
            message: "no space left".into(),
        })
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn put(&self, key: &str, body: Bytes, mode: PutMode) -> Result<(), StoreError> {
        self.check(key)?;
        self.inner.put(key, body, mode).await
    }

    async fn upload(&self, key: &str, mode: PutMode) -> Result<Box<dyn Upload>, StoreError> {
        self.check(key)?;
        self.inner.upload(key, mode).await
    }

    async fn read(&self, key: &str, max: u64) -> Result<Bytes, StoreError> {
        self.inner.read(key, max).await
    }

    async fn read_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.inner.read_range(key, range).await
    }

    async fn stream(&self, key: &str) -> Result<ByteStream, StoreError> {
        self.inner.stream(key).await
    }

    async fn stat(&self, key: &str) -> Result<Option<StoreEntry>, StoreError> {
        self.inner.stat(key).await
    }

    async fn list(&self, prefix: &str) -> Result<EntryStream, StoreError> {
        self.inner.list(prefix).await
    }

    async fn list_dirs(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.inner.list_dirs(prefix).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.inner.delete(keys).await
    }

    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, StoreError> {
        self.inner.sign(key, ttl).await
    }
}
