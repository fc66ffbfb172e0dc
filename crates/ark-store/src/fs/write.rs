//! Files that become objects all at once, and what is left of those that never did.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use ark_engine::port::{PutMode, StoreError, StoreErrorKind, Upload};
use async_trait::async_trait;
use bytes::Bytes;
use tempfile::NamedTempFile;

use super::{Failure, run};
use crate::key::UNFINISHED;

/// An unfinished file that nobody wrote to for so long has lost its writer.
const ABANDONED: Duration = Duration::from_hours(24);

/// Folders that are remembered as swept.
const REMEMBERED: usize = 64;

/// How often a folder that another deletes at the same time is made again.
const ATTEMPTS: usize = 8;

/// The directory of the bucket and the folder of the prefix.
#[derive(Debug)]
pub(crate) struct Folder {
    bucket: PathBuf,
    base: PathBuf,
    swept: Mutex<VecDeque<PathBuf>>,
}

impl Folder {
    pub(crate) fn new(bucket: PathBuf, prefix: &str) -> Self {
        let base = if prefix.is_empty() {
            bucket.clone()
        } else {
            bucket.join(prefix)
        };
        Self {
            bucket,
            base,
            swept: Mutex::default(),
        }
    }

    /// The file of a key that was checked.
    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.base.join(key)
    }

    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// Says that the bucket misses, where something misses because of that.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                self.check_bucket().err().unwrap_or(Failure::Io(error))
            }
            other => other,
        }
    }

    pub(crate) fn check_bucket(&self) -> Result<(), Failure> {
        if self.bucket.is_dir() {
            return Ok(());
        }
        let message = format!("no directory {}; create or mount it", self.bucket.display());
        Err(Failure::Kind(StoreErrorKind::BucketNotFound, message))
    }

    /// Starts a file beside its target.
    pub(crate) fn unfinished(&self, target: &Path) -> Result<Unfinished, Failure> {
        let folder = target.parent().unwrap_or(&self.base);
        let mut attempt = 1;
        let file = loop {
            // Or the folders would hide that the bucket is not mounted.
            self.check_bucket()?;
            fs::create_dir_all(folder)?;
            match tempfile::Builder::new()
                .prefix(UNFINISHED)
                .tempfile_in(folder)
            {
                Ok(file) => break file,
                // The last object of the folder was deleted right now.
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => return Err(error.into()),
            }
        };
        self.sweep(folder, &file)?;
        Ok(Unfinished(file))
    }

    /// Removes what dead writers left in a folder, once while it is remembered. Ages
    /// are measured by the file system's own clock.
    fn sweep(&self, folder: &Path, fresh: &NamedTempFile) -> io::Result<()> {
        {
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            if swept.iter().any(|known| known == folder) {
                return Ok(());
            }
            swept.truncate(REMEMBERED - 1);
            swept.push_front(folder.to_owned());
        }
        let now = fresh.as_file().metadata()?.modified()?;
        for found in fs::read_dir(folder)? {
            let found = found?;
            if is_unfinished(&found.file_name()) && is_abandoned(&found, now) {
                tracing::info!(file = %found.path().display(), "removing what a dead writer left");
                // Another process may sweep, too.
                let _ = fs::remove_file(found.path());
            }
        }
        Ok(())
    }

    /// Removes a file, and the folders that are empty without it.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), Failure> {
        let found = path.symlink_metadata()?;
        if found.is_dir() {
            return Ok(());
        }
        fs::remove_file(path)?;
        let folders = path
            .ancestors()
            .skip(1)
            .take_while(|folder| *folder != self.base);
        for folder in folders {
            // It is not empty, or was removed by another.
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Whether a file's name is that of an unfinished one.
pub(crate) fn is_unfinished(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
}

fn is_abandoned(found: &fs::DirEntry, now: SystemTime) -> bool {
    let written = found.metadata().and_then(|found| found.modified());
    written.is_ok_and(|written| now.duration_since(written).is_ok_and(|age| age > ABANDONED))
}

/// A file under a hidden name; removed when dropped.
#[derive(Debug)]
pub(crate) struct Unfinished(NamedTempFile);

impl Unfinished {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.0.write_all(bytes)?)
    }

    /// Gives it its name, on disk before this returns.
    pub(crate) fn commit(self, target: &Path, mode: PutMode) -> Result<(), Failure> {
        self.0.as_file().sync_all()?;
        if target.is_dir() {
            let message = "a folder has this name".to_owned();
            return Err(Failure::Kind(StoreErrorKind::AlreadyExists, message));
        }
        let done = match mode {
            PutMode::Create => self.0.persist_noclobber(target),
            PutMode::Replace => self.0.persist(target),
        };
        done.map_err(|failed| failed.error)?;
        if let Some(folder) = target.parent() {
            // The name itself; not every file system can.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        Ok(())
    }
}

/// An upload into a file. Holds one chunk at a time.
pub(crate) struct FileUpload {
    key: String,
    /// `None` while a call has it, and for good after one that failed or was cancelled.
    file: Option<Unfinished>,
    target: PathBuf,
    mode: PutMode,
}

impl FileUpload {
    pub(crate) fn new(key: &str, file: Unfinished, target: PathBuf, mode: PutMode) -> Self {
        Self {
            key: key.to_owned(),
            file: Some(file),
            target,
            mode,
        }
    }

    fn take(&mut self) -> Result<Unfinished, StoreError> {
        self.file.take().ok_or_else(|| StoreError {
            kind: StoreErrorKind::Other,
            operation: "upload",
            key: self.key.clone(),
            message: "an earlier write failed or was cancelled; the upload cannot go on".to_owned(),
        })
    }
}

#[async_trait]
impl Upload for FileUpload {
    async fn write(&mut self, chunk: Bytes) -> Result<(), StoreError> {
        let mut file = self.take()?;
        let file = run("upload", &self.key, move || {
            file.write(&chunk)?;
            Ok(file)
        });
        self.file = Some(file.await?);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        let file = self.take()?;
        let (target, mode) = (self.target.clone(), self.mode);
        run("upload", &self.key, move || file.commit(&target, mode)).await
    }

    async fn abort(mut self: Box<Self>) -> Result<(), StoreError> {
        let file = self.file.take();
        run("upload", &self.key, move || {
            drop(file);
            Ok(())
        })
        .await
    }
}
