//! The trait over a directory.
//!
//! Not through the client for remote stores: its create-if-absent looks first and
//! renames then, so that two writers can both win, and it keeps unfinished files in
//! a folder of its own, which other readers of the bucket would take for foreign data.
//! Here the file system decides: an unfinished file lies beside its target under a
//! hidden name that no listing shows, and becomes the object by one rename, which for
//! a create does not replace.
//!
//! Folders are made when the first object needs them and go with the last one, as if
//! there were none. Links are not followed: an object is a regular file.

mod walk;
mod write;

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::{
    ByteStream, EntryStream, PutMode, Store, StoreEntry, StoreError, StoreErrorKind, Upload,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;

use crate::heptio::LAYOUT_KEY;
use crate::key;
use crate::location::Location;
use crate::open::OpenError;
use crate::remote::{too_large, truncated};
use write::{FileUpload, Folder};

/// Bytes in an item of a stream.
const CHUNK: usize = 256 << 10;

/// A directory below a prefix.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    folder: Arc<Folder>,
}

/// Opens a directory, which must exist: one that was to be mounted and is not must
/// not be taken for an empty one.
pub(crate) async fn open(location: &Location) -> Result<Arc<dyn Store>, OpenError> {
    let refuse = |reason: &str| OpenError::Directory {
        location: location.name.clone(),
        path: location.bucket.clone(),
        reason: reason.to_owned(),
    };
    location.config("fs", &[LAYOUT_KEY])?;
    let bucket = Path::new(&location.bucket);
    if !bucket.is_absolute() {
        return Err(refuse("the bucket of provider `fs` is an absolute path"));
    }
    match tokio::fs::metadata(bucket).await {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(refuse("is not a directory")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(refuse(
                "no such directory; create it first, or mount what belongs there",
            ));
        }
        Err(error) => return Err(refuse(&error.to_string())),
    }
    let folder = Folder::new(bucket.to_owned(), location.prefix_path()?);
    Ok(Arc::new(Directory {
        folder: Arc::new(folder),
    }))
}

impl Directory {
    /// Runs blocking work on an object off the runtime's own threads.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        key: &str,
        work: impl FnOnce(&Folder, PathBuf) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        key::checked(operation, key)?;
        let (folder, path) = (Arc::clone(&self.folder), self.folder.path(key));
        run(operation, key, move || {
            let done = work(&folder, path);
            // Everything misses when the bucket does.
            done.map_err(|failure| folder.explain(failure))
        })
        .await
    }
}

/// What blocking work fails with.
#[derive(Debug)]
pub(crate) enum Failure {
    Io(io::Error),
    Kind(StoreErrorKind, String),
    Store(StoreError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

pub(crate) async fn run<T: Send + 'static>(
    operation: &'static str,
    key: &str,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Failure::Kind(StoreErrorKind::Other, error.to_string())))
        .map_err(|failure| failure.into_error(operation, key))
}

impl Failure {
    fn into_error(self, operation: &'static str, key: &str) -> StoreError {
        let (kind, message) = match self {
            Self::Store(error) => return error,
            Self::Kind(kind, message) => (kind, message),
            Self::Io(error) => (kind(&error), error.to_string()),
        };
        StoreError {
            kind,
            operation,
            key: key.to_owned(),
            message,
        }
    }
}

fn kind(error: &io::Error) -> StoreErrorKind {
    use io::ErrorKind as Io;
    match error.kind() {
        // A path through a file: no such object either.
        Io::NotFound | Io::NotADirectory => StoreErrorKind::NotFound,
        Io::AlreadyExists => StoreErrorKind::AlreadyExists,
        Io::PermissionDenied | Io::ReadOnlyFilesystem => StoreErrorKind::Denied,
        Io::InvalidInput | Io::InvalidFilename => StoreErrorKind::Config,
        Io::UnexpectedEof => StoreErrorKind::Truncated,
        Io::TimedOut | Io::Interrupted | Io::ResourceBusy | Io::StaleNetworkFileHandle => {
            StoreErrorKind::Unavailable
        }
        _ => StoreErrorKind::Other,
    }
}

/// Opens a regular file and tells its size.
fn open_file(path: &Path) -> Result<(File, u64), Failure> {
    let found = path.symlink_metadata()?;
    if !found.is_file() {
        return Err(io::Error::from(io::ErrorKind::NotFound).into());
    }
    let file = OpenOptions::new().read(true).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

pub(crate) fn entry(key: String, found: &std::fs::Metadata) -> StoreEntry {
    let modified = found.modified().ok();
    StoreEntry {
        key,
        size: found.len(),
        modified: modified.and_then(|time| Timestamp::try_from(time).ok()),
    }
}

#[async_trait]
impl Store for Directory {
    async fn read(&self, key: &str, max: u64) -> Result<Bytes, StoreError> {
        let name = key.to_owned();
        self.blocking("read", key, move |_, path| {
            let (file, size) = open_file(&path)?;
            if size > max {
                return Err(Failure::Store(too_large(&name, size, max)));
            }
            let mut bytes = Vec::new();
            file.take(size).read_to_end(&mut bytes)?;
            if (bytes.len() as u64) < size {
                return Err(Failure::Store(truncated(
                    "read",
                    &name,
                    bytes.len() as u64,
                    size,
                )));
            }
            Ok(bytes.into())
        })
        .await
    }

    async fn read_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let name = key.to_owned();
        self.blocking("read_range", key, move |_, path| {
            let wanted = range.end.saturating_sub(range.start);
            if wanted == 0 {
                return Ok(Bytes::new());
            }
            let (mut file, size) = open_file(&path)?;
            if size < range.end {
                let there = size.saturating_sub(range.start);
                return Err(Failure::Store(truncated(
                    "read_range",
                    &name,
                    there,
                    wanted,
                )));
            }
            file.seek(SeekFrom::Start(range.start))?;
            let mut bytes = Vec::new();
            file.take(wanted).read_to_end(&mut bytes)?;
            if (bytes.len() as u64) < wanted {
                return Err(Failure::Store(truncated(
                    "read_range",
                    &name,
                    bytes.len() as u64,
                    wanted,
                )));
            }
            Ok(bytes.into())
        })
        .await
    }

    async fn stream(&self, key: &str) -> Result<ByteStream, StoreError> {
        let (file, size) = self
            .blocking("stream", key, |_, path| open_file(&path))
            .await?;
        let key = key.to_owned();
        let chunks = stream::try_unfold((file, 0), move |(mut file, seen)| {
            let key = key.clone();
            async move {
                if seen == size {
                    return Ok(None);
                }
                let name = key.clone();
                run("stream", &key, move || {
                    let wanted = usize::try_from(size - seen).unwrap_or(CHUNK).min(CHUNK);
                    let mut bytes = vec![0; wanted];
                    let read = file.read(&mut bytes)?;
                    if read == 0 {
                        return Err(Failure::Store(truncated("stream", &name, seen, size)));
                    }
                    bytes.truncate(read);
                    Ok(Some((Bytes::from(bytes), (file, seen + read as u64))))
                })
                .await
            }
        });
        Ok(chunks.boxed())
    }

    async fn put(&self, key: &str, body: Bytes, mode: PutMode) -> Result<(), StoreError> {
        self.blocking("put", key, move |folder, path| {
            let mut file = folder.unfinished(&path)?;
            file.write(&body)?;
            file.commit(&path, mode)
        })
        .await
    }

    async fn upload(&self, key: &str, mode: PutMode) -> Result<Box<dyn Upload>, StoreError> {
        let (file, path) = self
            .blocking("upload", key, |folder, path| {
                Ok((folder.unfinished(&path)?, path))
            })
            .await?;
        Ok(Box::new(FileUpload::new(key, file, path, mode)))
    }

    async fn stat(&self, key: &str) -> Result<Option<StoreEntry>, StoreError> {
        let name = key.to_owned();
        let found = self
            .blocking("stat", key, move |_, path| {
                let found = path.symlink_metadata()?;
                Ok(found.is_file().then(|| entry(name, &found)))
            })
            .await;
        match found {
            Err(error) if error.kind == StoreErrorKind::NotFound => Ok(None),
            found => found,
        }
    }

    async fn list(&self, prefix: &str) -> Result<EntryStream, StoreError> {
        key::checked_prefix("list", prefix)?;
        let folder = Arc::clone(&self.folder);
        let start = prefix.to_owned();
        let walk = run("list", prefix, move || walk::Walk::start(&folder, &start)).await?;
        let prefix = prefix.to_owned();
        let pages = stream::try_unfold(walk, move |mut walk| {
            let prefix = prefix.clone();
            async move {
                run("list", &prefix, move || {
                    let page = walk.next_page()?;
                    Ok((!page.is_empty()).then_some((page, walk)))
                })
                .await
            }
        });
        let entries = pages.flat_map(|page| match page {
            Ok(page) => stream::iter(page.into_iter().map(Ok).collect::<Vec<_>>()),
            Err(error) => stream::iter(vec![Err(error)]),
        });
        Ok(entries.boxed())
    }

    async fn list_dirs(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        key::checked_prefix("list_dirs", prefix)?;
        let folder = Arc::clone(&self.folder);
        let start = prefix.to_owned();
        run("list_dirs", prefix, move || walk::folders(&folder, &start)).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        for key in keys {
            let gone = self
                .blocking("delete", key, |folder, path| folder.remove(&path))
                .await;
            match gone {
                Err(error) if error.kind == StoreErrorKind::NotFound => {}
                gone => gone?,
            }
        }
        Ok(())
    }

    /// The address of the file; it needs no credentials and lasts longer than asked.
    async fn sign(&self, key: &str, _ttl: Duration) -> Result<String, StoreError> {
        self.blocking("sign", key, |_, path| {
            let url = url::Url::from_file_path(&path);
            url.map(|url| url.to_string()).map_err(|()| {
                Failure::Kind(
                    StoreErrorKind::Config,
                    "the path is not absolute".to_owned(),
                )
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests;
