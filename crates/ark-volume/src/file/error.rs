//! What ends a job, as opposed to what concerns a single file.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use ark_engine::port::StoreError;
use rustic_core::{ErrorKind, RusticError};

/// A job on a repository that did not get to its end.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing has been copied to this place yet, or the prefix is another one.
    #[error("there is no repository below `{0}`")]
    NoRepository(String),
    /// No key opens with what was given.
    #[error(
        "none of the {keys} keys of the repository below `{prefix}` opens with this password; \
         take the one that the repository was made with or was given since"
    )]
    WrongPassword {
        /// Where the repository is.
        prefix: String,
        /// How many keys were tried.
        keys: usize,
    },
    /// The name is not one of a snapshot of this repository.
    #[error("the repository has no snapshot `{0}`")]
    NoSnapshot(String),
    /// The object store's own words.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A directory or device, as a whole.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Local {
        /// What was tried: `read`, `write to`.
        action: &'static str,
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What is to be restored does not fit.
    #[error("`{}` has {has} bytes, the copy has {needs}; take a volume of that size", path.display())]
    TooSmall {
        /// Which device.
        path: PathBuf,
        /// Its bytes.
        has: u64,
        /// Bytes of the copy.
        needs: u64,
    },
    /// The snapshot is of another kind, or there is nothing of that name in it.
    #[error("the snapshot has no {wanted}; it has {has}")]
    NotInSnapshot {
        /// What was looked for.
        wanted: String,
        /// What is there.
        has: String,
    },
    /// Something in the repository is not what it must be.
    #[error("the repository is damaged: {0}; `check` says how far")]
    Damaged(String),
    /// It was told to stop.
    #[error("cancelled; what is copied so far stays, and beginning again goes on from there")]
    Cancelled,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl FileError {
    pub(super) fn local(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        Self::Local {
            action,
            path,
            source,
        }
    }

    /// Whether the same job may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Cancelled => true,
            _ => false,
        }
    }
}

/// The reason inside an error of the library's, when a job was told to stop.
#[derive(Debug, thiserror::Error)]
#[error("cancelled")]
pub(super) struct Stopped;

impl From<Box<RusticError>> for FileError {
    fn from(error: Box<RusticError>) -> Self {
        let mut reason: Option<&(dyn Error + 'static)> = Some(&*error);
        while let Some(inner) = reason {
            if inner.is::<Stopped>() {
                return Self::Cancelled;
            }
            if let Some(store) = inner.downcast_ref::<StoreError>() {
                return Self::Store(store.clone());
            }
            reason = inner.source();
        }
        // The library's own form is a page; its form for logs is a line.
        let line = error.display_log();
        let line = line.strip_prefix("Error: ").unwrap_or(&line).to_owned();
        Self::Other(line)
    }
}

/// An error of ours as one of the library's, found again by the conversion above.
pub(super) fn library(error: impl Error + Send + Sync + 'static) -> Box<RusticError> {
    RusticError::with_source(ErrorKind::Backend, "the object store failed", error)
}
