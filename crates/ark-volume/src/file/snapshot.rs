//! What was copied.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rustic_core::Id;
use rustic_core::repofile::{SnapshotFile, SnapshotId as Raw};

use super::control::Control;
use super::error::FileError;
use super::repository::{Opened, Repository, blocking};

/// The name of a snapshot: 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId(pub(super) Id);

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl fmt::Debug for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SnapshotId {
    type Err = FileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.parse::<Id>().ok().filter(|id| *id.to_hex() == *text);
        id.map(Self)
            .ok_or_else(|| FileError::NoSnapshot(text.to_owned()))
    }
}

/// One copy of one volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub id: SnapshotId,
    /// When it was begun.
    pub time: Timestamp,
    /// What was copied, as [`BackupOptions::name`](super::BackupOptions::name) said.
    pub names: Vec<String>,
    /// Words that whoever made it attached.
    pub tags: Vec<String>,
    /// Files and whatever else is not a directory.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Bytes that had to be added to the repository for it, as they are stored.
    pub added: u64,
}

impl From<&SnapshotFile> for Snapshot {
    fn from(file: &SnapshotFile) -> Self {
        let summary = file.summary.as_ref();
        Self {
            id: SnapshotId(*file.id),
            time: file.time.timestamp(),
            names: file.paths.iter().cloned().collect(),
            tags: file.tags.iter().cloned().collect(),
            files: summary.map_or(0, |all| all.total_files_processed),
            bytes: summary.map_or(0, |all| all.total_bytes_processed),
            added: summary.map_or(0, |all| all.data_added_packed),
        }
    }
}

impl Repository {
    /// All snapshots, the oldest first.
    pub async fn snapshots(&self) -> Result<Vec<Snapshot>, FileError> {
        let here = self.clone();
        blocking(&Control::default(), move |control| {
            let (_, repository) = here.open_now(&control)?;
            let files = repository.get_all_snapshots()?;
            let mut snapshots: Vec<_> = files.iter().map(Snapshot::from).collect();
            snapshots.sort_by_key(|snapshot| (snapshot.time, snapshot.id));
            Ok(snapshots)
        })
        .await
    }

    /// Takes snapshots away; what is already gone counts as taken away. Their chunks
    /// stay until [`prune`](Self::prune).
    pub async fn forget(&self, ids: &[SnapshotId]) -> Result<(), FileError> {
        let (here, ids) = (self.clone(), ids.to_vec());
        blocking(&Control::default(), move |control| {
            let (_, repository) = here.open_now(&control)?;
            let ids: Vec<Raw> = ids.iter().map(|id| id.0.into()).collect();
            Ok(repository.delete_snapshots(&ids)?)
        })
        .await
    }
}

/// The snapshot of that name.
pub(super) fn find(repository: &Opened, id: SnapshotId) -> Result<SnapshotFile, FileError> {
    let found = repository.list::<Raw>()?.any(|one| *one == id.0);
    if !found {
        return Err(FileError::NoSnapshot(id.to_string()));
    }
    Ok(repository.get_file(&id.0.into())?)
}
