//! The trait over a remote bucket, through the client's operator.
//!
//! Knows no protocol: what is special about one is in its module, as [`crate::s3`].

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::{
    ByteStream, EntryStream, PutMode, Store, StoreEntry, StoreError, StoreErrorKind, Upload,
};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use opendal::options::{ListOptions, ReaderOptions};
use opendal::{Buffer, BufferStream, Entry, Error, ErrorKind, Metadata, Operator};

use crate::classify::classify;
use crate::key;
use crate::mark::{Mark, settle};
use crate::missing::{bucket_error, unlisted};
use crate::signing::UrlSigner;
use crate::tuning::Tuning;
use crate::upload::{PartedUpload, Write};

/// Calls to delete at the same time.
const DELETES_IN_FLIGHT: usize = 8;

/// How often an object that is replaced while it is read is read anew.
const REPLACED: usize = 3;

/// A bucket below a prefix.
pub(crate) struct Remote {
    /// For all calls.
    pub(crate) client: Operator,
    /// For signed URLs, which may name another host; or why there are none.
    pub(crate) signer: Result<Arc<dyn UrlSigner>, String>,
    pub(crate) tuning: Tuning,
    pub(crate) uploads: Uploads,
    /// Keys in one call to delete.
    pub(crate) delete_limit: usize,
}

/// How objects of unknown length are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uploads {
    /// In parts that are put together at the end.
    Parts,
    /// Under a condition on the version that is there, which makes the client of
    /// Google's store use sessions that can be resumed.
    Session,
}

/// The longest that a signed URL is good for, as Signature Version 4 bounds it.
const LONGEST_SIGNED: Duration = Duration::from_hours(7 * 24);

impl Remote {
    async fn look(
        &self,
        operation: &'static str,
        key: &str,
    ) -> Result<Option<Metadata>, StoreError> {
        match self.client.stat(key).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                match bucket_error(&self.client, operation, key).await {
                    Some(missing) => Err(missing),
                    None => Ok(None),
                }
            }
            Err(error) => Err(classify(operation, key, &error)),
        }
    }

    async fn existing(&self, operation: &'static str, key: &str) -> Result<Metadata, StoreError> {
        self.look(operation, key).await?.ok_or_else(|| StoreError {
            kind: StoreErrorKind::NotFound,
            operation,
            key: key.to_owned(),
            message: "no such object".to_owned(),
        })
    }

    /// A stream of a range, of the very object with this tag, also when the client
    /// resumes after a broken connection.
    async fn open(
        &self,
        key: &str,
        range: Range<u64>,
        tag: Option<&str>,
    ) -> Result<BufferStream, Error> {
        let options = ReaderOptions {
            if_match: tag.map(str::to_owned),
            ..ReaderOptions::default()
        };
        let reader = self.client.reader_options(key, options).await?;
        reader.into_stream(range).await
    }

    async fn delete_batch(&self, batch: Vec<String>) -> Result<(), StoreError> {
        let first = batch.first().cloned().unwrap_or_default();
        let done = self.client.delete_iter(batch).await;
        done.map_err(|error| classify("delete", &first, &error))
    }

    async fn fetch(&self, key: &str, range: Range<u64>, tag: Option<&str>) -> Result<Bytes, Error> {
        collect(self.open(key, range, tag).await?).await
    }
}

/// Makes calls to delete, several at a time.
pub(crate) async fn deleted<F>(calls: impl Iterator<Item = F>) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>>,
{
    stream::iter(calls)
        .buffer_unordered(DELETES_IN_FLIGHT)
        .try_collect()
        .await
}

async fn collect(mut body: BufferStream) -> Result<Bytes, Error> {
    let mut bytes = BytesMut::new();
    while let Some(buffer) = body.try_next().await? {
        for chunk in buffer {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok(bytes.freeze())
}

#[async_trait]
impl Store for Remote {
    async fn read(&self, key: &str, max: u64) -> Result<Bytes, StoreError> {
        key::checked("read", key)?;
        let mut attempt = 1;
        loop {
            let object = self.existing("read", key).await?;
            let size = object.content_length();
            if size > max {
                return Err(too_large(key, size, max));
            }
            if size == 0 {
                return Ok(Bytes::new());
            }
            match self.fetch(key, 0..size, object.etag()).await {
                Ok(bytes) => return whole("read", key, bytes, size),
                Err(error)
                    if error.kind() == ErrorKind::ConditionNotMatch && attempt < REPLACED =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(replaced(classify("read", key, &error))),
            }
        }
    }

    async fn read_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        key::checked("read_range", key)?;
        let wanted = range.end.saturating_sub(range.start);
        if wanted == 0 {
            return Ok(Bytes::new());
        }
        let fail = |error: Error| classify("read_range", key, &error);
        let mut body = self.open(key, range.clone(), None).await.map_err(fail)?;
        // A short answer would be taken for a broken one, and asked for again.
        let size = body.metadata().await.map_err(fail)?.content_length();
        if size < range.end {
            let there = size.saturating_sub(range.start);
            return Err(truncated("read_range", key, there, wanted));
        }
        let bytes = collect(body).await.map_err(fail)?;
        whole("read_range", key, bytes, wanted)
    }

    async fn stream(&self, key: &str) -> Result<ByteStream, StoreError> {
        key::checked("stream", key)?;
        let object = self.existing("stream", key).await?;
        let size = object.content_length();
        if size == 0 {
            return Ok(stream::empty().boxed());
        }
        let open = self.open(key, 0..size, object.etag()).await;
        let body = open.map_err(|error| replaced(classify("stream", key, &error)))?;
        Ok(counted(key.to_owned(), size, body))
    }

    async fn put(&self, key: &str, body: Bytes, mode: PutMode) -> Result<(), StoreError> {
        key::checked("put", key)?;
        let mark = Mark::new();
        match self
            .client
            .write_options(key, body, mark.options(mode))
            .await
        {
            Ok(_) => Ok(()),
            Err(error) => settle(&self.client, ("put", key), (&mark, mode), error).await,
        }
    }

    async fn upload(&self, key: &str, mode: PutMode) -> Result<Box<dyn Upload>, StoreError> {
        key::checked("upload", key)?;
        let replaces = match (self.uploads, mode) {
            (Uploads::Session, PutMode::Replace) => Some(self.look("upload", key).await?),
            _ => None,
        };
        let mark = Mark::new();
        let mut options = mark.options(mode);
        if let Some(there) = replaces {
            options.if_not_exists = there.is_none();
            options.if_version_match = there.and_then(|there| there.version().map(str::to_owned));
        }
        let write = Write {
            mark,
            mode,
            options,
        };
        let upload = PartedUpload::start(&self.client, key, write, &self.tuning).await?;
        Ok(Box::new(upload))
    }

    async fn stat(&self, key: &str) -> Result<Option<StoreEntry>, StoreError> {
        key::checked("stat", key)?;
        let object = self.look("stat", key).await?;
        Ok(object.map(|object| entry(key.to_owned(), &object)))
    }

    async fn list(&self, prefix: &str) -> Result<EntryStream, StoreError> {
        key::checked_prefix("list", prefix)?;
        let options = ListOptions {
            recursive: true,
            ..ListOptions::default()
        };
        let path = if prefix.is_empty() { "/" } else { prefix };
        let prefix = prefix.to_owned();
        let entries = self
            .client
            .lister_options(path, options)
            .await
            .map_err(|error| unlisted(classify("list", &prefix, &error)))?;
        let entries = entries.filter_map(move |found| {
            let found = match found {
                Ok(found) => object_below(&prefix, &found).map(Ok),
                Err(error) => Some(Err(unlisted(classify("list", &prefix, &error)))),
            };
            std::future::ready(found)
        });
        Ok(entries.boxed())
    }

    async fn list_dirs(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        key::checked_prefix("list_dirs", prefix)?;
        let mut folder = prefix.to_owned();
        if !folder.ends_with('/') {
            folder.push('/');
        }
        let fail = |error: Error| unlisted(classify("list_dirs", prefix, &error));
        let options = ListOptions::default();
        let mut entries = self
            .client
            .lister_options(&folder, options)
            .await
            .map_err(fail)?;
        let mut names = Vec::new();
        while let Some(found) = entries.try_next().await.map_err(fail)? {
            let Some(name) = found.path().strip_suffix('/') else {
                continue;
            };
            let name = name.rsplit('/').next().unwrap_or(name);
            // Some servers list the folder itself.
            if !name.is_empty() && found.path() != folder {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        for key in keys {
            key::checked("delete", key)?;
        }
        let batches = keys.chunks(self.delete_limit).map(<[String]>::to_vec);
        deleted(batches.map(|batch| self.delete_batch(batch))).await
    }

    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, StoreError> {
        key::checked("sign", key)?;
        let unsupported = |message: String| StoreError {
            kind: StoreErrorKind::Unsupported,
            operation: "sign",
            key: key.to_owned(),
            message,
        };
        if ttl > LONGEST_SIGNED {
            return Err(unsupported(
                "a signed URL is good for 7 days at most".to_owned(),
            ));
        }
        let signer = self
            .signer
            .as_ref()
            .map_err(|reason| unsupported(reason.clone()))?;
        let url = signer.sign(key, ttl).await;
        url.map_err(|error| classify("sign", key, &error))
    }
}

fn entry(key: String, object: &Metadata) -> StoreEntry {
    StoreEntry {
        key,
        size: object.content_length(),
        modified: object.last_modified().map(Into::into),
    }
}

/// An entry of a listing as an object; folders, which some servers list, are none.
fn object_below(prefix: &str, found: &Entry) -> Option<StoreEntry> {
    let key = found.path();
    let is_object = !key.ends_with('/') && key.starts_with(prefix);
    is_object.then(|| entry(key.to_owned(), found.metadata()))
}

/// Passes the bytes on and holds the server to the size it named.
fn counted(key: String, size: u64, body: BufferStream) -> ByteStream {
    let chunks = body
        .map_ok(|buffer: Buffer| stream::iter(Iterator::map(buffer, Ok)))
        .try_flatten();
    stream::try_unfold((chunks, 0), move |(mut chunks, seen)| {
        let key = key.clone();
        async move {
            let next = chunks.try_next().await;
            match next.map_err(|error| replaced(classify("stream", &key, &error)))? {
                Some(chunk) => {
                    let seen = seen + chunk.len() as u64;
                    Ok(Some((chunk, (chunks, seen))))
                }
                None if seen == size => Ok(None),
                None => Err(truncated("stream", &key, seen, size)),
            }
        }
    })
    .boxed()
}

fn whole(operation: &'static str, key: &str, bytes: Bytes, size: u64) -> Result<Bytes, StoreError> {
    if bytes.len() as u64 == size {
        Ok(bytes)
    } else {
        Err(truncated(operation, key, bytes.len() as u64, size))
    }
}

/// Fewer bytes than there must be.
pub(crate) fn truncated(operation: &'static str, key: &str, seen: u64, wanted: u64) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Truncated,
        operation,
        key: key.to_owned(),
        message: format!("{seen} bytes instead of {wanted}"),
    }
}

/// More bytes than the caller takes.
pub(crate) fn too_large(key: &str, size: u64, max: u64) -> StoreError {
    StoreError {
        kind: StoreErrorKind::TooLarge,
        operation: "read",
        key: key.to_owned(),
        message: format!("{size} bytes, more than {max}"),
    }
}

/// A tag that does not match any more says that the object was replaced meanwhile.
fn replaced(error: StoreError) -> StoreError {
    if error.kind != StoreErrorKind::AlreadyExists {
        return error;
    }
    StoreError {
        kind: StoreErrorKind::Unavailable,
        message: "the object was replaced while it was read".to_owned(),
        ..error
    }
}
