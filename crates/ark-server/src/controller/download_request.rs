//! Download requests: answered with an address that anybody can read from for a
//! while, and removed when it has expired.

use std::sync::Arc;
use std::time::Duration;

use ark_api::{DownloadRequest, DownloadRequestPhase, DownloadTarget, DownloadTargetKind, Time};
use ark_archive::layout;
use ark_kube::Next;
use jiff::{SignedDuration, Timestamp};

use super::ReconcileError;
use crate::context::Context;

/// How long an address is good for.
const LIFETIME: Duration = Duration::from_mins(10);

/// Answers a request, or removes it when its time is over.
pub(crate) async fn reconcile(
    context: Arc<Context>,
    request: Arc<DownloadRequest>,
) -> Result<Next, ReconcileError> {
    let name = request.metadata.name.as_deref().unwrap_or_default();
    if let Some(left) = time_left(&request, context.now()) {
        if *request.phase() == DownloadRequestPhase::Processed {
            return Ok(Next::After(left));
        }
    } else {
        context.api.downloads.delete(name).await?;
        return Ok(Next::OnChange);
    }
    let target = &request.spec.target;
    let Some(file) = file_of(target) else {
        let kind = target.kind.as_str();
        return Err(ReconcileError::Unanswerable(format!(
            "there are no files of kind `{kind}`"
        )));
    };
    let backup = match file.of {
        Owner::Backup => target.name.clone(),
        Owner::Restore => backup_of_restore(&context, &target.name).await?,
    };
    let url = sign(&context, &backup, &file.key).await?;
    let mut answered = DownloadRequest::clone(&request);
    let status = answered.status.get_or_insert_default();
    status.phase = Some(DownloadRequestPhase::Processed);
    status.download_url = url;
    status.expiration = context.now().checked_add(LIFETIME).ok().map(Time);
    context
        .api
        .downloads
        .patch(name, &request, &answered)
        .await?;
    Ok(Next::After(LIFETIME))
}

/// How long a request may stay: until its address expires or, unanswered, as long
/// after its creation. `None` when that is over.
pub(crate) fn time_left(request: &DownloadRequest, now: Timestamp) -> Option<Duration> {
    let status = request.status.as_ref();
    let expiration = if let Some(expiration) = status.and_then(|status| status.expiration.as_ref())
    {
        expiration.0
    } else {
        let created = request.metadata.creation_timestamp.as_ref()?.0;
        created.checked_add(LIFETIME).ok()?
    };
    let left = expiration.duration_since(now);
    if left <= SignedDuration::ZERO {
        None
    } else {
        Duration::try_from(left).ok()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Backup,
    Restore,
}

/// An object of a store, and what it belongs to.
pub(crate) struct File {
    pub(crate) of: Owner,
    pub(crate) key: String,
}

/// Which object of the store a target is; `None` for kinds of other versions.
pub(crate) fn file_of(target: &DownloadTarget) -> Option<File> {
    use DownloadTargetKind as Kind;
    let name = target.name.as_str();
    let backup = |key| {
        Some(File {
            of: Owner::Backup,
            key,
        })
    };
    let restore = |key| {
        Some(File {
            of: Owner::Restore,
            key,
        })
    };
    match target.kind {
        Kind::BackupLog => backup(layout::log(name)),
        Kind::BackupContents => backup(layout::contents(name)),
        Kind::BackupVolumeSnapshots => backup(layout::volume_snapshots(name)),
        Kind::BackupItemOperations => backup(layout::item_operations(name)),
        Kind::BackupResourceList => backup(layout::resource_list(name)),
        Kind::BackupResults => backup(layout::results(name)),
        Kind::CsiBackupVolumeSnapshots => backup(layout::csi_volume_snapshots(name)),
        Kind::CsiBackupVolumeSnapshotContents => backup(layout::csi_volume_snapshot_contents(name)),
        Kind::BackupVolumeInfos => backup(layout::volume_info(name)),
        Kind::RestoreLog => restore(layout::restore_log(name)),
        Kind::RestoreResults => restore(layout::restore_results(name)),
        Kind::RestoreResourceList => restore(layout::restore_resource_list(name)),
        Kind::RestoreItemOperations => restore(layout::restore_item_operations(name)),
        Kind::RestoreVolumeInfo => restore(layout::restore_volume_info(name)),
        Kind::Other(_) => None,
    }
}

async fn backup_of_restore(context: &Context, name: &str) -> Result<String, ReconcileError> {
    match context.api.restores.get(name).await? {
        Some(restore) => Ok(restore.spec.backup_name),
        None => Err(ReconcileError::Unanswerable(format!(
            "restore `{name}` does not exist"
        ))),
    }
}

/// Whether the object exists is for the reader to find out: old backups lack some
/// of the files, and clients take that for an answer.
async fn sign(context: &Context, backup: &str, key: &str) -> Result<String, ReconcileError> {
    let missing = |what: String| ReconcileError::Unanswerable(format!("{what} does not exist"));
    let Some(found) = context.api.backups.get(backup).await? else {
        return Err(missing(format!("backup `{backup}`")));
    };
    let name = found.spec.storage_location;
    let Some(location) = context.api.locations.get(&name).await? else {
        return Err(missing(format!("backup location `{name}`")));
    };
    let store = match context.locations.store(&location).await {
        Ok(store) => store,
        Err(source) => return Err(ReconcileError::Location { name, source }),
    };
    store
        .sign(key, LIFETIME)
        .await
        .map_err(|source| ReconcileError::Store { name, source })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_known_kind_has_a_file_in_its_owner_s_folder() {
        for kind in DownloadTargetKind::ALL {
            let target = DownloadTarget {
                kind: kind.clone(),
                name: "x".to_owned(),
            };
            let file = file_of(&target).unwrap();
            let (owner, folder) = if kind.as_str().starts_with("Restore") {
                (Owner::Restore, "restores/x/")
            } else {
                (Owner::Backup, "backups/x/")
            };
            assert_eq!(file.of, owner, "{kind}");
            assert!(file.key.starts_with(folder), "{kind}: {}", file.key);
        }
        let kind = DownloadTargetKind::Other("Later".to_owned());
        assert!(
            file_of(&DownloadTarget {
                kind,
                name: "x".to_owned()
            })
            .is_none()
        );
    }

    #[test]
    fn requests_stay_until_they_expire() {
        let request = |created: &str, expiration: Option<&str>| -> DownloadRequest {
            serde_json::from_value(json!({
                "apiVersion": "velero.io/v1", "kind": "DownloadRequest",
                "metadata": {"name": "r", "creationTimestamp": created},
                "spec": {"target": {"kind": "BackupLog", "name": "b"}},
                "status": {"expiration": expiration},
            }))
            .unwrap()
        };
        let now = "2026-01-01T00:10:00Z".parse().unwrap();
        let fresh = request("2026-01-01T00:09:00Z", None);
        assert_eq!(time_left(&fresh, now), Some(Duration::from_mins(9)));
        assert_eq!(time_left(&request("2026-01-01T00:00:00Z", None), now), None);
        let answered = request("2026-01-01T00:00:00Z", Some("2026-01-01T00:10:30Z"));
        assert_eq!(time_left(&answered, now), Some(Duration::from_secs(30)));
        let over = request("2026-01-01T00:00:00Z", Some("2026-01-01T00:09:30Z"));
        assert_eq!(time_left(&over, now), None);
    }
}
