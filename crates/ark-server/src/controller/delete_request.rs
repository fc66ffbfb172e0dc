//! Deletion of backups: snapshots, files, restores, the resource, in this order. The
//! snapshots go while the files tell of them, the files before the resource, so that a
//! sync cannot bring the backup back.

mod plan;

use std::sync::Arc;
use std::time::Duration;

use ark_api::{Backup, BackupPhase, DeleteBackupRequest, DeleteBackupRequestPhase, Restore, label};
use ark_engine::delete::{self, DeleteError, World};
use ark_engine::port::{SnapshotLocations, Store};
use ark_kube::Next;

use super::{ReconcileError, find, schedule, sentence};
use crate::context::{Context, DeletionResult};
use crate::jobs::{JobKey, Observed};
use plan::{DeletePlan, Facts, is_stale, leading, plan_deletion, running_restore};

/// How long restores may take to go, each with its files.
const RESTORES_PATIENCE: Duration = Duration::from_mins(1);
/// Pause between two looks at them.
const RESTORES_PAUSE: Duration = Duration::from_millis(500);
/// Requests that are done are looked at this often, until they are old.
const STALE_PAUSE: Duration = Duration::from_hours(1);

/// Brings one request a step further.
pub(crate) async fn reconcile(
    context: Arc<Context>,
    seen: Arc<DeleteBackupRequest>,
) -> Result<Next, ReconcileError> {
    let Some(key) = JobKey::of(&seen.metadata) else {
        return Ok(Next::OnChange);
    };
    let observed = context.deletion_jobs.observe(&key);
    if matches!(observed, Observed::Running) {
        return Ok(Next::OnChange);
    }
    let request = context.api.deletions.get(&key.name).await?;
    let Some(request) = request.filter(|request| request.metadata.uid == seen.metadata.uid) else {
        context.deletion_jobs.forget(&key);
        return Ok(Next::OnChange);
    };
    match observed {
        Observed::Ended(errors) => finish(&context, &key, &request, errors.to_vec()).await,
        Observed::Panicked(message) => {
            let error = format!("the deletion ended by a fault of the server: {message}");
            finish(&context, &key, &request, vec![error]).await
        }
        _ if is_stale(&request, context.now()) => {
            context.api.deletions.delete(&key.name).await?;
            Ok(Next::OnChange)
        }
        _ if *request.phase() == DeleteBackupRequestPhase::Processed => {
            Ok(Next::After(STALE_PAUSE))
        }
        _ => begin(&context, &key, &request).await,
    }
}

/// Checks a request and starts its job.
async fn begin(
    context: &Arc<Context>,
    key: &JobKey,
    request: &DeleteBackupRequest,
) -> Result<Next, ReconcileError> {
    let name = &request.spec.backup_name;
    if !name.is_empty() && !leads(context, key, name).await? {
        return Ok(Next::OnChange);
    }
    let backup = if name.is_empty() {
        None
    } else {
        context.api.backups.get(name).await?
    };
    if backup.is_none() && *request.phase() == DeleteBackupRequestPhase::InProgress {
        // The resource goes last: an earlier server got that far.
        return finish(context, key, request, Vec::new()).await;
    }
    let locations = context.api.locations.list(None).await?.items;
    let location = backup
        .as_ref()
        .and_then(|backup| find(&locations, &backup.spec.storage_location));
    let restores = context.api.restores.list(None).await?.items;
    let facts = Facts {
        backup: backup.as_ref(),
        busy: context.backup_jobs.is_running(name),
        restore: running_restore(&restores, name),
        location,
    };
    let store = match plan_deletion(name, facts) {
        DeletePlan::Refuse(why) => return answer(context, request, vec![why]).await,
        DeletePlan::ResourceOnly => None,
        DeletePlan::Everything => match location {
            Some(location) => match context.locations.store(location).await {
                Ok(store) => Some(store),
                Err(error) => return answer(context, request, vec![sentence(&error)]).await,
            },
            None => None,
        },
    };
    let Some(backup) = backup else {
        return Ok(Next::OnChange);
    };
    let held = match store {
        Some(store) => Some((store, context.snapshots(None).await?)),
        None => None,
    };
    mark(context, request, &backup).await?;
    let again = *request.phase() == DeleteBackupRequestPhase::InProgress;
    context.metrics.job_started("deletion", again);
    let job_context = Arc::clone(context);
    context
        .deletion_jobs
        .start(key.clone(), |_| delete(job_context, held, backup));
    Ok(Next::OnChange)
}

/// Whether this request is the one to work on; removes the others of its backup.
async fn leads(context: &Context, key: &JobKey, backup: &str) -> Result<bool, ReconcileError> {
    let all = context.api.deletions.list(None).await?.items;
    let same: Vec<_> = all
        .iter()
        .filter(|one| one.spec.backup_name == backup)
        .collect();
    if leading(&same) != Some(key.name.as_str()) {
        return Ok(false);
    }
    for double in same {
        let name = double.metadata.name.as_deref().unwrap_or_default();
        if name != key.name {
            context.api.deletions.delete(name).await?;
        }
    }
    Ok(true)
}

/// Notes that the deletion begins, in the request and in the backup.
async fn mark(
    context: &Context,
    request: &DeleteBackupRequest,
    backup: &Backup,
) -> Result<(), ReconcileError> {
    let mut begun = request.clone();
    begun.status.get_or_insert_default().phase = Some(DeleteBackupRequestPhase::InProgress);
    let labels = begun.metadata.labels.get_or_insert_default();
    let backup_name = label::valid_value(&request.spec.backup_name);
    labels.insert(label::BACKUP_NAME.to_owned(), backup_name);
    if let Some(uid) = &backup.metadata.uid {
        labels.insert(label::BACKUP_UID.to_owned(), uid.clone());
    }
    context
        .advance(&context.api.deletions, request, &begun)
        .await?;
    let mut deleting = backup.clone();
    let status = deleting.status.get_or_insert_default();
    status.phase = Some(BackupPhase::Deleting);
    status.queue_position = 0;
    context
        .advance(&context.api.backups, backup, &deleting)
        .await?;
    Ok(())
}

/// What a backup has besides its resource: files, and snapshots in these locations.
type Held = (Arc<dyn Store>, SnapshotLocations);

/// The job: what went wrong, as sentences.
async fn delete(context: Arc<Context>, held: Option<Held>, backup: Backup) -> DeletionResult {
    let name = backup.metadata.name.as_deref().unwrap_or_default();
    let result = steps(&context, held.as_ref(), name).await;
    let schedule = schedule(&backup.metadata);
    context
        .metrics
        .deletion_ended((schedule, name), result.is_ok());
    result.err().into_iter().collect()
}

/// The first step that fails is the last; another request begins anew.
async fn steps(context: &Context, held: Option<&Held>, name: &str) -> Result<(), String> {
    if let Some((store, snapshots)) = held {
        let world = World {
            store: store.as_ref(),
            snapshots,
            cluster: context.cluster.as_ref(),
            clock: context.clock.as_ref(),
        };
        let deleted = delete::backup(world, name).await;
        deleted.map_err(|error| match error {
            DeleteError::Snapshots(_) => format!("snapshots of backup `{name}` remain: {error}"),
            _ => format!("files of backup `{name}` remain: {}", sentence(&error)),
        })?;
        delete_restores(context, name).await?;
    }
    let deleted = context.api.backups.delete(name).await;
    deleted.map_err(|error| format!("backup `{name}` remains: {}", sentence(&error)))?;
    Ok(())
}

/// Restores of the backup go with it, and while its resource still tells where
/// their files are.
async fn delete_restores(context: &Context, backup: &str) -> Result<(), String> {
    let of_backup = |restore: &Restore| restore.spec.backup_name == backup;
    let unlisted = |error| {
        format!(
            "restores of `{backup}` cannot be listed: {}",
            sentence(&error)
        )
    };
    let deadline = tokio::time::Instant::now() + RESTORES_PATIENCE;
    let mut asked = false;
    loop {
        let mut restores = context
            .api
            .restores
            .list(None)
            .await
            .map_err(unlisted)?
            .items;
        restores.retain(of_backup);
        let names: Vec<&str> = restores
            .iter()
            .filter_map(|restore| restore.metadata.name.as_deref())
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        if !asked {
            for name in &names {
                let deleted = context.api.restores.delete(name).await;
                deleted.map_err(|error| format!("restore `{name}`: {}", sentence(&error)))?;
            }
            asked = true;
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(format!(
                "these restores are still being deleted: {}",
                names.join(", ")
            ));
        }
        tokio::time::sleep(RESTORES_PAUSE).await;
    }
}

/// Writes what a job came to. A request that succeeded has nothing left to tell.
async fn finish(
    context: &Context,
    key: &JobKey,
    request: &DeleteBackupRequest,
    errors: Vec<String>,
) -> Result<Next, ReconcileError> {
    let well = errors.is_empty();
    let name = &request.spec.backup_name;
    let next = answer(context, request, errors).await?;
    if well {
        tracing::info!(backup = name, "backup deleted");
        context.api.deletions.delete(&key.name).await?;
    }
    context.deletion_jobs.forget(key);
    Ok(next)
}

async fn answer(
    context: &Context,
    request: &DeleteBackupRequest,
    errors: Vec<String>,
) -> Result<Next, ReconcileError> {
    if !errors.is_empty() {
        tracing::warn!(
            backup = request.spec.backup_name,
            ?errors,
            "backup is not deleted"
        );
    }
    let mut answered = request.clone();
    let status = answered.status.get_or_insert_default();
    status.phase = Some(DeleteBackupRequestPhase::Processed);
    status.errors = errors;
    context
        .advance_beside_others(&context.api.deletions, request, &answered)
        .await?;
    Ok(Next::After(STALE_PAUSE))
}
