//! Doing the same to many things at a time.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use crate::file::error::FileError;

/// Does `work` to each item on so many threads; after the first error no further item is
/// begun.
pub(super) fn in_parallel<T: Send>(
    workers: NonZeroUsize,
    items: Vec<T>,
    work: impl Fn(T) -> Result<(), FileError> + Sync,
) -> Result<(), FileError> {
    let workers = workers.get().min(items.len());
    let queue = Mutex::new((items.into_iter(), None));
    let next = || {
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.1.is_some() {
            None
        } else {
            queue.0.next()
        }
    };
    let run = || {
        while let Some(item) = next() {
            if let Err(error) = work(item) {
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.1.get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(run);
        }
    });
    let (_, failed) = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.map_or(Ok(()), Err)
}
