//! The custom resources of `velero.io/v1` and `velero.io/v2alpha1`: types,
//! phases and their legal transitions, label keys, and the definitions (CRDs)
//! generated from the types.
//!
//! What holds for all kinds:
//!
//! * A field that may be absent reads as absent, as `null` and as its zero
//!   value, and is left out when it has its zero value. That is how the Go
//!   clients of this API read and write.
//! * There is no status sub-resource: clients of this API update and patch the
//!   whole object, status included.
//! * A phase or other named value that this version does not know is kept as
//!   it came (`Other`), so that one object written by another version cannot
//!   stop a watch.
//! * Fields that this version does not know are dropped by typed writing. To
//!   rewrite a document made by someone else, use [`patch::edit`]; to change an
//!   object in the cluster, send a [`patch::merge_patch`].
//!
//! This crate does no input or output, knows no client and no async runtime.

#![expect(
    clippy::doc_markdown,
    reason = "the documentation of fields is what `kubectl explain` prints, where backticks are noise"
)]
#![expect(
    clippy::duplicated_attributes,
    reason = "taken for duplicates: the properties of several printer columns"
)]

#[macro_use]
mod named;

pub mod backup;
pub mod cancel;
pub mod condition;
pub mod crd;
pub mod data_move;
pub mod delete_request;
pub mod download_request;
pub mod duration;
pub mod hook;
pub mod label;
pub mod mover;
pub mod patch;
pub mod pod_volume;
pub mod repository;
pub mod restore;
pub mod schedule;
pub mod snapshot_location;
pub mod status_request;
pub mod storage_location;
pub mod wire;
pub mod zone;

pub use backup::{Backup, BackupPhase, BackupSpec, BackupStatus};
pub use condition::Condition;
pub use data_move::{DataDownload, DataUpload};
pub use delete_request::{DeleteBackupRequest, DeleteBackupRequestPhase};
pub use download_request::{
    DownloadRequest, DownloadRequestPhase, DownloadTarget, DownloadTargetKind,
};
pub use duration::GoDuration;
pub use k8s_openapi::ByteString;
pub use k8s_openapi::api::core::v1::{ObjectReference, TypedLocalObjectReference};
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    LabelSelector, ObjectMeta, OwnerReference, Time,
};
pub use mover::MoverPhase;
pub use pod_volume::{PodVolumeBackup, PodVolumeRestore};
pub use repository::{BackupRepository, RepositoryPhase};
pub use restore::{Restore, RestorePhase, RestoreSpec, RestoreStatus};
pub use schedule::{Schedule, SchedulePhase};
pub use snapshot_location::VolumeSnapshotLocation;
pub use status_request::{ServerStatusRequest, ServerStatusRequestPhase};
pub use storage_location::{AccessMode, BackupStorageLocation, LocationPhase, SecretKeySelector};

/// API group of all kinds.
pub const GROUP: &str = "velero.io";
/// `apiVersion` of all kinds but [`DataUpload`] and [`DataDownload`].
pub const V1: &str = "velero.io/v1";
/// `apiVersion` of [`DataUpload`] and [`DataDownload`].
pub const V2ALPHA1: &str = "velero.io/v2alpha1";
