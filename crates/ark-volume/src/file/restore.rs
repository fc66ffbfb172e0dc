//! Writing a snapshot back.
//!
//! # Flow
//! The snapshot is walked through once: folders and everything without content are made
//! as they come, the chunks of files are gathered into batches. A batch asks the
//! repository's index where its chunks are, reads neighbours in one call and writes each
//! chunk wherever it belongs; a file whose last chunk is written gets its owner,
//! permissions and times. A second walk gives folders theirs, the innermost first, and
//! what was written is flushed to the disk.
//!
//! # Guarantees
//! * What is there already with the right content is not fetched: that makes a restore
//!   that died go on where it was, and one over an older copy fetch what changed.
//! * What is at the target and not in the snapshot stays.
//! * Chunks of nothing but zeros become holes.
//! * A file that cannot be restored is named, and the others are; a full disk or a store
//!   that is gone ends the job.

mod attributes;
mod batch;
mod destination;
mod device;
mod directory;
mod root;
mod workers;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ark_engine::port::StoreErrorKind;
use rustic_core::TreeId;
use rustic_core::repofile::Node;

use super::bucket::Bucket;
use super::control::Control;
use super::error::FileError;
use super::problem::{Collector, Problems};
use super::repository::{Repository, blocking};
use super::snapshot::{self, SnapshotId};
use super::source::{DEVICE, VOLUME};
use super::tree::{self, Indexed};

/// Where a snapshot is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A directory: the root of a volume. It must exist.
    Directory(PathBuf),
    /// A block device, or a file that stands for one.
    Device(PathBuf),
}

/// How a snapshot is written back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreOptions {
    /// The part of the snapshot that is restored, for snapshots that other programs
    /// made; otherwise the whole volume.
    pub from: Option<PathBuf>,
    /// How many read and write at the same time.
    pub workers: NonZeroUsize,
}

impl Default for RestoreOptions {
    fn default() -> Self {
        let workers = const { NonZeroUsize::new(8).unwrap() };
        Self {
            from: None,
            workers,
        }
    }
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Entries that were made or found: files, links and the like, and directories.
    pub entries: u64,
    /// Bytes that were written.
    pub written: u64,
    /// Bytes that were there already.
    pub kept: u64,
    /// What is not as the snapshot has it. A restore without any is complete.
    pub problems: Problems,
}

impl Repository {
    /// Writes a snapshot back.
    ///
    /// # Errors
    /// What concerns all of it: the target cannot be opened or is full, the store is
    /// gone, [`FileError::Cancelled`]. Begun again it goes on.
    pub async fn restore(
        &self,
        snapshot: SnapshotId,
        target: &Target,
        options: &RestoreOptions,
        control: &Control,
    ) -> Result<Restored, FileError> {
        let (here, target, options) = (self.clone(), target.clone(), options.clone());
        blocking(control, move |control| {
            here.write_back(snapshot, &target, &options, control)
        })
        .await
    }

    fn write_back(
        &self,
        id: SnapshotId,
        target: &Target,
        options: &RestoreOptions,
        control: Control,
    ) -> Result<Restored, FileError> {
        let (bucket, repository) = self.open_now(&control)?;
        let snapshot = snapshot::find(&repository, id)?;
        if let Some(summary) = &snapshot.summary {
            control.progress.expect(summary.total_bytes_processed);
        }
        let job = Job {
            repository: repository.to_indexed()?,
            bucket,
            control,
            workers: options.workers,
            told: Arc::default(),
        };
        let from = options.from.as_deref();
        match target {
            Target::Directory(path) => directory::restore(&job, snapshot.tree, from, path)?,
            Target::Device(path) => device::restore(&job, snapshot.tree, from, path)?,
        }
        Ok(Restored {
            entries: job.told.entries.load(Ordering::Relaxed),
            written: job.told.written.load(Ordering::Relaxed),
            kept: job.told.kept.load(Ordering::Relaxed),
            problems: job.told.problems.take(),
        })
    }
}

/// What everything in here works with.
struct Job {
    repository: Indexed,
    bucket: Arc<Bucket>,
    control: Control,
    workers: NonZeroUsize,
    told: Arc<Told>,
}

/// What all workers tell.
#[derive(Default)]
struct Told {
    problems: Collector,
    entries: AtomicU64,
    written: AtomicU64,
    kept: AtomicU64,
}

impl Job {
    fn check_cancelled(&self) -> Result<(), FileError> {
        if self.control.cancel.is_cancelled() {
            return Err(FileError::Cancelled);
        }
        Ok(())
    }
}

/// Whether an error is about what is in the repository, so that other files may be well,
/// as opposed to one that every further call would meet.
fn is_damage(error: &FileError) -> bool {
    match error {
        FileError::Damaged(_) | FileError::Other(_) => true,
        FileError::Store(error) => {
            matches!(
                error.kind,
                StoreErrorKind::NotFound | StoreErrorKind::Truncated
            )
        }
        _ => false,
    }
}

/// The entry that a restore begins at: what was asked for, or what Ark's copies have at
/// their root. `None`: the root itself.
fn begin(
    repository: &Indexed,
    root: TreeId,
    from: Option<&Path>,
    usual: &str,
) -> Result<Option<Node>, FileError> {
    if let Some(from) = from {
        let found = tree::find(repository, root, from)?;
        return found.map(Some).ok_or_else(|| FileError::NotInSnapshot {
            wanted: format!("`{}`", from.display()),
            has: contents(repository, root),
        });
    }
    tree::find(repository, root, Path::new(usual))
}

/// What is at a snapshot's root, for people.
fn contents(repository: &Indexed, root: TreeId) -> String {
    let nodes = tree::read(repository, root).unwrap_or_default();
    let names: Vec<_> = nodes
        .iter()
        .map(|node| format!("`/{}`", node.name))
        .collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        names if names.len() > 5 => {
            format!("{} and {} more", names[..5].join(", "), names.len() - 5)
        }
        names => names.join(", "),
    }
}
