//! Object storage, as the engine needs it: keys, bytes and one commit rule.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use jiff::Timestamp;

/// The bytes of an object, in order.
pub type ByteStream = BoxStream<'static, Result<Bytes, StoreError>>;

/// The entries of a listing, in the store's order.
pub type EntryStream = BoxStream<'static, Result<StoreEntry, StoreError>>;

/// One stored object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreEntry {
    /// Key below the location's prefix, never starting with `/`.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was written, where the store says so.
    pub modified: Option<Timestamp>,
}

/// Whether an existing object may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutMode {
    /// Fails with [`StoreErrorKind::AlreadyExists`] when the key exists.
    Create,
    /// Writes over what is there.
    Replace,
}

/// A bucket below a prefix, or a directory.
///
/// # Flow
/// Small objects by [`put`](Store::put) and [`read`](Store::read), large ones by
/// [`upload`](Store::upload), [`read_range`](Store::read_range) and
/// [`stream`](Store::stream).
///
/// # Guarantees
/// * An object is seen whole or not at all; an upload that is not finished, by
///   whatever cause, is never seen.
/// * Of several writers with [`PutMode::Create`] on one key exactly one succeeds,
///   also when the answer to its first attempt was lost and retried.
/// * Memory is bounded by parts in flight times the size of a part.
/// * Passing failures are retried inside, within a budget.
///
/// # Errors
/// [`StoreError`] with the key and a kind that says what can be done.
#[async_trait]
pub trait Store: Send + Sync {
    /// A whole object of at most `max` bytes; a larger one is
    /// [`StoreErrorKind::TooLarge`] and is not read.
    async fn read(&self, key: &str, max: u64) -> Result<Bytes, StoreError>;

    /// Exactly the bytes of `range`; a shorter object is [`StoreErrorKind::Truncated`].
    async fn read_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError>;

    /// The object from its first byte to its last; ending early is an error item.
    async fn stream(&self, key: &str) -> Result<ByteStream, StoreError>;

    /// Writes a small object.
    async fn put(&self, key: &str, body: Bytes, mode: PutMode) -> Result<(), StoreError>;

    /// Starts writing an object of unknown length.
    async fn upload(&self, key: &str, mode: PutMode) -> Result<Box<dyn Upload>, StoreError>;

    /// Size and time of an object; `None` when there is none.
    async fn stat(&self, key: &str) -> Result<Option<StoreEntry>, StoreError>;

    /// Every object whose key starts with `prefix` (`backups/x/`), page by page.
    async fn list(&self, prefix: &str) -> Result<EntryStream, StoreError>;

    /// Names of the directories directly below `prefix` (`""` or `backups/`),
    /// without slashes, sorted.
    async fn list_dirs(&self, prefix: &str) -> Result<Vec<String>, StoreError>;

    /// Deletes keys, in batches where the store can; absent ones count as deleted.
    async fn delete(&self, keys: &[String]) -> Result<(), StoreError>;

    /// A URL that reads the object without credentials for `ttl`. A directory
    /// answers a `file:` URL.
    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, StoreError>;
}

/// An object being written. Dropping it unfinished leaves nothing visible.
#[async_trait]
pub trait Upload: Send {
    /// Appends; waits while too many parts are in flight.
    async fn write(&mut self, chunk: Bytes) -> Result<(), StoreError>;

    /// Makes the object visible.
    async fn finish(self: Box<Self>) -> Result<(), StoreError>;

    /// Gives up and removes what was sent.
    async fn abort(self: Box<Self>) -> Result<(), StoreError>;
}

/// A call to the store that did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub struct StoreError {
    /// What can be done about it.
    pub kind: StoreErrorKind,
    /// Which call, as the method of [`Store`] is named: `read`, `upload`.
    pub operation: &'static str,
    /// The key, or the prefix of a listing.
    pub key: String,
    /// The store's own words.
    pub message: String,
}

/// Classes of failure, by what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// No such object.
    NotFound,
    /// No such bucket or directory.
    BucketNotFound,
    /// A conditional create met an existing object.
    AlreadyExists,
    /// Credentials are missing, wrong or not allowed to do this.
    Denied,
    /// The location's configuration cannot work.
    Config,
    /// Larger than the caller's bound.
    TooLarge,
    /// Fewer bytes than there must be.
    Truncated,
    /// Passing: timeouts, resets, throttling, 5xx, after the adapter's own retries.
    Unavailable,
    /// The store does not offer this.
    Unsupported,
    /// Anything else.
    Other,
}

impl fmt::Display for StoreError {
    /// For people: `cannot list the bucket: no such bucket`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.operation {
            "list" | "list_dirs" => "list",
            "put" | "upload" => "write",
            "read" | "read_range" => "read",
            "stat" => "look up",
            other => other,
        };
        match self.key.as_str() {
            "" => write!(f, "cannot {verb} the bucket: {}", self.message),
            key => write!(f, "cannot {verb} `{key}`: {}", self.message),
        }
    }
}

impl StoreError {
    /// Whether the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        self.kind == StoreErrorKind::Unavailable
    }
}
