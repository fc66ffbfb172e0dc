//! One controller a file. A reconcile reads as its steps: fetch what the spec
//! refers to, validate, plan, act, report; the steps in the middle take no client.

use std::time::Duration;

use ark_api::{BackupStorageLocation, ObjectMeta, label};
use ark_engine::port::{ClusterError, ClusterErrorKind, StoreError};
use ark_kube::{Custom, CustomError, CustomResource};
use jiff::{SignedDuration, Timestamp};

use crate::locations::LocationError;
use crate::status::Written;

pub(crate) mod backup;
pub(crate) mod backup_queue;
pub(crate) mod backup_sync;
pub(crate) mod delete_request;
pub(crate) mod download_request;
pub(crate) mod gc;
pub(crate) mod housekeeping;
pub(crate) mod restore;
pub(crate) mod schedule;
pub(crate) mod status_request;
pub(crate) mod storage_location;

/// A reconcile that is to be repeated later.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileError {
    /// A call about our own resources.
    #[error(transparent)]
    Custom(#[from] CustomError),
    /// Another call to the API server.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A location could not be opened.
    #[error("backup location `{name}`")]
    Location {
        /// The location.
        name: String,
        /// Why.
        #[source]
        source: LocationError,
    },
    /// A call to a location's store.
    #[error("backup location `{name}`")]
    Store {
        /// The location.
        name: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// What is asked for cannot be answered.
    #[error("{0}")]
    Unanswerable(String),
}

impl ReconcileError {
    /// Whether somebody else wrote first: looking again is all there is to do.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Custom(error) if error.kind() == Some(ClusterErrorKind::Conflict))
    }
}

/// An error and its causes as one sentence, for a status.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Writes progress: what differs between `before`, which must have no uid and no
/// progress, and `after`. With the uid in the patch the server refuses when the
/// name stands for another object by now.
pub(crate) async fn write_progress<K: CustomResource>(
    objects: &Custom<K>,
    name: &str,
    before: &K,
    after: &K,
) -> Written {
    let Err(error) = objects.patch(name, before, after).await else {
        return Written::GoOn;
    };
    let gone = match error.kind() {
        Some(ClusterErrorKind::NotFound) => true,
        // Another object, or many writers at once.
        Some(ClusterErrorKind::Conflict) => match objects.get(name).await {
            Ok(found) => found.is_none_or(|found| found.meta().uid != after.meta().uid),
            Err(_) => false,
        },
        _ => false,
    };
    if gone {
        return Written::Gone;
    }
    tracing::warn!(name, %error, "cannot write progress");
    Written::GoOn
}

/// How long what needs a location waits for it to be looked at for the first time.
const LOCATION_PATIENCE: SignedDuration = SignedDuration::from_mins(1);
/// Pause between two looks while it waits.
const LOCATION_PAUSE: Duration = Duration::from_secs(1);

/// Whether nobody looked at a location yet, and what needs it is new: resources
/// that are applied together shall not fail because of their order.
fn is_unseen(location: &BackupStorageLocation, needs: &ObjectMeta, now: Timestamp) -> bool {
    let created = needs.creation_timestamp.as_ref();
    let age = created.map(|created| now.duration_since(created.0));
    location.phase().is_none() && age.is_some_and(|age| age < LOCATION_PATIENCE)
}

/// The location of a name.
pub(crate) fn find<'a>(
    locations: &'a [BackupStorageLocation],
    name: &str,
) -> Option<&'a BackupStorageLocation> {
    locations
        .iter()
        .find(|location| location.metadata.name.as_deref() == Some(name))
}

/// The schedule that made an object, for metrics; empty when none did.
pub(crate) fn schedule(metadata: &ObjectMeta) -> &str {
    let labels = metadata.labels.as_ref();
    labels
        .and_then(|labels| labels.get(label::SCHEDULE_NAME))
        .map_or("", String::as_str)
}
