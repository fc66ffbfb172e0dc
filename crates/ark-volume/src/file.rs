//! Copies of a volume's files or blocks in a repository that any cloud can restore from.
//!
//! A repository is in [restic's format][format]: cut into chunks where the content says
//! so, stored once, compressed, encrypted, and readable with the `restic` program. It
//! lies below a prefix of the same bucket as the backups (`restic/<namespace>/`, a
//! folder that Velero takes for its own) and is reached through
//! [`ark_engine::port::Store`], so with the same credentials.
//!
//! # Flow
//! [`Repository::open_or_create`] → [`Repository::back_up`] a [`Source`] → a
//! [`Snapshot`] → [`Repository::restore`] it to a [`Target`]. [`Repository::forget`] and
//! [`Repository::prune`] give space back, [`Repository::check`] says whether what is
//! there can be restored.
//!
//! # Guarantees
//! * What could not be read or written is named and counted in [`Problems`]; a copy
//!   without any is complete.
//! * Whoever dies leaves a sound repository: chunks are written before the index that
//!   names them, and that before the snapshot. Begun again, a copy sends only what is not
//!   there yet, and a restore fetches only what is not there yet.
//! * There are no locks. Any number may copy and restore at a time; what [`prune`] takes
//!   away it marks first and deletes [`DELETE_AFTER`] later.
//! * No path of a snapshot or of a volume leads out of the directory that is restored to
//!   or copied: links are never followed.
//! * Every chunk that is restored has the SHA-256 that its snapshot asks for.
//! * Dropping a future cancels what it does.
//!
//! # Memory
//! A copy holds some packs of 24 MiB; a restore up to 16 MiB a worker; both the
//! repository's index, some 50 bytes a chunk of about 1 MiB. Opening with a password
//! takes 128 MiB for a moment, as scrypt wants it; with a [`MasterKey`] it does not.
//!
//! [format]: https://restic.readthedocs.io/en/stable/100_references.html
//! [`prune`]: Repository::prune
//!
//! | file | concern |
//! |---|---|
//! | `repository.rs` | making and opening one |
//! | `key.rs` | its passwords |
//! | `bucket.rs`, `bucket/…` | its files as objects of a store, and reading ahead |
//! | `control.rs` | progress and cancelling |
//! | `problem.rs` | what went wrong with single files |
//! | `error.rs` | what ends a job |
//! | `mode.rs` | permission bits as the format has them |
//! | `xattr.rs` | extended attributes as the kernel hands them out |
//! | `source.rs`, `source/…` | walking and reading what is copied |
//! | `backup.rs` | copying |
//! | `snapshot.rs` | what was copied, and forgetting it |
//! | `tree.rs` | reading a snapshot's directories |
//! | `restore.rs`, `restore/…` | writing it back |
//! | `maintain.rs` | check, prune |
//! | `marks.rs` | taking back what was marked while a copy counted on it |

mod backup;
mod bucket;
mod control;
mod error;
mod key;
mod maintain;
mod marks;
mod mode;
mod problem;
mod repository;
mod restore;
mod snapshot;
mod source;
mod tree;
mod xattr;

pub use backup::{BackupOptions, Copied};
pub use control::{Control, Progress};
pub use error::FileError;
pub use key::{KeyEntry, MasterKey, Password};
pub use maintain::{Checked, DELETE_AFTER, Pruned, ReadData};
pub use problem::{Problem, Problems};
pub use repository::Repository;
pub use restore::{RestoreOptions, Restored, Target};
pub use snapshot::{Snapshot, SnapshotId};
pub use source::Source;
