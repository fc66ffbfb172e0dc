//! Schedules: when a backup is due, why one is not made, and what it looks like.
//! Pure: the clock and the cluster come as values.
//!
//! A decision depends on nothing but the resource, the backups of the schedule
//! and the moment, so a server that died between making a backup and noting it
//! comes to the same name again and makes no second one.

mod cron;
mod template;
mod timetable;
mod validate;

use std::time::Duration;

use ark_api::{Backup, BackupPhase, Schedule};
use jiff::{SignedDuration, Timestamp};

pub use template::{backup_name, backup_of};
pub use timetable::{Timetable, TimetableError};
pub use validate::check;

/// A last backup that lies further ahead than this was noted while the clock was
/// wrong. Less is taken for clocks of two machines that differ.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// What a schedule asks for at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A backup, for the latest of the moments that have come.
    Due {
        /// The moment that it is made for.
        at: Timestamp,
    },
    /// Nothing before this moment.
    NotDue {
        /// The next one.
        next: Timestamp,
    },
    /// What is due is left out, once.
    Skip,
    /// Nothing until somebody resumes it.
    Paused,
    /// A backup is due, but an earlier one has not ended.
    Blocked {
        /// The earlier one.
        by: String,
    },
}

/// What a decision depends on besides the schedule.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// This moment.
    pub now: Timestamp,
    /// Whether schedules that do not say it leave out what is due when they are
    /// first seen.
    pub skip_by_default: bool,
    /// The backups that the schedule made.
    pub backups: &'a [Backup],
}

/// Decides about a schedule that [`check`] has found valid.
///
/// However many moments passed since the last backup, one backup makes up for
/// them all.
pub fn decide(schedule: &Schedule, timetable: &Timetable, facts: Facts<'_>) -> Decision {
    let spec = &schedule.spec;
    if spec.skip_immediately.unwrap_or(facts.skip_by_default) {
        return Decision::Skip;
    }
    if spec.paused {
        return Decision::Paused;
    }
    let at = match base(schedule, facts.now) {
        Base::Ahead => second(facts.now),
        Base::At(base) => {
            let Some(latest) = timetable.latest(base, facts.now) else {
                let next = timetable.next(base.max(facts.now));
                return Decision::NotDue {
                    // `check` refuses what never comes.
                    next: next.unwrap_or(Timestamp::MAX),
                };
            };
            latest
        }
    };
    // Made and not yet noted: making it again finds it, and then it is noted.
    let own = backup_name(schedule.metadata.name.as_deref().unwrap_or_default(), at);
    match running(facts.backups, &own) {
        Some(by) => Decision::Blocked { by },
        None => Decision::Due { at },
    }
}

/// How long to wait before deciding again, at most `longest`.
pub fn pause(decision: &Decision, now: Timestamp, longest: Duration) -> Duration {
    match decision {
        Decision::NotDue { next } => {
            let until = next.duration_since(now);
            Duration::try_from(until).map_or(Duration::ZERO, |until| until.min(longest))
        }
        _ => longest,
    }
}

/// Since when moments count.
enum Base {
    At(Timestamp),
    /// What is noted has not happened yet.
    Ahead,
}

/// The last backup or the last one left out, else when the schedule was made.
fn base(schedule: &Schedule, now: Timestamp) -> Base {
    let status = schedule.status.as_ref();
    let backup = status.and_then(|status| status.last_backup.as_ref());
    let skipped = status.and_then(|status| status.last_skipped.as_ref());
    let noted = [backup, skipped].into_iter().flatten().map(|time| time.0);
    if noted.clone().any(|noted| noted.duration_since(now) > AHEAD) {
        return Base::Ahead;
    }
    let created = schedule.metadata.creation_timestamp.as_ref();
    let since = backup.or(created).map(|time| time.0);
    let latest = since.max(skipped.map(|time| time.0));
    Base::At(latest.unwrap_or(now))
}

/// A backup that has not ended, other than one.
fn running(backups: &[Backup], other_than: &str) -> Option<String> {
    use BackupPhase as Phase;
    let unended = backups.iter().filter(|backup| {
        matches!(
            backup.phase(),
            Phase::New | Phase::Queued | Phase::ReadyToStart | Phase::InProgress
        )
    });
    unended
        .filter_map(|backup| backup.metadata.name.clone())
        .filter(|name| name != other_than)
        .min()
}

/// Whole seconds, which is what names and resources can hold.
fn second(moment: Timestamp) -> Timestamp {
    crate::port::stamp(moment).0
}

#[cfg(test)]
mod tests;
