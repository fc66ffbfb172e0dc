//! What went wrong with single files, while the rest went on.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// How many problems are kept; the others are counted.
const KEPT: usize = 100;

/// One file, or one thing about it, that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, below the volume's root.
    pub path: PathBuf,
    /// What, and why.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path.display(), self.what)
    }
}

/// All that went wrong with single files: the first 100, and how many there were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// The first ones.
    pub first: Vec<Problem>,
    /// All of them.
    pub count: u64,
}

impl Problems {
    /// Whether nothing went wrong.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// Where many threads put problems.
#[derive(Debug, Default)]
pub(super) struct Collector(Mutex<Problems>);

impl Collector {
    pub(super) fn add(&self, path: &Path, what: impl Into<String>) {
        let mut problems = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        problems.count += 1;
        if problems.first.len() < KEPT {
            let (path, what) = (path.to_owned(), what.into());
            problems.first.push(Problem { path, what });
        }
    }

    pub(super) fn take(&self) -> Problems {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
