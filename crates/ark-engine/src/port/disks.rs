//! Disks of a cloud and their snapshots, as the engine needs them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

/// A name for what is to be made, so that making it again makes nothing new: up to 64
/// characters, letters, digits and hyphens.
pub type Token = String;

/// What is told to the cloud of a thing, and asked from it: keys as Kubernetes' labels
/// have them, values of up to 256 characters. A cloud that cannot keep one so keeps what
/// it can, the same each time, except for keys below [`OWN_TAGS`]: those come back as
/// they went.
pub type Tags = BTreeMap<String, String>;

/// Prefixes of the keys that Ark itself looks for; their values are up to 63 characters
/// of letters, digits, `-`, `_` and `.`.
pub const OWN_TAGS: [&str; 2] = ["ark.heptio.com/", "velero.io/"];

/// The disk behind a persistent volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Its id at the provider.
    pub id: String,
    /// Its zone; empty if the volume does not tell.
    pub zone: String,
}

/// A snapshot to be taken.
#[derive(Debug, Clone)]
pub struct SnapshotRequest {
    /// Of what.
    pub disk: Disk,
    /// The name of the deed.
    pub token: Token,
    /// What the snapshot shall have.
    pub tags: Tags,
}

/// A snapshot that has been begun. It shows the disk as it was at that moment, however
/// long it takes until it can be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id at the provider.
    pub id: String,
    /// What kind of disk it is of, such as `gp3`.
    pub disk_type: String,
    /// Where the disk is.
    pub zone: String,
    /// I/O operations per second that the disk is set to, where it can be.
    pub iops: Option<i64>,
}

/// How far a snapshot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotState {
    /// Being made; percent, where the provider says so.
    Pending(Option<u8>),
    /// A disk can be made of it.
    Completed,
    /// It will never be of use; the provider's reason.
    Failed(String),
}

/// A disk to be made of a snapshot.
#[derive(Debug, Clone)]
pub struct DiskRequest {
    /// The snapshot's id.
    pub snapshot: String,
    /// As [`Snapshot::disk_type`].
    pub disk_type: String,
    /// Where it shall be; empty where the provider knows by itself.
    pub zone: String,
    /// As [`Snapshot::iops`].
    pub iops: Option<i64>,
    /// The name of the deed.
    pub token: Token,
    /// What the disk shall have besides what the snapshot has.
    pub tags: Tags,
}

/// A snapshot or a disk in the cloud, by what was told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// Its id at the provider.
    pub id: String,
    /// What it has.
    pub tags: Tags,
}

/// The disks of one account at a provider.
///
/// # Flow
/// A backup asks for the disk behind each volume, takes a snapshot of it, and looks how
/// far all of them are until each is completed. A restore makes a disk of a snapshot and
/// writes it into the volume.
///
/// # Guarantees
/// * With the token of a snapshot or disk that exists nothing is made: that one is
///   answered. So neither a lost answer nor a process that died doubles anything.
/// * What does not exist is deleted: no error.
/// * Throttling and passing failures are retried inside, within a budget; the writing
///   calls look first what became of the call before.
///
/// # Errors
/// [`DiskError`] with the thing in question and a kind that says what can be done.
#[async_trait]
pub trait Disks: Send + Sync {
    /// The disk behind a `PersistentVolume`; `None` for a volume of somebody else.
    fn disk_of(&self, volume: &Value) -> Option<Disk>;

    /// Puts another disk behind a `PersistentVolume` of which [`Disks::disk_of`] knows one.
    /// Where the volume says in which zone it is, it says the disk's then.
    fn set_disk(&self, volume: &mut Value, disk: &Disk);

    /// Begins a snapshot.
    async fn create_snapshot(&self, request: &SnapshotRequest) -> Result<Snapshot, DiskError>;

    /// How far snapshots are, by id. One that does not exist is left out.
    async fn snapshot_states(
        &self,
        ids: &[String],
    ) -> Result<BTreeMap<String, SnapshotState>, DiskError>;

    /// The snapshots that have one of [`OWN_TAGS`]: with this value, or with any.
    async fn find_snapshots(
        &self,
        key: &str,
        value: Option<&str>,
    ) -> Result<Vec<Tagged>, DiskError>;

    /// The disks that have one of [`OWN_TAGS`]: with this value, or with any.
    async fn find_disks(&self, key: &str, value: Option<&str>) -> Result<Vec<Tagged>, DiskError>;

    /// Deletes a snapshot.
    async fn delete_snapshot(&self, id: &str) -> Result<(), DiskError>;

    /// Makes a disk, which can be attached when this returns.
    async fn create_disk(&self, request: &DiskRequest) -> Result<Disk, DiskError>;

    /// Deletes a disk that nobody uses.
    async fn delete_disk(&self, disk: &Disk) -> Result<(), DiskError>;
}

/// The snapshot locations that a job may use, in the order of their names; one that
/// cannot be used says why.
#[derive(Clone, Default)]
pub struct SnapshotLocations(BTreeMap<String, Result<Arc<dyn Disks>, String>>);

impl SnapshotLocations {
    /// The first location that knows the disk behind a volume.
    pub fn of(&self, volume: &Value) -> Option<(&str, Disk)> {
        self.usable()
            .find_map(|(name, disks)| Some((name, disks.disk_of(volume)?)))
    }

    /// Those that can be used.
    pub fn usable(&self) -> impl Iterator<Item = (&str, &dyn Disks)> {
        let all = self.0.iter();
        all.filter_map(|(name, disks)| Some((name.as_str(), disks.as_deref().ok()?)))
    }

    /// Those that cannot be used, and why.
    pub fn unusable(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.filter_map(|(name, disks)| Some((name.as_str(), disks.as_ref().err()?.as_str())))
    }

    /// One by its name.
    ///
    /// # Errors
    /// Why it cannot be used, as a sentence that names it.
    pub fn get(&self, name: &str) -> Result<&dyn Disks, String> {
        match self.0.get(name) {
            Some(Ok(disks)) => Ok(disks.as_ref()),
            Some(Err(why)) => Err(format!("snapshot location `{name}` cannot be used: {why}")),
            None => Err(format!("snapshot location `{name}` does not exist")),
        }
    }
}

impl FromIterator<(String, Result<Arc<dyn Disks>, String>)> for SnapshotLocations {
    fn from_iter<T>(locations: T) -> Self
    where
        T: IntoIterator<Item = (String, Result<Arc<dyn Disks>, String>)>,
    {
        Self(locations.into_iter().collect())
    }
}

impl fmt::Debug for SnapshotLocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A call to the provider that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct DiskError {
    /// What can be done about it.
    pub kind: DiskErrorKind,
    /// Which call on what: `CreateSnapshot of vol-1`.
    pub operation: String,
    /// The provider's own words, or the transport's.
    pub message: String,
    /// How long the provider asked to wait.
    pub retry_after: Option<Duration>,
}

/// Classes of failure, by what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskErrorKind {
    /// No such disk or snapshot.
    NotFound,
    /// Credentials are missing, wrong or not allowed to do this.
    Denied,
    /// The provider will not have as many.
    Quota,
    /// What is asked for cannot be.
    Invalid,
    /// Too many calls, after the adapter's own waiting.
    Throttled,
    /// Timeout, broken connection, 5xx: may work later.
    Unavailable,
    /// The answer was not what the API promises.
    Malformed,
    /// Anything else.
    Other,
}

impl DiskError {
    /// Whether the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            DiskErrorKind::Throttled | DiskErrorKind::Unavailable
        )
    }
}
