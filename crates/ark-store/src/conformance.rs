//! What every backend must do, as functions: one property each, run by the tests of
//! a backend against a real one.
//!
//! [`conformance_tests!`](crate::conformance_tests) makes a test of each property;
//! a property that is added here is so tested everywhere.
//!
//! # Assumptions
//! A property gets a store of its own that is empty, and may leave objects behind.

use std::any::Any;
use std::ops::Range;
use std::sync::Arc;

use ark_engine::port::{PutMode, Store, StoreEntry, StoreError, StoreErrorKind};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;

mod capabilities;
mod keys;
mod listing;
mod objects;
mod race;
mod uploads;

pub use capabilities::nothing_is_lacking;
pub use keys::{odd_keys, refused_keys};
pub use listing::{folders, layout, many_keys};
pub use objects::{puts_and_reads, ranges, reads_are_bounded, streams};
pub use race::{one_of_racing_puts_wins, one_of_racing_uploads_wins};
pub use uploads::{
    cancelled_uploads_end, unfinished_uploads_are_unseen, upload_modes, upload_sizes,
};

/// The backend under test.
#[derive(Clone)]
pub struct Subject {
    /// An empty store.
    pub store: Arc<dyn Store>,
    /// Bytes of a part of its uploads; uploads are tried around its edges.
    pub part_size: usize,
    /// Whether completing an upload of several parts is one step on this server, as it
    /// is on S3. SeaweedFS 4.48 looks first and completes then, so that uploads which
    /// end in the same instant can all succeed and the last one stays.
    pub atomic_completion: bool,
    /// Whether an upload that was given up bars nobody, as it must be. Azurite 3.37 takes
    /// its blocks for an object when somebody creates one by a single call.
    pub forgets_uploads: bool,
    /// What lives as long as the store: a temporary directory, a server.
    pub keep: Arc<dyn Any + Send + Sync>,
}

/// A property that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// The store answered otherwise than it must.
    #[error("{0}")]
    Answer(String),
    /// A call failed that must not.
    #[error("a call failed that must not")]
    Call(#[from] StoreError),
}

/// What a property says.
pub type Verdict = Result<(), Violation>;

/// One test for each property. The argument is an async function that opens a
/// [`Subject`](crate::conformance::Subject).
#[macro_export]
macro_rules! conformance_tests {
    ($open:path) => {
        $crate::conformance_tests! { $open;
            puts_and_reads, reads_are_bounded, ranges, streams,
            one_of_racing_puts_wins, one_of_racing_uploads_wins,
            upload_sizes, upload_modes, unfinished_uploads_are_unseen, cancelled_uploads_end,
            many_keys, folders, layout, odd_keys, refused_keys,
            nothing_is_lacking,
        }
    };
    ($open:path; $($property:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $property() {
                let subject = $open().await;
                let verdict = $crate::conformance::$property(&subject).await;
                verdict.unwrap_or_else(|violation| panic!("{violation:?}"));
            }
        )*
    };
}

/// Fails the property with a message unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Violation::Answer(format!($($message)+)));
        }
    };
}
use ensure;

/// The call must fail, and in this way.
fn must_fail<T>(call: &str, wanted: StoreErrorKind, answer: Result<T, StoreError>) -> Verdict {
    match answer {
        Err(error) if error.kind == wanted => Ok(()),
        Err(error) => Err(Violation::Answer(format!(
            "{call}: {wanted:?} expected, not {error:?}"
        ))),
        Ok(_) => Err(Violation::Answer(format!(
            "{call}: {wanted:?} expected, not success"
        ))),
    }
}

/// `size` bytes that repeat nowhere near, different for each seed.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low byte of a mixed number is the point"
)]
pub fn pattern(seed: u64, size: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = BytesMut::with_capacity(size);
    for _ in 0..size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&[state as u8]);
    }
    bytes.freeze()
}

async fn stream_of(subject: &Subject, key: &str) -> Result<Bytes, StoreError> {
    let mut stream = subject.store.stream(key).await?;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = stream.try_next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

async fn list_of(subject: &Subject, prefix: &str) -> Result<Vec<StoreEntry>, StoreError> {
    subject.store.list(prefix).await?.try_collect().await
}

async fn keys_of(subject: &Subject, prefix: &str) -> Result<Vec<String>, StoreError> {
    let entries = list_of(subject, prefix).await?;
    Ok(entries.into_iter().map(|entry| entry.key).collect())
}

async fn create(subject: &Subject, key: &str, body: &Bytes) -> Result<(), StoreError> {
    subject.store.put(key, body.clone(), PutMode::Create).await
}

/// Uploads in chunks of this many bytes.
async fn upload(
    subject: &Subject,
    key: &str,
    (body, chunk): (&Bytes, usize),
    mode: PutMode,
) -> Result<(), StoreError> {
    let mut upload = subject.store.upload(key, mode).await?;
    for range in ranges_of(body.len(), chunk) {
        upload.write(body.slice(range)).await?;
    }
    upload.finish().await
}

fn ranges_of(size: usize, chunk: usize) -> impl Iterator<Item = Range<usize>> {
    (0..size)
        .step_by(chunk)
        .map(move |start| start..size.min(start + chunk))
}
