//! How far a job is, and how it is told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustic_core::{ProgressBars, ProgressType, RusticProgress};
use tokio_util::sync::CancellationToken;

/// What somebody who started a job keeps in hand.
#[derive(Debug, Clone, Default)]
pub struct Control {
    /// Stops the job: it ends with [`FileError::Cancelled`](super::FileError::Cancelled)
    /// within a chunk's time.
    pub cancel: CancellationToken,
    /// How far it is.
    pub progress: Arc<Progress>,
}

/// Bytes of a job; may be read at any time.
#[derive(Debug, Default)]
pub struct Progress {
    total: AtomicU64,
    done: AtomicU64,
}

impl Progress {
    /// Bytes that there are, as far as is known now.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Bytes that are done: read, found unchanged, or written.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(super) fn expect(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn add(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Hands [`Progress`] to the library: what it counts in bytes is ours, the rest is not
/// worth telling.
#[derive(Debug)]
pub(super) struct Bars(pub(super) Arc<Progress>);

impl ProgressBars for Bars {
    fn progress(&self, kind: ProgressType, _: &str) -> rustic_core::Progress {
        match kind {
            ProgressType::Bytes => rustic_core::Progress::new(Bar(self.0.clone())),
            ProgressType::Spinner | ProgressType::Counter => rustic_core::Progress::hidden(),
        }
    }
}

#[derive(Debug)]
struct Bar(Arc<Progress>);

impl RusticProgress for Bar {
    fn is_hidden(&self) -> bool {
        false
    }

    fn set_length(&self, length: u64) {
        self.0.expect(length);
    }

    fn set_title(&self, _: &str) {}

    fn inc(&self, bytes: u64) {
        self.0.add(bytes);
    }

    fn finish(&self) {}
}
