//! Restores: checked, run as jobs, reported, and their files removed with them.
//!
//! Shaped like the controller of backups, save that a restore that waits for a
//! slot stays `New`, since the kind has no phase for waiting.

mod removal;

use std::sync::Arc;
use std::time::Duration;

use ark_api::restore::RestoreProgress;
use ark_api::{Backup, BackupStorageLocation, Restore, RestorePhase, Time, cancel};
use ark_engine::job::{Job, Ports};
use ark_engine::progress::Part;
use ark_engine::restore::{self, Rejected, Report, RestoreError, ValidatedRestore};
use ark_kube::Next;
use tokio_util::sync::CancellationToken;

use super::{LOCATION_PAUSE, ReconcileError, find, is_unseen, schedule, sentence, write_progress};
use crate::attempts;
use crate::context::{Context, RestoreResult};
use crate::jobs::{JobKey, Observed};
use crate::metrics::Outcome;
use crate::slots::{self, Waiting};
use crate::status::{self, Counts, Written};

/// A waiting restore is looked at when a job ends, and at least this often.
const QUEUE_PAUSE: Duration = Duration::from_mins(1);
/// What a restore that somebody stopped failed of.
const CANCELLED: &str = "cancelled by request; what was restored by then stays";
/// After somebody else wrote first.
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);

/// Brings one restore a step further.
pub(crate) async fn reconcile(
    context: Arc<Context>,
    seen: Arc<Restore>,
) -> Result<Next, ReconcileError> {
    let Some(key) = JobKey::of(&seen.metadata) else {
        return Ok(Next::OnChange);
    };
    if seen.metadata.deletion_timestamp.is_some() {
        return removal::remove(&context, &key, &seen).await;
    }
    match context.restore_jobs.observe(&key) {
        Observed::Running => {
            if cancel::is_requested(&seen.metadata) {
                context.restore_jobs.cancel(&key);
            }
            return Ok(Next::OnChange);
        }
        Observed::Absent if !wants_to_run(seen.phase()) => return Ok(Next::OnChange),
        _ => {}
    }
    // What the watch shows may be older than what this server wrote itself.
    let restore = context.api.restores.get(&key.name).await?;
    let Some(restore) = restore.filter(|restore| restore.metadata.uid == seen.metadata.uid) else {
        context.restore_jobs.forget(&key);
        return Ok(Next::OnChange);
    };
    let next = match context.restore_jobs.observe(&key) {
        Observed::Absent if !wants_to_run(restore.phase()) => Ok(Next::OnChange),
        Observed::Absent if cancel::is_requested(&restore.metadata) => {
            fail(&context, &restore, CANCELLED.to_owned()).await
        }
        Observed::Absent => admit(&context, &key, &restore).await,
        Observed::Running => Ok(Next::OnChange),
        Observed::Ended(result) => finish(&context, &key, &restore, &result).await,
        Observed::Panicked(message) => {
            let reason = format!("the restore ended by a fault of the server: {message}");
            fail(&context, &restore, reason)
                .await
                .inspect(|_| context.restore_jobs.forget(&key))
        }
    };
    match next {
        Err(error) if error.is_conflict() => Ok(Next::After(CONFLICT_PAUSE)),
        next => next,
    }
}

fn wants_to_run(phase: &RestorePhase) -> bool {
    *phase == RestorePhase::New || phase.is_under_way()
}

/// What a restore's spec refers to.
struct Referred {
    backups: Vec<Backup>,
    locations: Vec<BackupStorageLocation>,
}

/// Validates a restore and lets it in when its turn has come.
async fn admit(
    context: &Arc<Context>,
    key: &JobKey,
    restore: &Restore,
) -> Result<Next, ReconcileError> {
    let referred = Referred {
        backups: context.api.backups.list(None).await?.items,
        locations: context.api.locations.list(None).await?.items,
    };
    let defaults = &context.options.restore_defaults;
    let now = context.now();
    let valid = restore::validate(
        restore,
        &referred.backups,
        &referred.locations,
        defaults,
        now,
    );
    let valid = match valid {
        Ok(valid) => valid,
        Err(rejected) => return reject(context, restore, &rejected, &referred).await,
    };
    let _admission = context.restore_admission.lock().await;
    if has_turn(context, key).await? {
        start(context, key, restore, (valid, &referred.locations)).await
    } else {
        Ok(Next::After(QUEUE_PAUSE))
    }
}

async fn reject(
    context: &Context,
    restore: &Restore,
    rejected: &Rejected,
    referred: &Referred,
) -> Result<Next, ReconcileError> {
    if is_location_new(context, &rejected.prepared, referred) {
        return Ok(Next::After(LOCATION_PAUSE));
    }
    if restore.phase().is_under_way() {
        let reason = format!("it cannot be begun again: {}", rejected.messages.join("; "));
        return fail(context, restore, reason).await;
    }
    context
        .advance(&context.api.restores, restore, &rejected.prepared)
        .await?;
    context
        .metrics
        .restore_ended(schedule_of(restore), Outcome::Invalid);
    tracing::info!(restore = name(restore), problems = ?rejected.messages, "restore is not valid");
    Ok(Next::OnChange)
}

/// Whether the backup's location exists and nobody looked at it yet.
fn is_location_new(context: &Context, restore: &Restore, referred: &Referred) -> bool {
    let wanted = Some(restore.spec.backup_name.as_str()).filter(|name| !name.is_empty());
    let backup = referred
        .backups
        .iter()
        .find(|backup| wanted.is_some() && backup.metadata.name.as_deref() == wanted);
    let location =
        backup.and_then(|backup| find(&referred.locations, &backup.spec.storage_location));
    location.is_some_and(|location| is_unseen(location, &restore.metadata, context.now()))
}

async fn has_turn(context: &Context, key: &JobKey) -> Result<bool, ReconcileError> {
    let slots = context
        .options
        .concurrent_restores
        .saturating_sub(context.restore_jobs.running());
    let listed = context.api.restores.list(None).await?.items;
    let waiting: Vec<Waiting> = listed
        .iter()
        .filter(|restore| wants_to_run(restore.phase()))
        .filter(|restore| restore.metadata.deletion_timestamp.is_none())
        .filter(|restore| {
            let key = JobKey::of(&restore.metadata);
            key.is_some_and(|key| matches!(context.restore_jobs.observe(&key), Observed::Absent))
        })
        .map(|restore| Waiting {
            name: name(restore).to_owned(),
            interrupted: restore.phase().is_under_way(),
            created: restore
                .metadata
                .creation_timestamp
                .as_ref()
                .map(|time| time.0),
        })
        .collect();
    Ok(slots::may_start(&waiting, &key.name, slots))
}

/// Notes in the resource that work begins, and only then begins it.
async fn start(
    context: &Arc<Context>,
    key: &JobKey,
    restore: &Restore,
    (mut valid, locations): (ValidatedRestore, &[BackupStorageLocation]),
) -> Result<Next, ReconcileError> {
    if attempts::count(&restore.metadata) >= attempts::MAX {
        return fail(context, restore, attempts::used_up()).await;
    }
    let name = valid.location_name().to_owned();
    let Some(location) = find(locations, &name) else {
        return fail(
            context,
            restore,
            format!("backup location `{name}` does not exist"),
        )
        .await;
    };
    let store = match context.locations.store(location).await {
        Ok(store) => store,
        Err(source) if source.is_retryable() => {
            return Err(ReconcileError::Location { name, source });
        }
        Err(source) => {
            let reason = format!("backup location `{name}`: {}", sentence(&source));
            return fail(context, restore, reason).await;
        }
    };
    let snapshots = context.snapshots(None).await?;
    attempts::add(&mut valid.restore.metadata);
    removal::hold(&mut valid.restore.metadata);
    context
        .advance(&context.api.restores, restore, &valid.restore)
        .await?;
    context.metrics.restore_started(schedule_of(&valid.restore));
    let again = restore.phase().is_under_way();
    context.metrics.job_started("restore", again);
    tracing::info!(
        restore = key.name,
        backup = valid.restore.spec.backup_name,
        "restore begins"
    );
    let job_context = Arc::clone(context);
    context.restore_jobs.start(key.clone(), |cancel| {
        let ports = job_context.ports(store, snapshots);
        work(job_context, ports, valid, cancel)
    });
    Ok(Next::OnChange)
}

async fn work(
    context: Arc<Context>,
    ports: Ports,
    valid: ValidatedRestore,
    cancel: CancellationToken,
) -> RestoreResult {
    let (observer, counts) = status::channel();
    let job = Job::new(ports, Arc::new(observer), cancel.clone());
    let restore = valid.restore.clone();
    let running = Box::pin(restore::run(&job, &valid, &context.options.restore));
    let patch = |counts| report_progress(&context, &restore, counts);
    let result = status::alongside(counts, &cancel, running, patch).await;
    if context.restore_jobs.is_closing()
        && let Err(RestoreError::Cancelled | RestoreError::Interrupted) = result
    {
        attempts::take_back(&context.api.restores, &restore).await;
    }
    result
}

async fn report_progress(context: &Context, restore: &Restore, counts: Counts) -> Written {
    let mut before = restore.clone();
    before.metadata.uid = None;
    before.status.get_or_insert_default().progress = None;
    let mut after = restore.clone();
    after.status.get_or_insert_default().progress = Some(RestoreProgress {
        total_items: i64::try_from(counts.total).unwrap_or(i64::MAX),
        items_restored: i64::try_from(counts.done).unwrap_or(i64::MAX),
    });
    if let Some((part, partial)) = counts.part {
        context.enter(restore, &mut after, phase_of(part, partial));
    }
    write_progress(&context.api.restores, name(restore), &before, &after).await
}

fn phase_of(part: Part, partial: bool) -> RestorePhase {
    match (part, partial) {
        (Part::Waiting, false) => RestorePhase::WaitingForPluginOperations,
        (Part::Waiting, true) => RestorePhase::WaitingForPluginOperationsPartiallyFailed,
        (Part::Finalizing, false) => RestorePhase::Finalizing,
        (Part::Finalizing, true) => RestorePhase::FinalizingPartiallyFailed,
    }
}

/// Writes what a job came to.
async fn finish(
    context: &Context,
    key: &JobKey,
    restore: &Restore,
    result: &RestoreResult,
) -> Result<Next, ReconcileError> {
    let next = match result {
        // Somebody else decided about it meanwhile.
        _ if !restore.phase().is_under_way() => Next::OnChange,
        Ok(report) => complete(context, restore, report).await?,
        // The server ends: it stays in progress, for the next one to begin again.
        Err(RestoreError::Cancelled | RestoreError::Interrupted)
            if context.restore_jobs.is_closing() =>
        {
            return Ok(Next::OnChange);
        }
        Err(RestoreError::Cancelled) if cancel::is_requested(&restore.metadata) => {
            fail(context, restore, CANCELLED.to_owned()).await?
        }
        // Stopped because it seemed to be gone; it is not.
        Err(RestoreError::Cancelled | RestoreError::Interrupted) => Next::After(CONFLICT_PAUSE),
        Err(error) => fail(context, restore, sentence(error)).await?,
    };
    context.restore_jobs.forget(key);
    Ok(next)
}

async fn complete(
    context: &Context,
    restore: &Restore,
    report: &Report,
) -> Result<Next, ReconcileError> {
    let mut done = restore.clone();
    done.status = Some(report.status.clone());
    context
        .advance(&context.api.restores, restore, &done)
        .await?;
    let outcome = match done.phase() {
        RestorePhase::Completed => Outcome::Success,
        _ => Outcome::Partial,
    };
    context.metrics.restore_ended(schedule_of(restore), outcome);
    tracing::info!(restore = name(restore), phase = %done.phase(), "restore ended");
    Ok(Next::OnChange)
}

async fn fail(
    context: &Context,
    restore: &Restore,
    reason: String,
) -> Result<Next, ReconcileError> {
    tracing::warn!(restore = name(restore), reason, "restore failed");
    let mut failed = restore.clone();
    let status = failed.status.get_or_insert_default();
    status.phase = Some(RestorePhase::Failed);
    status.failure_reason = reason;
    status.completion_timestamp = Some(Time(context.now()));
    context
        .advance(&context.api.restores, restore, &failed)
        .await?;
    context
        .metrics
        .restore_ended(schedule_of(restore), Outcome::Failure);
    Ok(Next::OnChange)
}

/// The schedule whose backup is restored, for metrics.
fn schedule_of(restore: &Restore) -> &str {
    if restore.spec.schedule_name.is_empty() {
        schedule(&restore.metadata)
    } else {
        &restore.spec.schedule_name
    }
}

fn name(restore: &Restore) -> &str {
    restore.metadata.name.as_deref().unwrap_or_default()
}
