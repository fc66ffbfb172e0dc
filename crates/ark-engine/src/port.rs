//! The edges of the engine: traits that adapters implement.
//!
//! Nothing here does I/O. `ark-kube` implements [`Cluster`], `ark-store`
//! implements [`Store`], `ark-volume` implements [`Disks`], the binary supplies [`Clock`].

mod clock;
mod cluster;
mod disks;
mod exec;
mod store;

pub use clock::{Clock, SystemClock, stamp};
pub use cluster::{
    ApiResource, Change, Changes, Cluster, ClusterError, ClusterErrorKind, CreateOptions,
    Discovery, FailedGroup, ListQuery, Page, Patch, Revision, ServerVersion, Target,
};
pub use disks::{
    Disk, DiskError, DiskErrorKind, DiskRequest, Disks, OWN_TAGS, Snapshot, SnapshotLocations,
    SnapshotRequest, SnapshotState, Tagged, Tags, Token,
};
pub use exec::{Captured, ExecCommand, ExecEnd, Execution};
pub use store::{
    ByteStream, EntryStream, PutMode, Store, StoreEntry, StoreError, StoreErrorKind, Upload,
};
