//! Stores that these tests keep repositories in.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ark_engine::port::{
    ByteStream, EntryStream, PutMode, Store, StoreEntry, StoreError, StoreErrorKind, Upload,
};
use ark_store::{Credentials, Location, open};
use ark_testkit::s3::{Access, S3Server};
use async_trait::async_trait;
use bytes::Bytes;
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::block_in_place;

/// A directory; goes with the first part.
pub(crate) async fn directory() -> (TempDir, Arc<dyn Store>) {
    let dir = tempfile::tempdir().unwrap();
    let store = ark_store::open_url(dir.path().to_str().unwrap())
        .await
        .unwrap();
    (dir, store)
}

/// A new bucket of the real server, and how others reach it.
pub(crate) async fn bucket() -> (String, &'static Access, Arc<dyn Store>) {
    let (name, access) = block_in_place(|| {
        let server = S3Server::shared();
        let name = server.create_unique_bucket("files").unwrap();
        (name, server.access())
    });
    let mut location = Location::new("aws", &name);
    for (key, value) in [
        ("region", access.region.as_str()),
        ("s3Url", access.endpoint.as_str()),
        ("s3ForcePathStyle", "true"),
    ] {
        location.config.insert(key.to_owned(), value.to_owned());
    }
    location.credentials = Credentials::Keys {
        access_key: access.access_key.clone(),
        secret_key: access.secret_key.clone(),
        session_token: None,
    };
    (name, access, open(&location).await.unwrap())
}

/// A store that counts what is written, and dies after so many writes: from then on
/// every call fails, as for a process that is gone.
pub(crate) struct Mortal {
    inner: Arc<dyn Store>,
    writes: AtomicUsize,
    life: usize,
    /// Writes of names with these letters wait.
    held: Mutex<Option<(&'static str, Arc<Notify>)>>,
}

impl Mortal {
    pub(crate) fn new(inner: Arc<dyn Store>, life: usize) -> Arc<Self> {
        Arc::new(Self {
            inner,
            writes: AtomicUsize::new(0),
            life,
            held: Mutex::default(),
        })
    }

    /// One that lives, and counts.
    pub(crate) fn immortal(inner: Arc<dyn Store>) -> Arc<Self> {
        Self::new(inner, usize::MAX)
    }

    /// Objects that were written.
    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst).min(self.life)
    }

    /// Lets writes of names with these letters wait until somebody notifies.
    pub(crate) fn hold(&self, letters: &'static str) -> Arc<Notify> {
        let go = Arc::new(Notify::new());
        *self.held.lock().unwrap() = Some((letters, go.clone()));
        go
    }

    /// Whether such a write has come.
    pub(crate) fn is_held(&self) -> bool {
        self.held.lock().unwrap().is_none()
    }

    async fn pass(&self, key: &str) {
        let hold = {
            let mut held = self.held.lock().unwrap();
            let this = held
                .as_ref()
                .is_some_and(|(letters, _)| key.contains(letters));
            this.then(|| held.take()).flatten()
        };
        if let Some((_, go)) = hold {
            go.notified().await;
        }
    }

    fn write(&self, key: &str) -> Result<(), StoreError> {
        if self.writes.fetch_add(1, Ordering::SeqCst) < self.life {
            return Ok(());
        }
        Err(dead("put", key))
    }

    fn alive(&self, key: &str) -> Result<(), StoreError> {
        if self.writes.load(Ordering::SeqCst) <= self.life {
            return Ok(());
        }
        Err(dead("read", key))
    }
}

fn dead(operation: &'static str, key: &str) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Unavailable,
        operation,
        key: key.to_owned(),
        message: "died".to_owned(),
    }
}

#[async_trait]
impl Store for Mortal {
    async fn read(&self, key: &str, max: u64) -> Result<Bytes, StoreError> {
        self.alive(key)?;
        self.inner.read(key, max).await
    }

    async fn read_range(
        &self,
        key: &str,
        range: std::ops::Range<u64>,
    ) -> Result<Bytes, StoreError> {
        self.alive(key)?;
        self.inner.read_range(key, range).await
    }

    async fn stream(&self, key: &str) -> Result<ByteStream, StoreError> {
        self.alive(key)?;
        self.inner.stream(key).await
    }

    async fn put(&self, key: &str, body: Bytes, mode: PutMode) -> Result<(), StoreError> {
        self.pass(key).await;
        self.write(key)?;
        self.inner.put(key, body, mode).await
    }

    async fn upload(&self, key: &str, mode: PutMode) -> Result<Box<dyn Upload>, StoreError> {
        self.write(key)?;
        self.inner.upload(key, mode).await
    }

    async fn stat(&self, key: &str) -> Result<Option<StoreEntry>, StoreError> {
        self.alive(key)?;
        self.inner.stat(key).await
    }

    async fn list(&self, prefix: &str) -> Result<EntryStream, StoreError> {
        self.alive(prefix)?;
        self.inner.list(prefix).await
    }

    async fn list_dirs(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.inner.list_dirs(prefix).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.write(&keys.join(", "))?;
        self.inner.delete(keys).await
    }

    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, StoreError> {
        self.inner.sign(key, ttl).await
    }
}
