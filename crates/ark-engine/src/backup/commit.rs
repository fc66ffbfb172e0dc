//! The files beside the archive, and the one whose existence makes a backup.
//!
//! `velero-backup.json` is written last, once. Until then nothing that lists
//! backups sees any of it.

use std::collections::BTreeMap;

use ark_api::{Backup, BackupPhase, BackupStatus, Time, label};
use ark_archive::side::{self, OperationPhase};
use ark_archive::{layout, metadata};
use bytes::Bytes;
use futures::TryStreamExt as _;
use serde::Serialize;
use serde_json::json;

use super::sink::Written;
use super::{BackupError, ValidatedBackup};
use crate::catalog;
use crate::job::Job;
use crate::outcome::Severity;
use crate::port::{PutMode, Revision, ServerVersion, Store, stamp};

/// Annotation with the revision that a backup shows.
pub const REVISION_ANNOTATION: &str = "ark.heptio.com/revision";

/// Which instant of the cluster a backup shows.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Instant {
    /// The revision of the cluster's store; absent where the fence was off.
    pub revision: Option<String>,
    /// When that revision was the newest.
    pub time: Option<Time>,
    /// Lists that show another moment.
    pub exceptions: Vec<Exception>,
}

/// A list that could not be read at the common revision.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exception {
    /// `pods.metrics.k8s.io`.
    pub resource: String,
    /// The revision that it shows.
    pub revision: String,
    /// Why.
    pub reason: String,
}

impl Instant {
    pub(super) fn at(revision: Option<&Revision>, time: Time) -> Self {
        Self {
            revision: revision.map(|r| r.0.clone()),
            time: Some(time),
            exceptions: Vec::new(),
        }
    }
}

/// The status of a backup that is committed already, when it is this very one.
///
/// # Errors
/// [`BackupError::Exists`] when another backup has the name.
pub(super) async fn committed(
    store: &dyn Store,
    backup: &ValidatedBackup,
) -> Result<Option<BackupStatus>, BackupError> {
    let name = backup.name();
    let document = match catalog::read(store, name).await {
        Ok(document) => document,
        Err(error) if error.is_absent() => return Ok(None),
        Err(error) => return Err(BackupError::Catalog(error)),
    };
    let uid = backup.backup.metadata.uid.as_deref();
    if uid.is_none() || document["metadata"]["uid"].as_str() != uid {
        return Err(BackupError::Exists {
            name: name.to_owned(),
        });
    }
    let status =
        serde_json::from_value(document["status"].clone()).map_err(BackupError::Metadata)?;
    Ok(Some(status))
}

/// Removes what an attempt that died left behind.
pub(super) async fn clear(store: &dyn Store, name: &str) -> Result<(), BackupError> {
    let entries: Vec<_> = store
        .list(&layout::backup_dir(name))
        .await?
        .try_collect()
        .await?;
    let keys: Vec<String> = entries.into_iter().map(|entry| entry.key).collect();
    if !keys.is_empty() {
        store.delete(&keys).await?;
    }
    Ok(())
}

/// Removes what a backup that was not committed has left, its log, too. A committed
/// one stays as it is.
///
/// # Errors
/// [`BackupError::Store`].
pub async fn discard(store: &dyn Store, name: &str) -> Result<(), BackupError> {
    match catalog::read(store, name).await {
        Err(error) if error.is_absent() => clear(store, name).await,
        _ => Ok(()),
    }
}

/// Writes everything but the archive; returns the final status.
pub(super) async fn commit(
    job: &Job,
    backup: &ValidatedBackup,
    written: &Written,
    instant: &Instant,
    version: &ServerVersion,
) -> Result<BackupStatus, BackupError> {
    let name = backup.name();
    let store = job.ports.store.as_ref();
    let issues = job.issues();
    let none = side::encode(&json!([])).map_err(BackupError::Side)?;
    let files = [
        (layout::index(name), written.index.clone()),
        (layout::manifest(name), manifest(written, instant)?),
        (
            layout::resource_list(name),
            side::encode(&written.listing).map_err(BackupError::Side)?,
        ),
        (
            layout::results(name),
            side::encode(&issues.to_results()).map_err(BackupError::Side)?,
        ),
        (
            layout::volume_info(name),
            side::encode(&written.volumes.infos).map_err(BackupError::Side)?,
        ),
        (
            layout::volume_snapshots(name),
            side::encode(&written.volumes.snapshots).map_err(BackupError::Side)?,
        ),
        (
            layout::item_operations(name),
            side::encode(&written.volumes.operations).map_err(BackupError::Side)?,
        ),
        (layout::pod_volume_backups(name), none),
        (layout::log(name), job.log().map_err(BackupError::Log)?),
    ];
    for (key, bytes) in files {
        store.put(&key, Bytes::from(bytes), PutMode::Create).await?;
    }
    let document = document(job, backup, written, instant, version);
    let status = document.status.clone().unwrap_or_default();
    let text = metadata::encode_backup(&document).map_err(BackupError::Document)?;
    store
        .put(&layout::metadata(name), Bytes::from(text), PutMode::Create)
        .await?;
    Ok(status)
}

fn manifest(written: &Written, instant: &Instant) -> Result<Vec<u8>, BackupError> {
    let document = json!({
        "formatVersion": 1,
        "instant": instant,
        "contents": {"bytes": written.bytes, "sha256": written.sha256, "items": written.items},
    });
    let mut text = serde_json::to_vec_pretty(&document).map_err(BackupError::Metadata)?;
    text.push(b'\n');
    Ok(text)
}

fn document(
    job: &Job,
    backup: &ValidatedBackup,
    written: &Written,
    instant: &Instant,
    version: &ServerVersion,
) -> Backup {
    let mut document = backup.backup.clone();
    let issues = job.issues();
    let items = i64::try_from(written.items).unwrap_or(i64::MAX);
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let count = |severity| number(issues.count(severity));
    let status = document.status.get_or_insert_default();
    status.phase = Some(if issues.is_complete() {
        BackupPhase::Completed
    } else {
        BackupPhase::PartiallyFailed
    });
    status.completion_timestamp = Some(stamp(job.ports.clock.now()));
    status.warnings = count(Severity::Warning);
    status.errors = count(Severity::Error);
    let progress = status.progress.get_or_insert_default();
    progress.total_items = items;
    progress.items_backed_up = items;
    status.hook_status = Some(job.hooks());
    status.volume_snapshots_attempted = number(written.volumes.snapshots.len());
    status.volume_snapshots_completed = number(written.volumes.completed());
    let ended = |phase: OperationPhase| {
        let operations = written.volumes.operations.iter();
        number(
            operations
                .filter(|one| one.status.phase == Some(phase))
                .count(),
        )
    };
    // Each CSI snapshot is an operation, and there are no others.
    status.backup_item_operations_attempted = number(written.volumes.operations.len());
    status.backup_item_operations_completed = ended(OperationPhase::Completed);
    status.backup_item_operations_failed = ended(OperationPhase::Failed);
    status.csi_volume_snapshots_attempted = status.backup_item_operations_attempted;
    status.csi_volume_snapshots_completed = status.backup_item_operations_completed;
    // Whoever lists the bucket derives them from the phase again.
    status.conditions.clear();
    document.metadata.managed_fields = None;
    document
        .metadata
        .annotations
        .get_or_insert_default()
        .extend(annotations(version, instant));
    document
}

/// The cluster and the instant that a backup shows, as annotations.
pub fn annotations(version: &ServerVersion, instant: &Instant) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([
        (
            label::SOURCE_CLUSTER_GIT_VERSION.to_owned(),
            version.git_version.clone(),
        ),
        (
            label::SOURCE_CLUSTER_MAJOR_VERSION.to_owned(),
            version.major.clone(),
        ),
        (
            label::SOURCE_CLUSTER_MINOR_VERSION.to_owned(),
            version.minor.clone(),
        ),
    ]);
    if let Some(revision) = &instant.revision {
        all.insert(REVISION_ANNOTATION.to_owned(), revision.clone());
    }
    all
}

/// After a failure: takes back what was written, leaves the log for people.
pub(super) async fn give_up(job: &Job, name: &str) {
    let store = job.ports.store.as_ref();
    if let Err(error) = clear(store, name).await {
        job.note(format!("what was written could not be removed: {error}"));
    }
    // Best effort: the failure itself is in the status already.
    if let Ok(log) = job.log() {
        let _ = store
            .put(&layout::log(name), Bytes::from(log), PutMode::Replace)
            .await;
    }
}
