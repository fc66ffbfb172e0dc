//! A file or device that chunks are written to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustic_core::repofile::Metadata;
use rustix::fs::{FallocateFlags, fallocate};

use super::attributes;
use super::root::Root;
use crate::file::error::FileError;

use super::Told;

/// One file on its way.
pub(super) struct Destination {
    pub(super) path: PathBuf,
    pub(super) at: At,
    /// It holds nothing yet, so zeros need not be written.
    pub(super) is_new: bool,
    metadata: Metadata,
    /// Chunks that are still to come.
    left: AtomicU64,
    failed: AtomicBool,
    told: Arc<Told>,
}

/// Where it is.
pub(super) enum At {
    /// Below a directory; opened for each chunk, since there may be more files on their
    /// way than a process may have open.
    Below(Arc<Root>),
    Device(File),
}

impl Destination {
    pub(super) fn new(
        (path, at, is_new): (PathBuf, At, bool),
        metadata: Metadata,
        chunks: usize,
        told: Arc<Told>,
    ) -> Self {
        Self {
            path,
            at,
            is_new,
            metadata,
            left: AtomicU64::new(chunks as u64),
            failed: AtomicBool::new(false),
            told,
        }
    }

    /// What is there at `offset`; shorter where the file ends.
    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.with_file(|file| file.read_exact_at(buffer, offset))
    }

    /// Writes a chunk.
    ///
    /// # Errors
    /// Only what would concern every other file, too; the rest is told as a problem.
    pub(super) fn write(&self, chunk: &[u8], offset: u64) -> Result<(), FileError> {
        let is_zero = chunk.iter().all(|byte| *byte == 0);
        let written = match (is_zero, self.is_new) {
            (true, true) => Ok(()),
            (true, false) => self.with_file(|file| punch(file, chunk, offset)),
            (false, _) => self.with_file(|file| file.write_all_at(chunk, offset)),
        };
        match written {
            Ok(()) => {
                let written = &self.told.written;
                written.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
            Err(error) if concerns_all(&error) => {
                return Err(FileError::local("write to", &self.path, error));
            }
            Err(error) => self.fail(format!("cannot write at byte {offset}: {error}")),
        }
        self.one_less();
        Ok(())
    }

    /// A chunk that is there already.
    pub(super) fn keep(&self, length: u64) {
        self.told.kept.fetch_add(length, Ordering::Relaxed);
        self.one_less();
    }

    /// A chunk that will never come.
    pub(super) fn lack(&self, why: &FileError) {
        self.fail(format!("it is not complete: {why}"));
        self.one_less();
    }

    /// The first thing that goes wrong with a file is told.
    fn fail(&self, what: String) {
        if !self.failed.swap(true, Ordering::Relaxed) {
            self.told.problems.add(&self.path, what);
        }
    }

    fn one_less(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.finish();
        }
    }

    /// Gives the file what it has beside its content, once that is there.
    pub(super) fn finish(&self) {
        let At::Below(root) = &self.at else { return };
        match root.file(&self.path) {
            Ok(file) => tell(
                &self.told,
                &self.path,
                &attributes::apply(&file, &self.metadata),
            ),
            Err(error) => self.fail(format!("cannot open it again: {error}")),
        }
    }

    fn with_file<T>(&self, work: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
        match &self.at {
            At::Below(root) => work(&root.file(&self.path)?),
            At::Device(file) => work(file),
        }
    }
}

/// Tells what could not be set.
pub(super) fn tell(told: &Told, path: &std::path::Path, failures: &[String]) {
    if !failures.is_empty() {
        let what = format!("cannot set {}", failures.join("; "));
        told.problems.add(path, what);
    }
}

/// Makes a hole where there may be something; writes zeros where there are no holes.
fn punch(file: &File, zeros: &[u8], offset: u64) -> io::Result<()> {
    let how = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    match fallocate(file, how, offset, zeros.len() as u64) {
        Ok(()) => Ok(()),
        Err(_) => file.write_all_at(zeros, offset),
    }
}

/// Whether every other file would meet the same.
fn concerns_all(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ReadOnlyFilesystem
    ) || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}
