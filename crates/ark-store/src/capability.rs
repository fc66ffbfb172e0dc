//! What a store can do, found out by trying: many speak S3's protocol, and not all of
//! them to the end.
//!
//! # Flow
//! Below `metadata/ark-probe-…` two small objects are written, read back as a whole and
//! in a range, created a second time, listed and deleted in one call; then one that takes
//! two parts. What cannot be done without is an error; what can be is a [`Lack`], which
//! [`Careful`] works around.
//!
//! # Guarantees
//! What was written is deleted, also when a step fails, unless the store deletes nothing;
//! then there are no large objects among it.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::{PutMode, Store, StoreError, StoreErrorKind};
use bytes::Bytes;
use futures::TryStreamExt as _;

use crate::careful::Careful;
use crate::location::Location;
use crate::open::{OpenError, connect};

const FOLDER: &str = "metadata/";
const BODY: &[u8] = b"Ark tries out what this store can do, and deletes this object.";
const OTHER: &[u8] = b"Written over.";
/// Some bytes in the middle.
const RANGE: std::ops::Range<usize> = 10..20;
/// What is sent at a time of the object with two parts.
const CHUNK: usize = 1 << 20;
/// A slow way to the store says nothing of what it can do.
const UPLOAD: Duration = Duration::from_secs(20);

/// What a store cannot do, and Ark does without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// It writes over what shall only be created.
    ConditionalCreate,
    /// It reads objects as a whole or not at all.
    RangedReads,
    /// It takes no object in parts.
    Multipart {
        /// The store's words.
        reason: String,
        /// Bytes that an object may have therefore.
        most: usize,
    },
    /// It deletes one object a call.
    BatchDeletes,
    /// It deletes nothing; the store's words.
    Deletes(String),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConditionalCreate => f.write_str(
                "it writes over what shall only be created; Ark looks first, so no two servers \
                 may write to it",
            ),
            Self::RangedReads => {
                f.write_str("it does not read ranges; objects are read from their start")
            }
            Self::Multipart { reason, most } => write!(
                f,
                "it takes no uploads in parts ({reason}); objects may have {} MiB",
                most >> 20
            ),
            Self::BatchDeletes => {
                f.write_str("it deletes one object a call; deleting a backup takes longer")
            }
            Self::Deletes(reason) => write!(
                f,
                "it does not let objects be deleted ({reason}); backups that expire stay"
            ),
        }
    }
}

/// A store that was tried out.
#[derive(Clone)]
pub struct Tried {
    /// The store, with ways around what it lacks.
    pub store: Arc<dyn Store>,
    /// What it lacks.
    pub lacks: Vec<Lack>,
}

/// Why a location cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TryError {
    /// It cannot work as it is written.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its store does not do what nobody can do without.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens a location and tries out what its store can do.
///
/// # Errors
/// [`TryError`]
pub async fn open_tried(location: &Location) -> Result<Tried, TryError> {
    let (store, tuning) = connect(location).await?;
    let part = tuning.as_ref().map(|tuning| tuning.part_size);
    let most = tuning.map_or(0, |tuning| tuning.part_size * tuning.parts_in_memory());
    let lacks = try_out(store.as_ref(), part, most).await?;
    let store = if lacks.is_empty() {
        store
    } else {
        Arc::new(Careful::new(store, &lacks))
    };
    Ok(Tried { store, lacks })
}

/// What a store lacks. `part`: from how many bytes on an object is sent in parts, if at
/// all; `most`: how many it may have when that does not work.
pub(crate) async fn try_out(
    store: &dyn Store,
    part: Option<usize>,
    most: usize,
) -> Result<Vec<Lack>, StoreError> {
    // A bucket that is not there is told in the words of every list.
    store.list_dirs("").await?;
    let name = RandomState::new().hash_one(FOLDER);
    let probe = Probe {
        store,
        prefix: format!("{FOLDER}ark-probe-{name:016x}"),
    };
    let mut lacks = Vec::new();
    let read = probe.write_and_read(&mut lacks).await;
    let deleted = probe.delete(&mut lacks).await;
    read?;
    let can_delete = deleted?;
    if let Some(part) = part.filter(|_| can_delete)
        && let Err(reason) = probe.send_parts(part).await?
    {
        lacks.push(Lack::Multipart { reason, most });
    }
    Ok(lacks)
}

struct Probe<'a> {
    store: &'a dyn Store,
    prefix: String,
}

impl Probe<'_> {
    fn key(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    async fn write_and_read(&self, lacks: &mut Vec<Lack>) -> Result<(), StoreError> {
        let keys = [self.key("a"), self.key("b")];
        let body = Bytes::from_static(BODY);
        for key in &keys {
            self.store.put(key, body.clone(), PutMode::Replace).await?;
        }
        let key = &keys[0];
        self.unchanged(key).await?;
        let range = RANGE.start as u64..RANGE.end as u64;
        match self.store.read_range(key, range).await {
            Ok(bytes) if bytes == BODY[RANGE] => {}
            Ok(_) => lacks.push(Lack::RangedReads),
            Err(_) => {
                // It is the range that fails, or everything.
                self.unchanged(key).await?;
                lacks.push(Lack::RangedReads);
            }
        }
        let other = Bytes::from_static(OTHER);
        match self.store.put(key, other, PutMode::Create).await {
            Err(error) if error.kind == StoreErrorKind::AlreadyExists => {
                self.unchanged(key).await?;
            }
            Err(error) if error.is_retryable() => return Err(error),
            _ => lacks.push(Lack::ConditionalCreate),
        }
        let listed = self.list().await?;
        let is_listed = |key: &String| listed.contains(key);
        if !keys.iter().all(is_listed) {
            return Err(self.broken("list", "what was written is not listed"));
        }
        Ok(())
    }

    async fn unchanged(&self, key: &str) -> Result<(), StoreError> {
        let bytes = self.store.read(key, 2 * BODY.len() as u64).await?;
        if bytes == BODY {
            return Ok(());
        }
        Err(self.broken("read", "what is read is not what was written"))
    }

    async fn list(&self) -> Result<Vec<String>, StoreError> {
        let entries = self.store.list(FOLDER).await?;
        let mut keys: Vec<String> = entries.map_ok(|entry| entry.key).try_collect().await?;
        keys.retain(|key| key.starts_with(&self.prefix));
        Ok(keys)
    }

    /// Whether anything can be deleted.
    async fn delete(&self, lacks: &mut Vec<Lack>) -> Result<bool, StoreError> {
        let keys = [self.key("a"), self.key("b")];
        match self.store.delete(&keys).await {
            Ok(()) => return Ok(true),
            Err(error) if error.is_retryable() => return Err(error),
            Err(_) => {}
        }
        for key in keys {
            match self.store.delete(&[key]).await {
                Ok(()) => {}
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => {
                    lacks.push(Lack::Deletes(error.message));
                    return Ok(false);
                }
            }
        }
        lacks.push(Lack::BatchDeletes);
        Ok(true)
    }

    /// Sends an object of two parts; the inner error says why the store does not take it.
    async fn send_parts(&self, part: usize) -> Result<Result<(), String>, StoreError> {
        let key = self.key("parts");
        let sent = tokio::time::timeout(UPLOAD, self.send(&key, part + 1)).await;
        let refused = match sent {
            Ok(Err(error)) if error.is_retryable() => return Err(error),
            Ok(Err(error)) => Some(error.message),
            Ok(Ok(())) => {
                let there = self.store.stat(&key).await?;
                let size = there.map_or(0, |entry| entry.size);
                (size != part as u64 + 1).then(|| format!("{size} of {} bytes arrived", part + 1))
            }
            Err(_) => {
                tracing::debug!(key, "no time to try out an upload in parts");
                None
            }
        };
        self.store.delete(&[key]).await?;
        Ok(refused.map_or(Ok(()), Err))
    }

    async fn send(&self, key: &str, size: usize) -> Result<(), StoreError> {
        let mut upload = self.store.upload(key, PutMode::Replace).await?;
        let zeros = Bytes::from(vec![0; CHUNK.min(size)]);
        let mut left = size;
        while left > 0 {
            let chunk = zeros.slice(..zeros.len().min(left));
            left -= chunk.len();
            upload.write(chunk).await?;
        }
        upload.finish().await
    }

    fn broken(&self, operation: &'static str, message: &str) -> StoreError {
        StoreError {
            kind: StoreErrorKind::Other,
            operation,
            key: self.key("a"),
            message: message.to_owned(),
        }
    }
}
