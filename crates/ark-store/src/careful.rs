//! Ways around what a store lacks.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::{
    ByteStream, EntryStream, PutMode, Store, StoreEntry, StoreError, StoreErrorKind, Upload,
};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;

use crate::capability::Lack;
use crate::remote::{deleted, truncated};

/// A store of which more is asked than it can do.
#[derive(Clone)]
pub(crate) struct Careful {
    inner: Arc<dyn Store>,
    /// Look before creating.
    looks: bool,
    /// Read from the start.
    whole_reads: bool,
    /// Bytes of an object that is sent in one piece.
    most: Option<usize>,
    /// Delete one by one.
    single_deletes: bool,
}

impl Careful {
    pub(crate) fn new(inner: Arc<dyn Store>, lacks: &[Lack]) -> Self {
        let most = lacks.iter().find_map(|lack| match lack {
            Lack::Multipart { most, .. } => Some(*most),
            _ => None,
        });
        Self {
            inner,
            looks: lacks.contains(&Lack::ConditionalCreate),
            whole_reads: lacks.contains(&Lack::RangedReads),
            most,
            single_deletes: lacks.contains(&Lack::BatchDeletes),
        }
    }

    /// How the store is asked to write, after a look where it does not look itself.
    async fn mode(
        &self,
        (operation, key): (&'static str, &str),
        mode: PutMode,
    ) -> Result<PutMode, StoreError> {
        if mode == PutMode::Replace || !self.looks {
            return Ok(mode);
        }
        match self.inner.stat(key).await? {
            None => Ok(PutMode::Replace),
            Some(_) => Err(StoreError {
                kind: StoreErrorKind::AlreadyExists,
                operation,
                key: key.to_owned(),
                message: "the object exists".to_owned(),
            }),
        }
    }
}

#[async_trait]
impl Store for Careful {
    async fn read(&self, key: &str, max: u64) -> Result<Bytes, StoreError> {
        self.inner.read(key, max).await
    }

    async fn read_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        if !self.whole_reads {
            return self.inner.read_range(key, range).await;
        }
        let mut stream = self.inner.stream(key).await?;
        let wanted = range.end.saturating_sub(range.start);
        let mut found = BytesMut::new();
        let mut position = 0;
        while position < range.end
            && let Some(chunk) = stream.try_next().await?
        {
            let end = position + chunk.len() as u64;
            let within = |at: u64| {
                let at = at.clamp(position, end) - position;
                usize::try_from(at).unwrap_or(chunk.len())
            };
            found.extend_from_slice(&chunk[within(range.start)..within(range.end)]);
            position = end;
        }
        let there = found.len() as u64;
        if there < wanted {
            return Err(truncated("read_range", key, there, wanted));
        }
        Ok(found.freeze())
    }

    async fn stream(&self, key: &str) -> Result<ByteStream, StoreError> {
        self.inner.stream(key).await
    }

    async fn put(&self, key: &str, body: Bytes, mode: PutMode) -> Result<(), StoreError> {
        let mode = self.mode(("put", key), mode).await?;
        self.inner.put(key, body, mode).await
    }

    async fn upload(&self, key: &str, mode: PutMode) -> Result<Box<dyn Upload>, StoreError> {
        if self.most.is_none() && (mode == PutMode::Replace || !self.looks) {
            return self.inner.upload(key, mode).await;
        }
        let sent = match self.most {
            Some(most) => Sent::AtOnce(BytesMut::new(), most),
            None => Sent::InParts(self.inner.upload(key, PutMode::Replace).await?),
        };
        Ok(Box::new(CarefulUpload {
            store: self.clone(),
            key: key.to_owned(),
            mode,
            sent,
        }))
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
        if !self.single_deletes {
            return self.inner.delete(keys).await;
        }
        let calls: Vec<_> = keys.chunks(1).map(|one| self.inner.delete(one)).collect();
        deleted(calls.into_iter()).await
    }

    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, StoreError> {
        self.inner.sign(key, ttl).await
    }
}

/// An object that is being written.
struct CarefulUpload {
    store: Careful,
    key: String,
    mode: PutMode,
    sent: Sent,
}

enum Sent {
    InParts(Box<dyn Upload>),
    /// When it is whole; up to so many bytes.
    AtOnce(BytesMut, usize),
}

#[async_trait]
impl Upload for CarefulUpload {
    async fn write(&mut self, chunk: Bytes) -> Result<(), StoreError> {
        match &mut self.sent {
            Sent::InParts(upload) => upload.write(chunk).await,
            Sent::AtOnce(body, most) if body.len() + chunk.len() <= *most => {
                body.extend_from_slice(&chunk);
                Ok(())
            }
            Sent::AtOnce(_, most) => Err(StoreError {
                kind: StoreErrorKind::Unsupported,
                operation: "upload",
                key: self.key.clone(),
                message: format!(
                    "the store takes no uploads in parts, and the object has more than {} MiB; \
                     use another store",
                    *most >> 20
                ),
            }),
        }
    }

    async fn finish(self: Box<Self>) -> Result<(), StoreError> {
        let Self {
            store,
            key,
            mode,
            sent,
        } = *self;
        match sent {
            Sent::AtOnce(body, _) => store.put(&key, body.freeze(), mode).await,
            Sent::InParts(upload) => match store.mode(("upload", &key), mode).await {
                Ok(_) => upload.finish().await,
                Err(error) => {
                    upload.abort().await?;
                    Err(error)
                }
            },
        }
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        match self.sent {
            Sent::InParts(upload) => upload.abort().await,
            Sent::AtOnce(..) => Ok(()),
        }
    }
}
