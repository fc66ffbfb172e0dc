//! Backups: those that the queue let through are checked, run as jobs, reported,
//! and stopped when somebody asks.
//!
//! A backup under way that no job works on was interrupted by the end of a server, and
//! is begun again.

use std::sync::Arc;
use std::time::Duration;

use ark_api::backup::BackupProgress;
use ark_api::{Backup, BackupPhase, BackupStorageLocation, Time, cancel};
use ark_engine::backup::{self, BackupError, Rejected, Report, Surroundings, ValidatedBackup};
use ark_engine::job::{Job, Ports};
use ark_engine::port::Store;
use ark_engine::progress::Part;
use ark_kube::Next;
use tokio_util::sync::CancellationToken;

use super::{LOCATION_PAUSE, ReconcileError, find, is_unseen, schedule, sentence, write_progress};
use crate::attempts;
use crate::context::{BackupResult, Context};
use crate::jobs::{JobKey, Observed};
use crate::metrics::{BackupFigures, Outcome};
use crate::status::{self, Counts, Written};

/// What a backup that somebody stopped failed of.
const CANCELLED: &str = "cancelled by request";
/// After somebody else wrote first.
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);

/// Brings one backup a step further.
pub(crate) async fn reconcile(
    context: Arc<Context>,
    seen: Arc<Backup>,
) -> Result<Next, ReconcileError> {
    let Some(key) = JobKey::of(&seen.metadata) else {
        return Ok(Next::OnChange);
    };
    match context.backup_jobs.observe(&key) {
        Observed::Running => {
            if cancel::is_requested(&seen.metadata) {
                context.backup_jobs.cancel(&key);
            }
            return Ok(Next::OnChange);
        }
        Observed::Absent if !concerns(&seen) => return Ok(Next::OnChange),
        _ => {}
    }
    // What the watch shows may be older than what this server wrote itself.
    let backup = context.api.backups.get(&key.name).await?;
    let Some(backup) = backup.filter(|backup| backup.metadata.uid == seen.metadata.uid) else {
        context.backup_jobs.forget(&key);
        return Ok(Next::OnChange);
    };
    let next = match context.backup_jobs.observe(&key) {
        Observed::Absent if !concerns(&backup) => Ok(Next::OnChange),
        Observed::Absent if cancel::is_requested(&backup.metadata) => {
            fail(&context, &backup, CANCELLED.to_owned()).await
        }
        Observed::Absent => admit(&context, &key, &backup).await,
        Observed::Running => Ok(Next::OnChange),
        Observed::Ended(result) => finish(&context, &key, &backup, &result).await,
        Observed::Panicked(message) => {
            let reason = format!("the backup ended by a fault of the server: {message}");
            fail(&context, &backup, reason)
                .await
                .inspect(|_| context.backup_jobs.forget(&key))
        }
    };
    match next {
        Err(error) if error.is_conflict() => Ok(Next::After(CONFLICT_PAUSE)),
        next => next,
    }
}

/// Whether something is to do for a backup that no job works on.
fn concerns(backup: &Backup) -> bool {
    use BackupPhase as Phase;
    match backup.phase() {
        Phase::ReadyToStart => true,
        phase if phase.is_under_way() => true,
        Phase::New | Phase::Queued => cancel::is_requested(&backup.metadata),
        _ => false,
    }
}

/// Validates a backup whose turn has come, and begins it.
async fn admit(
    context: &Arc<Context>,
    key: &JobKey,
    backup: &Backup,
) -> Result<Next, ReconcileError> {
    let locations = context.api.locations.list(None).await?.items;
    let cluster = context.cluster.as_ref();
    let snapshot_locations = context.api.snapshot_locations.list(None).await?.items;
    let around = Surroundings {
        snapshot_locations: &snapshot_locations,
        ..Surroundings::look(cluster, &context.namespace, &backup.spec, &locations).await?
    };
    let now = context.now();
    let valid = match backup::validate(backup, &around, &context.options.backup_defaults, now) {
        Ok(valid) => valid,
        Err(rejected) => return reject(context, backup, &rejected, &locations).await,
    };
    start(context, key, backup, (valid, &locations)).await
}

async fn reject(
    context: &Context,
    backup: &Backup,
    rejected: &Rejected,
    locations: &[BackupStorageLocation],
) -> Result<Next, ReconcileError> {
    if is_location_new(context, &rejected.prepared, locations) {
        return Ok(Next::After(LOCATION_PAUSE));
    }
    if backup.phase().is_under_way() {
        let reason = format!("it cannot be begun again: {}", rejected.messages.join("; "));
        return fail(context, backup, reason).await;
    }
    let mut prepared = Backup::clone(&rejected.prepared);
    prepared.status.get_or_insert_default().queue_position = 0;
    write(context, backup, &prepared).await?;
    let of = (schedule(&backup.metadata), name(backup));
    let figures = BackupFigures::default();
    context
        .metrics
        .backup_ended(of, Outcome::Invalid, figures, context.now());
    tracing::info!(backup = name(backup), problems = ?rejected.messages, "backup is not valid");
    Ok(Next::OnChange)
}

/// Whether its location exists and nobody looked at it yet.
fn is_location_new(
    context: &Context,
    backup: &Backup,
    locations: &[BackupStorageLocation],
) -> bool {
    let location = find(locations, &backup.spec.storage_location);
    location.is_some_and(|location| is_unseen(location, &backup.metadata, context.now()))
}

/// Notes in the resource that work begins, and only then begins it.
async fn start(
    context: &Arc<Context>,
    key: &JobKey,
    backup: &Backup,
    (mut valid, locations): (ValidatedBackup, &[BackupStorageLocation]),
) -> Result<Next, ReconcileError> {
    if attempts::count(&backup.metadata) >= attempts::MAX {
        return fail(context, backup, attempts::used_up()).await;
    }
    let name = valid.location_name().to_owned();
    let Some(location) = find(locations, &name) else {
        return Ok(Next::After(LOCATION_PAUSE));
    };
    let store = match context.locations.store(location).await {
        Ok(store) => store,
        Err(source) if source.is_retryable() => {
            return Err(ReconcileError::Location { name, source });
        }
        Err(source) => {
            let reason = format!("backup location `{name}`: {}", sentence(&source));
            return fail(context, backup, reason).await;
        }
    };
    let names = &valid.backup.spec.volume_snapshot_locations;
    let snapshots = context.snapshots(Some(names)).await?;
    attempts::add(&mut valid.backup.metadata);
    valid.backup.status.get_or_insert_default().queue_position = 0;
    write(context, backup, &valid.backup).await?;
    context.metrics.backup_started(schedule(&backup.metadata));
    let again = backup.phase().is_under_way();
    context.metrics.job_started("backup", again);
    tracing::info!(backup = key.name, location = name, "backup begins");
    let job_context = Arc::clone(context);
    context.backup_jobs.start(key.clone(), |cancel| {
        let ports = job_context.ports(store, snapshots);
        work(job_context, ports, valid, cancel)
    });
    Ok(Next::OnChange)
}

async fn work(
    context: Arc<Context>,
    ports: Ports,
    valid: ValidatedBackup,
    cancel: CancellationToken,
) -> BackupResult {
    let (observer, counts) = status::channel();
    let store = Arc::clone(&ports.store);
    let job = Job::new(ports, Arc::new(observer), cancel.clone());
    let running = Box::pin(backup::run(&job, &valid, &context.options.backup));
    let patch = |counts| report_progress(&context, &valid.backup, counts);
    let result = status::alongside(counts, &cancel, running, patch).await;
    match result {
        Err(BackupError::Cancelled | BackupError::Interrupted)
            if context.backup_jobs.is_closing() =>
        {
            attempts::take_back(&context.api.backups, &valid.backup).await;
        }
        Err(_) => sweep(&context, store.as_ref(), name(&valid.backup)).await,
        Ok(_) => {}
    }
    result
}

/// Removes the log as well when the resource is gone: nobody can ask for it then,
/// and no request for a deletion would find it.
async fn sweep(context: &Context, store: &dyn Store, name: &str) {
    if !matches!(context.api.backups.get(name).await, Ok(None)) {
        return;
    }
    if let Err(error) = backup::discard(store, name).await {
        tracing::warn!(
            name,
            error = sentence(&error),
            "cannot remove the log of a backup that is gone"
        );
    }
}

async fn report_progress(context: &Context, backup: &Backup, counts: Counts) -> Written {
    let mut before = backup.clone();
    before.metadata.uid = None;
    before.status.get_or_insert_default().progress = None;
    let mut after = backup.clone();
    after.status.get_or_insert_default().progress = Some(BackupProgress {
        total_items: i64::try_from(counts.total).unwrap_or(i64::MAX),
        items_backed_up: i64::try_from(counts.done).unwrap_or(i64::MAX),
    });
    if let Some((part, partial)) = counts.part {
        context.enter(backup, &mut after, phase_of(part, partial));
        // A backup that only waits gives its place in the queue to the next.
        context.queue.all();
    }
    write_progress(&context.api.backups, name(backup), &before, &after).await
}

fn phase_of(part: Part, partial: bool) -> BackupPhase {
    match (part, partial) {
        (Part::Waiting, false) => BackupPhase::WaitingForPluginOperations,
        (Part::Waiting, true) => BackupPhase::WaitingForPluginOperationsPartiallyFailed,
        (Part::Finalizing, false) => BackupPhase::Finalizing,
        (Part::Finalizing, true) => BackupPhase::FinalizingPartiallyFailed,
    }
}

/// Writes what a job came to.
async fn finish(
    context: &Context,
    key: &JobKey,
    backup: &Backup,
    result: &BackupResult,
) -> Result<Next, ReconcileError> {
    let next = match result {
        // Somebody else decided about it meanwhile.
        _ if !backup.phase().is_under_way() => Next::OnChange,
        Ok(report) => complete(context, backup, report).await?,
        // The server ends: it stays in progress, for the next one to begin again.
        Err(BackupError::Cancelled | BackupError::Interrupted)
            if context.backup_jobs.is_closing() =>
        {
            return Ok(Next::OnChange);
        }
        Err(BackupError::Cancelled) if cancel::is_requested(&backup.metadata) => {
            fail(context, backup, CANCELLED.to_owned()).await?
        }
        // Stopped because it seemed to be gone; it is not.
        Err(BackupError::Cancelled | BackupError::Interrupted) => Next::After(CONFLICT_PAUSE),
        Err(error) => fail(context, backup, sentence(error)).await?,
    };
    context.backup_jobs.forget(key);
    Ok(next)
}

async fn complete(
    context: &Context,
    backup: &Backup,
    report: &Report,
) -> Result<Next, ReconcileError> {
    let mut done = backup.clone();
    done.status = Some(report.status.clone());
    let annotations = done.metadata.annotations.get_or_insert_default();
    annotations.extend(backup::annotations(&report.version, &report.instant));
    write(context, backup, &done).await?;
    let status = &report.status;
    let outcome = match status.phase {
        Some(BackupPhase::Completed) => Outcome::Success,
        _ => Outcome::Partial,
    };
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let figures = BackupFigures {
        // A backup that was found complete was not measured.
        bytes: (report.bytes > 0).then_some(report.bytes),
        items: status
            .progress
            .as_ref()
            .map_or(0, |progress| progress.items_backed_up),
        errors: status.errors,
        warnings: count(status.warnings),
        snapshots: count(status.volume_snapshots_attempted),
        snapshots_completed: count(status.volume_snapshots_completed),
        csi_snapshots: count(status.csi_volume_snapshots_attempted),
        csi_snapshots_completed: count(status.csi_volume_snapshots_completed),
        seconds: seconds(&done),
    };
    let of = (schedule(&backup.metadata), name(backup));
    context
        .metrics
        .backup_ended(of, outcome, figures, context.now());
    let phase = done.phase();
    tracing::info!(backup = name(backup), %phase, items = figures.items, "backup ended");
    Ok(Next::OnChange)
}

async fn fail(context: &Context, backup: &Backup, reason: String) -> Result<Next, ReconcileError> {
    tracing::warn!(backup = name(backup), reason, "backup failed");
    let mut failed = backup.clone();
    let status = failed.status.get_or_insert_default();
    status.phase = Some(BackupPhase::Failed);
    status.queue_position = 0;
    status.failure_reason = reason;
    status.completion_timestamp = Some(Time(context.now()));
    write(context, backup, &failed).await?;
    let figures = BackupFigures {
        seconds: seconds(&failed),
        ..BackupFigures::default()
    };
    let of = (schedule(&backup.metadata), name(backup));
    context
        .metrics
        .backup_ended(of, Outcome::Failure, figures, context.now());
    Ok(Next::OnChange)
}

async fn write(context: &Context, before: &Backup, after: &Backup) -> Result<(), ReconcileError> {
    context.advance(&context.api.backups, before, after).await?;
    if *after.phase() != BackupPhase::InProgress {
        context.queue.all();
    }
    Ok(())
}

fn seconds(backup: &Backup) -> f64 {
    let status = backup.status.as_ref();
    let times = status.and_then(|status| {
        Some((
            status.start_timestamp.as_ref()?.0,
            status.completion_timestamp.as_ref()?.0,
        ))
    });
    times.map_or(0.0, |(start, end)| end.duration_since(start).as_secs_f64())
}

fn name(backup: &Backup) -> &str {
    backup.metadata.name.as_deref().unwrap_or_default()
}
