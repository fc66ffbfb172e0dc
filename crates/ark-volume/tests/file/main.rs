//! Copies of files and devices, in real repositories: in a bucket of a real S3 server
//! and in directories, beside the `restic` program. Files have owners, attributes and
//! devices have disks, so these tests need root.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod clouds;
mod damage;
mod device;
mod disk;
mod interrupted;
mod keys;
mod maintain;
mod restic;
mod source;
mod store;
mod target;
mod tree;

use std::path::Path;
use std::sync::Arc;

use ark_engine::port::Store;
use ark_volume::file::{
    BackupOptions, Control, Copied, FileError, Password, Repository, RestoreOptions, Restored,
    SnapshotId, Source, Target,
};

/// Where the repositories of these tests are.
const PREFIX: &str = "restic/shop/";
const PASSWORD: &str = "correct horse";

/// A repository of its own.
async fn repository(store: Arc<dyn Store>) -> Repository {
    let password = Password::new(PASSWORD);
    Repository::open_or_create(store, PREFIX, &password)
        .await
        .unwrap()
}

/// How the copies of these tests are named.
fn options() -> BackupOptions {
    BackupOptions {
        name: "/shop/data".to_owned(),
        tags: vec!["backup=nightly".to_owned()],
        ..BackupOptions::default()
    }
}

/// Copies a directory.
async fn copy(repository: &Repository, from: &Path) -> Copied {
    let source = Source::Directory(from.to_owned());
    let control = Control::default();
    repository
        .back_up(&source, &options(), &control)
        .await
        .unwrap()
}

/// Restores a copy to a directory.
async fn restore(repository: &Repository, copied: &Copied, to: &Path) -> Restored {
    let (target, how) = (Target::Directory(to.to_owned()), RestoreOptions::default());
    let restored = try_restore(repository, copied.snapshot.id, &target, &how);
    restored.await.unwrap()
}

/// Restores a snapshot, or does not.
async fn try_restore(
    repository: &Repository,
    id: SnapshotId,
    target: &Target,
    how: &RestoreOptions,
) -> Result<Restored, FileError> {
    repository
        .restore(id, target, how, &Control::default())
        .await
}

/// Bytes that look like chance and are the same each time.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
