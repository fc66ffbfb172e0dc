//! Reading a backup: what it holds, and the bytes of single objects.
//!
//! With an index, objects are read by ranges: a gzip member at a time, unpacked
//! once for all the objects in it, the last few kept. Without a usable one, the
//! archive is unpacked to disk in one pass. Either way every object is checked
//! against its SHA-256 before it is handed out, and `Archive::verify` does that
//! for all that a restore needs before it changes anything.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ark_archive::index::{self, IndexError};
use ark_archive::spool::SpoolError;
use ark_archive::{Catalog, Entry, Index, ItemKey, Limits, Spool, layout};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::io::{StreamReader, SyncIoBridge};

use crate::port::{Store, StoreError, StoreErrorKind};

/// Largest index that is read, as it is stored.
const MAX_INDEX: u64 = 1 << 30;
/// Unpacked members that are kept, in bytes.
const CACHE_BYTES: usize = 8 << 20;

/// Members that are verified at the same time.
const VERIFY_MEMBERS: usize = 4;

/// A backup that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive is not as long as its index says.
    #[error("`{key}` is damaged: it has {found} bytes and must have {expected}")]
    Length {
        /// Its key.
        key: String,
        /// What the store has.
        found: u64,
        /// What the index says.
        expected: u64,
    },
    /// An object cannot be got out of the archive.
    #[error("`{key}` is damaged")]
    Damaged {
        /// The archive's key.
        key: String,
        /// Where it breaks.
        #[source]
        source: IndexError,
    },
    /// The archive cannot be unpacked to disk.
    #[error("`{key}` cannot be unpacked")]
    Spool {
        /// The archive's key.
        key: String,
        /// Where it breaks.
        #[source]
        source: Box<SpoolError>,
    },
    /// An object is asked for that the archive does not hold.
    #[error("`{archive}` does not hold {item}")]
    Absent {
        /// The archive's key.
        archive: String,
        /// The object.
        item: Box<ItemKey>,
    },
    /// A thread that reads was stopped.
    #[error("reading the archive was interrupted")]
    Interrupted,
}

impl LoadError {
    /// Whether trying again may help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Spool { source, .. } => source.is_retryable(),
            Self::Interrupted => true,
            _ => false,
        }
    }
}

/// A backup's archive, open for reading.
pub struct Archive {
    key: String,
    source: Source,
    /// Whether and why the index was passed over, for the log.
    pub(crate) remark: Option<String>,
}

enum Source {
    Indexed {
        store: Arc<dyn Store>,
        index: Index,
        cache: Mutex<Cache>,
    },
    Spooled(Arc<Spool>),
}

impl Archive {
    /// Opens the archive of `backup`; unpacks it into `dir` where it has no
    /// index that can be used.
    ///
    /// # Errors
    /// [`LoadError`]: the store refuses, or the archive is damaged.
    pub async fn open(
        store: Arc<dyn Store>,
        backup: &str,
        dir: PathBuf,
    ) -> Result<Self, LoadError> {
        let key = layout::contents(backup);
        let (index, remark) = match store.read(&layout::index(backup), MAX_INDEX).await {
            Ok(bytes) => match decode(bytes).await? {
                Ok(index) => (Some(index), None),
                Err(error) => (None, Some(format!("passing over the index: {error}"))),
            },
            Err(error) if error.kind == StoreErrorKind::NotFound => (
                None,
                Some("the backup has no index: unpacking all of it".to_owned()),
            ),
            Err(error) if error.kind == StoreErrorKind::TooLarge => {
                (None, Some(format!("passing over the index: {error}")))
            }
            Err(error) => return Err(error.into()),
        };
        let source = match index {
            Some(index) => {
                check_length(store.as_ref(), &key, index.archive_len()).await?;
                Source::Indexed {
                    store,
                    index,
                    cache: Mutex::default(),
                }
            }
            None => Source::Spooled(Arc::new(spool(store, &key, dir).await?)),
        };
        Ok(Self {
            key,
            source,
            remark,
        })
    }

    /// Unpacks an archive, called `key` in messages, into `dir`.
    ///
    /// # Errors
    /// [`LoadError::Spool`].
    pub fn unpack(key: &str, archive: impl io::Read, dir: &Path) -> Result<Self, LoadError> {
        match Spool::build(archive, dir, &Limits::default()) {
            Ok(spool) => Ok(Self {
                key: key.to_owned(),
                source: Source::Spooled(Arc::new(spool)),
                remark: None,
            }),
            Err(source) => Err(spoiled(key, source)),
        }
    }

    /// What the archive holds.
    pub fn catalog(&self) -> &Catalog {
        match &self.source {
            Source::Indexed { index, .. } => index.catalog(),
            Source::Spooled(spool) => spool.catalog(),
        }
    }

    /// The JSON of an object in the version that its cluster preferred.
    ///
    /// # Errors
    /// [`LoadError::Absent`] when the archive does not hold it, else as
    /// [`open`](Self::open).
    pub async fn read(&self, key: &ItemKey) -> Result<Bytes, LoadError> {
        let entry = self.catalog().find(key).ok_or_else(|| LoadError::Absent {
            archive: self.key.clone(),
            item: Box::new(key.clone()),
        })?;
        self.read_entry(&entry).await
    }

    /// The JSON of one copy of an object.
    pub(crate) async fn read_entry(&self, entry: &Entry<'_>) -> Result<Bytes, LoadError> {
        match &self.source {
            Source::Indexed { .. } => {
                let raw = self.member(entry.member).await?;
                let json = entry.json(&raw).map_err(|source| self.damaged(source))?;
                Ok(raw.slice_ref(json))
            }
            Source::Spooled(spool) => match spool.read(entry) {
                Ok(json) => Ok(Bytes::from(json)),
                Err(source) => Err(spoiled(&self.key, source)),
            },
        }
    }

    /// Checks every object of `keys`. A spooled archive was checked when it was
    /// unpacked.
    pub(crate) async fn verify(
        &self,
        keys: impl Iterator<Item = ItemKey>,
    ) -> Result<(), LoadError> {
        let Source::Indexed { index, .. } = &self.source else {
            return Ok(());
        };
        let mut members: BTreeMap<u32, Vec<Entry<'_>>> = BTreeMap::new();
        for key in keys {
            if let Some(entry) = index.find(&key) {
                members.entry(entry.member).or_default().push(entry);
            }
        }
        // Collected, so that the future holds no closure over borrowed arguments:
        // with one it could not be shown to be `Send`.
        let checks: Vec<_> = members
            .into_iter()
            .map(|(member, entries)| async move {
                let raw = self.member(member).await?;
                for entry in entries {
                    entry.json(&raw).map_err(|source| self.damaged(source))?;
                }
                Ok(())
            })
            .collect();
        stream::iter(checks)
            .buffer_unordered(VERIFY_MEMBERS)
            .try_collect()
            .await
    }

    fn damaged(&self, source: IndexError) -> LoadError {
        LoadError::Damaged {
            key: self.key.clone(),
            source,
        }
    }

    /// A gzip member, unpacked.
    async fn member(&self, number: u32) -> Result<Bytes, LoadError> {
        let Source::Indexed {
            store,
            index,
            cache,
        } = &self.source
        else {
            return Err(LoadError::Interrupted);
        };
        if let Some(raw) = lock(cache).get(number) {
            return Ok(raw);
        }
        // Decoding the index has checked that every entry's member exists.
        let (range, raw_len) = index
            .member_range(number)
            .zip(index.member_raw_len(number))
            .ok_or(LoadError::Interrupted)?;
        let compressed = store.read_range(&self.key, range).await?;
        let raw = tokio::task::spawn_blocking(move || index::unpack_member(&compressed, raw_len))
            .await
            .map_err(|_| LoadError::Interrupted)?
            .map_err(|source| self.damaged(source))?;
        let raw = Bytes::from(raw);
        lock(cache).put(number, raw.clone());
        Ok(raw)
    }
}

fn lock(cache: &Mutex<Cache>) -> std::sync::MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn decode(bytes: Bytes) -> Result<Result<Index, IndexError>, LoadError> {
    tokio::task::spawn_blocking(move || Index::decode(&bytes, &Limits::default()))
        .await
        .map_err(|_| LoadError::Interrupted)
}

async fn check_length(store: &dyn Store, key: &str, expected: u64) -> Result<(), LoadError> {
    let found = store.stat(key).await?.ok_or_else(|| StoreError {
        kind: StoreErrorKind::NotFound,
        operation: "stat",
        key: key.to_owned(),
        message: "the backup has no archive".to_owned(),
    })?;
    if found.size == expected {
        Ok(())
    } else {
        Err(LoadError::Length {
            key: key.to_owned(),
            found: found.size,
            expected,
        })
    }
}

async fn spool(store: Arc<dyn Store>, key: &str, dir: PathBuf) -> Result<Spool, LoadError> {
    let stream = store.stream(key).await?.map_err(io::Error::other);
    let reader = SyncIoBridge::new(StreamReader::new(stream));
    let result =
        tokio::task::spawn_blocking(move || Spool::build(reader, &dir, &Limits::default()))
            .await
            .map_err(|_| LoadError::Interrupted)?;
    result.map_err(|source| spoiled(key, source))
}

fn spoiled(key: &str, source: SpoolError) -> LoadError {
    LoadError::Spool {
        key: key.to_owned(),
        source: Box::new(source),
    }
}

/// The members used last, up to [`CACHE_BYTES`].
#[derive(Default)]
struct Cache {
    members: VecDeque<(u32, Bytes)>,
    bytes: usize,
}

impl Cache {
    fn get(&mut self, number: u32) -> Option<Bytes> {
        let at = self
            .members
            .iter()
            .position(|(member, _)| *member == number)?;
        let hit = self.members.remove(at)?;
        let raw = hit.1.clone();
        self.members.push_back(hit);
        Some(raw)
    }

    fn put(&mut self, number: u32, raw: Bytes) {
        self.bytes += raw.len();
        self.members.push_back((number, raw));
        while self.bytes > CACHE_BYTES && self.members.len() > 1 {
            if let Some((_, raw)) = self.members.pop_front() {
                self.bytes -= raw.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_keeps_what_was_used_last_within_its_bound() {
        let mut cache = Cache::default();
        let third = Bytes::from(vec![0; CACHE_BYTES / 3 + 1]);
        cache.put(1, third.clone());
        cache.put(2, third.clone());
        assert!(cache.get(1).is_some());
        cache.put(3, third);
        assert!(cache.get(2).is_none(), "2 was used longest ago");
        assert!(cache.get(1).is_some() && cache.get(3).is_some());
        assert!(cache.bytes <= CACHE_BYTES);
        cache.put(4, Bytes::from(vec![0; 2 * CACHE_BYTES]));
        assert!(
            cache.get(4).is_some(),
            "one member may be larger than the bound"
        );
        assert_eq!(cache.members.len(), 1);
    }
}
