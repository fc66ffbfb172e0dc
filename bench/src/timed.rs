//! The engine's ports with a clock around each call.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ark_engine::object::Object;
use ark_engine::port::{
    ApiResource, ByteStream, Cluster, ClusterError, CreateOptions, Discovery, EntryStream,
    ExecCommand, Execution, ListQuery, Page, Patch, PutMode, Revision, ServerVersion, Store,
    StoreEntry, StoreError, Target, Upload,
};
use async_trait::async_trait;
use bytes::Bytes;

/// Number and total seconds of calls by name.
pub(crate) type Calls = BTreeMap<&'static str, (u64, f64)>;

type Shared = Arc<Mutex<Calls>>;

async fn timed<T>(calls: &Shared, name: &'static str, call: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let result = call.await;
    let seconds = started.elapsed().as_secs_f64();
    let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = calls.entry(name).or_default();
    entry.0 += 1;
    entry.1 += seconds;
    result
}

/// A cluster.
pub(crate) struct TimedCluster<C> {
    inner: C,
    calls: Shared,
}

impl<C> TimedCluster<C> {
    pub(crate) fn new(inner: C, calls: Shared) -> Self {
        Self { inner, calls }
    }
}

#[async_trait]
impl<C: Cluster> Cluster for TimedCluster<C> {
    async fn discover(&self) -> Result<Discovery, ClusterError> {
        timed(&self.calls, "discover", self.inner.discover()).await
    }

    async fn version(&self) -> Result<ServerVersion, ClusterError> {
        timed(&self.calls, "version", self.inner.version()).await
    }

    async fn revision(&self) -> Result<Revision, ClusterError> {
        timed(&self.calls, "revision", self.inner.revision()).await
    }

    async fn list(
        &self,
        query: &ListQuery,
        token: Option<&str>,
        limit: u32,
    ) -> Result<Page, ClusterError> {
        timed(&self.calls, "list", self.inner.list(query, token, limit)).await
    }

    async fn get(&self, target: Target<'_>) -> Result<Option<Object>, ClusterError> {
        timed(&self.calls, "get", self.inner.get(target)).await
    }

    async fn create(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        body: Bytes,
        options: CreateOptions<'_>,
    ) -> Result<Object, ClusterError> {
        let call = self.inner.create(resource, namespace, body, options);
        timed(&self.calls, "create", call).await
    }

    async fn patch(&self, target: Target<'_>, patch: Patch) -> Result<Object, ClusterError> {
        timed(&self.calls, "patch", self.inner.patch(target, patch)).await
    }

    async fn delete(&self, target: Target<'_>) -> Result<bool, ClusterError> {
        timed(&self.calls, "delete", self.inner.delete(target)).await
    }

    async fn exec(&self, command: &ExecCommand<'_>) -> Result<Execution, ClusterError> {
        timed(&self.calls, "exec", self.inner.exec(command)).await
    }
}

/// A store.
pub(crate) struct TimedStore {
    inner: Arc<dyn Store>,
    calls: Shared,
}

impl TimedStore {
    pub(crate) fn new(inner: Arc<dyn Store>, calls: Shared) -> Self {
        Self { inner, calls }
    }
}

#[async_trait]
impl Store for TimedStore {
    async fn read(&self, key: &str, max: u64) -> Result<Bytes, StoreError> {
        timed(&self.calls, "read", self.inner.read(key, max)).await
    }

    async fn read_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        timed(&self.calls, "read range", self.inner.read_range(key, range)).await
    }

    async fn stream(&self, key: &str) -> Result<ByteStream, StoreError> {
        timed(&self.calls, "stream", self.inner.stream(key)).await
    }

    async fn put(&self, key: &str, body: Bytes, mode: PutMode) -> Result<(), StoreError> {
        timed(&self.calls, "put", self.inner.put(key, body, mode)).await
    }

    async fn upload(&self, key: &str, mode: PutMode) -> Result<Box<dyn Upload>, StoreError> {
        let inner = timed(&self.calls, "upload", self.inner.upload(key, mode)).await?;
        Ok(Box::new(TimedUpload {
            inner,
            calls: Arc::clone(&self.calls),
        }))
    }

    async fn stat(&self, key: &str) -> Result<Option<StoreEntry>, StoreError> {
        timed(&self.calls, "stat", self.inner.stat(key)).await
    }

    async fn list(&self, prefix: &str) -> Result<EntryStream, StoreError> {
        timed(&self.calls, "list store", self.inner.list(prefix)).await
    }

    async fn list_dirs(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        timed(&self.calls, "list store", self.inner.list_dirs(prefix)).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        timed(&self.calls, "delete", self.inner.delete(keys)).await
    }

    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, StoreError> {
        self.inner.sign(key, ttl).await
    }
}

struct TimedUpload {
    inner: Box<dyn Upload>,
    calls: Shared,
}

#[async_trait]
impl Upload for TimedUpload {
    async fn write(&mut self, chunk: Bytes) -> Result<(), StoreError> {
        timed(&self.calls, "upload", self.inner.write(chunk)).await
    }

    async fn finish(self: Box<Self>) -> Result<(), StoreError> {
        timed(&self.calls, "upload", self.inner.finish()).await
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        self.inner.abort().await
    }
}
