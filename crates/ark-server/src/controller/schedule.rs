//! Schedules: checked, and a backup created whenever one is due.
//!
//! The backup comes first and the note of it afterwards. A server that dies in
//! between, or is followed by another, finds the same moment due and comes to the
//! same name, under which the API server takes no second backup.

use std::sync::Arc;
use std::time::Duration;

use ark_api::{Schedule, SchedulePhase, Time, label};
use ark_engine::port::{ClusterErrorKind, stamp};
use ark_engine::schedule::{self, Decision, Facts, Timetable};
use ark_kube::Next;
use jiff::Timestamp;

use super::ReconcileError;
use crate::context::Context;

/// A schedule is looked at when its time comes, and at least this often: clocks
/// jump, and backups in the way end.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// After somebody else wrote first.
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);

/// Looks at one schedule.
pub(crate) async fn reconcile(
    context: Arc<Context>,
    seen: Arc<Schedule>,
) -> Result<Next, ReconcileError> {
    // What the watch shows may be older than what this server wrote itself.
    let present = context.api.schedules.get(name(&seen)).await?;
    let same = present.filter(|present| {
        present.metadata.uid == seen.metadata.uid && present.metadata.deletion_timestamp.is_none()
    });
    let Some(schedule) = same else {
        return Ok(Next::OnChange);
    };
    match step(&context, &schedule).await {
        Err(error) if error.is_conflict() => Ok(Next::After(CONFLICT_PAUSE)),
        next => next,
    }
}

async fn step(context: &Context, schedule: &Schedule) -> Result<Next, ReconcileError> {
    let now = context.now();
    let checked = schedule::check(schedule, &context.options.backup_defaults, now);
    let problems = checked.as_ref().err().map_or(&[][..], Vec::as_slice);
    let schedule = &judge(context, schedule, problems).await?;
    let interval = checked.as_ref().ok().and_then(|table| table.interval(now));
    context.metrics.schedule_seen(name(schedule), interval);
    let Ok(timetable) = checked else {
        return Ok(Next::OnChange);
    };
    let decision = decide(context, schedule, &timetable, now).await?;
    match &decision {
        Decision::Due { at } => make(context, schedule, *at).await?,
        Decision::Skip => skip(context, schedule, now).await?,
        Decision::Blocked { by } => {
            tracing::debug!(
                schedule = name(schedule),
                by,
                "due, but a backup has not ended"
            );
        }
        Decision::NotDue { .. } | Decision::Paused => {}
    }
    Ok(Next::After(schedule::pause(&decision, now, LONGEST_PAUSE)))
}

/// Notes whether the schedule can run; answers it as it is stored then.
async fn judge(
    context: &Context,
    schedule: &Schedule,
    problems: &[String],
) -> Result<Schedule, ReconcileError> {
    let mut judged = schedule.clone();
    let status = judged.status.get_or_insert_default();
    status.phase = Some(if problems.is_empty() {
        SchedulePhase::Enabled
    } else {
        SchedulePhase::FailedValidation
    });
    status.validation_errors = problems.to_vec();
    if judged.status == schedule.status {
        return Ok(judged);
    }
    tracing::info!(schedule = name(schedule), phase = %judged.phase(), ?problems, "schedule checked");
    let stored = context
        .advance(&context.api.schedules, schedule, &judged)
        .await?;
    Ok(stored)
}

async fn decide(
    context: &Context,
    schedule: &Schedule,
    timetable: &Timetable,
    now: Timestamp,
) -> Result<Decision, ReconcileError> {
    let selector = label::selector(label::SCHEDULE_NAME, name(schedule));
    let backups = context.api.backups.list(Some(&selector)).await?.items;
    let facts = Facts {
        now,
        skip_by_default: context.options.schedule_skip_immediately,
        backups: &backups,
    };
    Ok(schedule::decide(schedule, timetable, facts))
}

/// Creates the backup for a moment, or finds it, and notes that it was made.
async fn make(context: &Context, schedule: &Schedule, at: Timestamp) -> Result<(), ReconcileError> {
    let backup = schedule::backup_of(schedule, schedule::backup_name(name(schedule), at));
    let backup_name = backup.metadata.name.as_deref().unwrap_or_default();
    match context.api.backups.create(&backup).await {
        Ok(_) => {
            tracing::info!(
                schedule = name(schedule),
                backup = backup_name,
                "backup is due"
            );
        }
        Err(error) if error.kind() == Some(ClusterErrorKind::AlreadyExists) => {
            tracing::info!(
                schedule = name(schedule),
                backup = backup_name,
                "backup is there already"
            );
        }
        Err(error) => return Err(error.into()),
    }
    let now = context.now();
    let mut made = schedule.clone();
    let status = made.status.get_or_insert_default();
    status.last_backup = Some(stamp(now));
    // What has not happened yet was noted while the clock was wrong.
    status.last_skipped.take_if(|skipped| skipped.0 > now);
    context
        .advance(&context.api.schedules, schedule, &made)
        .await?;
    Ok(())
}

/// Leaves out what is due by now, this once.
async fn skip(
    context: &Context,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<(), ReconcileError> {
    let mut skipped = schedule.clone();
    skipped.spec.skip_immediately = Some(false);
    let status = skipped.status.get_or_insert_default();
    status.last_skipped = Some(stamp(now));
    status
        .last_backup
        .take_if(|backup: &mut Time| backup.0 > now);
    context
        .advance(&context.api.schedules, schedule, &skipped)
        .await?;
    tracing::info!(schedule = name(schedule), "what is due is left out");
    Ok(())
}

fn name(schedule: &Schedule) -> &str {
    schedule.metadata.name.as_deref().unwrap_or_default()
}
