//! Copying a volume into a repository.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustic_core::repofile::SnapshotFile;
use rustic_core::{ParentOptions, RepairIndexOptions, SnapshotOptions};

use super::control::Control;
use super::error::FileError;
use super::marks;
use super::problem::Problems;
use super::repository::{Repository, blocking};
use super::snapshot::Snapshot;
use super::source::{self, Source};

/// How a volume is copied.
#[derive(Debug, Clone, Default)]
pub struct BackupOptions {
    /// What is copied, as a path: `/shop/data` for the claim `data` of the namespace
    /// `shop`. The next copy of that name reads only the files that changed.
    pub name: String,
    /// Words that find the snapshot again: `backup=nightly-20261123`.
    pub tags: Vec<String>,
    /// An attempt at the same copy died: what it had sent is looked for first.
    pub resume: bool,
    /// Read every file, also those that seem not to have changed.
    pub read_all: bool,
}

/// A copy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The snapshot, which holds all but what the problems name.
    pub snapshot: Snapshot,
    /// What could not be read, or changed while it was. A copy without any is complete.
    pub problems: Problems,
    /// Directories that were left out since they belong to other file systems.
    pub elsewhere: Problems,
}

impl Repository {
    /// Copies a volume. Blocks nobody; runs on threads of its own, one for each core.
    ///
    /// # Errors
    /// What cannot be opened at all, the store's errors, and
    /// [`FileError::Cancelled`]. There is no snapshot then, and what was sent stays for
    /// the next attempt (see [`BackupOptions::resume`]).
    pub async fn back_up(
        &self,
        source: &Source,
        options: &BackupOptions,
        control: &Control,
    ) -> Result<Copied, FileError> {
        let (here, source, options) = (self.clone(), source.clone(), options.clone());
        blocking(control, move |control| {
            here.copy(&source, &options, &control)
        })
        .await
    }

    fn copy(
        &self,
        source: &Source,
        options: &BackupOptions,
        control: &Control,
    ) -> Result<Copied, FileError> {
        let shared = Arc::new(source::Shared {
            control: control.clone(),
            ..source::Shared::default()
        });
        let opened = source::Opened::new(source, shared.clone())?;
        let (_, repository) = self.open_now(control)?;
        if options.resume {
            // Chunks that were sent and stand in no index yet are put into one.
            repository.repair_index(&RepairIndexOptions::default(), false)?;
        }
        let known = marks::Known::now(&repository)?;
        let repository = repository.to_indexed_ids()?;
        // A device has no time of its last change, so it never seems to be the same.
        let read_all = options.read_all || matches!(source, Source::Device(_));
        let how = rustic_core::BackupOptions::default()
            .parent_opts(ParentOptions::default().force(read_all));
        let paths = [PathBuf::from(&options.name)];
        let made = repository.archive(&how, &opened, described(options)?, &paths);
        if control.cancel.is_cancelled() {
            return Err(FileError::Cancelled);
        }
        let made = made?;
        let problems = shared.problems.take();
        if let (Source::Device(path), Some(problem)) = (source, problems.first.first()) {
            // A part of a disk is of no use to anybody.
            repository.delete_snapshots(&[made.id])?;
            return Err(FileError::local(
                "copy",
                path,
                io::Error::other(problem.what.clone()),
            ));
        }
        complete(&made, &shared)?;
        known.take_back(&repository.drop_index())?;
        Ok(Copied {
            snapshot: Snapshot::from(&made),
            problems,
            elsewhere: shared.elsewhere.take(),
        })
    }
}

/// What the snapshot says of itself.
fn described(options: &BackupOptions) -> Result<SnapshotFile, FileError> {
    let about = SnapshotOptions::default().host(Some("ark".to_owned()));
    let mut snapshot = about.to_snapshot()?;
    snapshot.program_version = format!("ark {}", env!("CARGO_PKG_VERSION"));
    for tag in &options.tags {
        snapshot.tags.add(tag.clone());
    }
    Ok(snapshot)
}

/// Holds what the library says it stored against what it was given: it drops entries
/// that it has trouble with, and nothing but this count would tell.
fn complete(made: &SnapshotFile, shared: &source::Shared) -> Result<(), FileError> {
    let given = shared.entries.load(Ordering::Relaxed);
    let unread = shared.unread.load(Ordering::Relaxed);
    let stored = made
        .summary
        .as_ref()
        .map_or(0, |summary| summary.total_files_processed);
    if stored + unread == given {
        return Ok(());
    }
    Err(FileError::Other(format!(
        "of {given} files {stored} are in the snapshot {} and {unread} could not be read: \
         the rest was lost on the way; the snapshot is not complete",
        made.id.into_inner().to_hex().as_str()
    )))
}
