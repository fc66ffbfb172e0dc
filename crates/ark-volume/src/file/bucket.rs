//! A repository's files as objects of a store.
//!
//! # Flow
//! The library reads and writes from threads of its own and waits for each call; the
//! store is asynchronous. Each call is therefore driven to its end on the runtime that
//! the repository was opened in, from a thread that is none of that runtime's.
//!
//! # Guarantees
//! * No object is ever written over: names are hashes of what is in them, and the one
//!   that is not (`config`) is created or not.
//! * Once cancelled, nothing is written any more.

mod ahead;
mod trees;

use std::fmt;
use std::sync::Arc;

use ark_engine::port::{PutMode, Store, StoreError, StoreErrorKind};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use rustic_core::{BytesList, FileType, Id, ReadBackend, RusticResult, WriteBackend};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use self::ahead::Ahead;
use self::trees::TreePacks;
use super::error::{Stopped, library};

/// The largest file that is read as a whole: an index. They have some 8 MiB.
const LARGEST: u64 = 256 << 20;
/// Files of up to so many bytes are sent in one call.
const SMALL: usize = 1 << 20;

/// A repository's place in a store.
pub(super) struct Bucket {
    store: Arc<dyn Store>,
    /// Ends with `/`.
    prefix: String,
    runtime: Handle,
    cancel: CancellationToken,
    /// The only key that is shown, where one is to be tried.
    key: Option<Id>,
    ahead: Ahead,
    trees: TreePacks,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.prefix).finish()
    }
}

impl Bucket {
    /// Must be called inside a runtime of several threads.
    pub(super) fn new(store: Arc<dyn Store>, prefix: String, cancel: CancellationToken) -> Self {
        Self {
            store,
            prefix,
            runtime: Handle::current(),
            cancel,
            key: None,
            ahead: Ahead::default(),
            trees: TreePacks::default(),
        }
    }

    /// The same place, with this key alone in it.
    pub(super) fn with_key(mut self, key: Id) -> Self {
        self.key = Some(key);
        self
    }

    /// Reads `range` of a pack at once, so that the chunks in it are at hand while the
    /// answer lives.
    pub(super) fn read_ahead(
        &self,
        pack: Id,
        range: std::ops::Range<u32>,
    ) -> RusticResult<ahead::Window<'_>> {
        let bytes = self.range(FileType::Pack, &pack, range.start, range.end - range.start)?;
        Ok(self.ahead.keep(pack, range.start, bytes))
    }

    fn name(&self, kind: FileType, id: &Id) -> String {
        let (prefix, folder) = (&self.prefix, kind.dirname());
        let id = id.to_hex();
        match kind {
            FileType::Config => format!("{prefix}config"),
            FileType::Pack => format!("{prefix}{folder}/{}/{}", &id[..2], &*id),
            _ => format!("{prefix}{folder}/{}", &*id),
        }
    }

    /// Waits for a call, unless told to stop.
    fn wait<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> RusticResult<T> {
        let result = self
            .runtime
            .block_on(self.cancel.run_until_cancelled(call))
            .ok_or_else(|| library(Stopped))?;
        result.map_err(library)
    }

    fn range(&self, kind: FileType, id: &Id, offset: u32, length: u32) -> RusticResult<Bytes> {
        let (name, start) = (self.name(kind, id), u64::from(offset));
        self.wait(
            self.store
                .read_range(&name, start..start + u64::from(length)),
        )
    }

    async fn send(&self, name: &str, parts: Vec<Bytes>) -> Result<(), StoreError> {
        if parts.iter().map(Bytes::len).sum::<usize>() <= SMALL {
            let body = parts.concat().into();
            return self.store.put(name, body, PutMode::Create).await;
        }
        let mut upload = self.store.upload(name, PutMode::Create).await?;
        for part in parts {
            upload.write(part).await?;
        }
        upload.finish().await
    }

    async fn entries(&self, folder: &str) -> Result<Vec<(Id, u32)>, StoreError> {
        let entries = self.store.list(folder).await?;
        let ours = entries.try_filter_map(async |entry| {
            let name = entry.key.rsplit('/').next().unwrap_or_default();
            let size = u32::try_from(entry.size).ok();
            // What others put there is nothing to us.
            Ok(name.parse::<Id>().ok().zip(size))
        });
        ours.boxed().try_collect().await
    }
}

impl ReadBackend for Bucket {
    fn location(&self) -> String {
        self.prefix.clone()
    }

    fn list_with_size(&self, kind: FileType) -> RusticResult<Vec<(Id, u32)>> {
        if kind == FileType::Config {
            let name = self.name(kind, &Id::default());
            let found = self.wait(self.store.stat(&name))?;
            let size = found.map(|entry| u32::try_from(entry.size).unwrap_or(u32::MAX));
            return Ok(size.map(|size| (Id::default(), size)).into_iter().collect());
        }
        let folder = format!("{}{}/", self.prefix, kind.dirname());
        let mut entries = self.wait(self.entries(&folder))?;
        if let (FileType::Key, Some(key)) = (kind, self.key) {
            entries.retain(|(id, _)| *id == key);
        }
        Ok(entries)
    }

    fn read_full(&self, kind: FileType, id: &Id) -> RusticResult<Bytes> {
        let name = self.name(kind, id);
        self.wait(self.store.read(&name, LARGEST))
    }

    fn read_partial(
        &self,
        kind: FileType,
        id: &Id,
        is_tree: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<Bytes> {
        if kind != FileType::Pack {
            return self.range(kind, id, offset, length);
        }
        if let Some(bytes) = self.ahead.find(id, offset, length) {
            return Ok(bytes);
        }
        if !is_tree {
            return self.range(kind, id, offset, length);
        }
        let whole = || {
            let name = self.name(kind, id);
            let found = self.wait(self.store.stat(&name))?;
            match found {
                Some(entry) if entry.size <= trees::LARGEST_PACK => {
                    self.wait(self.store.read(&name, entry.size)).map(Some)
                }
                _ => Ok(None),
            }
        };
        match self.trees.find(id, offset, length, whole)? {
            Some(bytes) => Ok(bytes),
            None => self.range(kind, id, offset, length),
        }
    }

    fn warmup_path(&self, kind: FileType, id: &Id) -> String {
        self.name(kind, id)
    }
}

impl WriteBackend for Bucket {
    fn write_bytes(
        &self,
        kind: FileType,
        id: &Id,
        _: bool,
        content: BytesList,
    ) -> RusticResult<()> {
        let name = self.name(kind, id);
        match self.wait_to_write(self.send(&name, content.into_vec())) {
            // The name is a hash of the content: it is there already.
            Err(error)
                if error.kind == StoreErrorKind::AlreadyExists && kind != FileType::Config =>
            {
                Ok(())
            }
            Err(error) => Err(library(error)),
            Ok(written) => written.ok_or_else(|| library(Stopped)),
        }
    }

    fn remove(&self, kind: FileType, id: &Id, _: bool) -> RusticResult<()> {
        let name = self.name(kind, id);
        self.wait(self.store.delete(&[name]))
    }
}

impl Bucket {
    /// Like [`wait`](Self::wait), with the store's error to look at; `None`: stopped.
    fn wait_to_write(
        &self,
        call: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<Option<()>, StoreError> {
        let stopped = self.cancel.run_until_cancelled(call);
        self.runtime.block_on(stopped).transpose()
    }
}
