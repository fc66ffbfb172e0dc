//! Backups and restores as work that goes on and ends: what `--wait` shows and
//! what the exit code is made of.

use std::fmt::Write as _;

use ark_api::backup::BackupStatus;
use ark_api::restore::RestoreStatus;
use ark_api::{Backup, BackupPhase, Restore, RestorePhase};
use jiff::Timestamp;

use crate::cluster::Resource;
use crate::context::Context;
use crate::error::Exit;
use crate::out::human;
use crate::out::style;

/// Where a piece of work stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The phase's name.
    pub phase: String,
    /// Whether nothing will change any more.
    pub ended: bool,
    /// Items dealt with.
    pub done: u64,
    /// Items there are, 0 while not known.
    pub total: u64,
    /// Items that failed.
    pub errors: u64,
    /// Things worth knowing.
    pub warnings: u64,
    /// Place in the queue, 0 for none.
    pub queue: u64,
    /// Why it failed as a whole.
    pub failure: String,
    /// What is wrong with its spec.
    pub invalid: Vec<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub completed: Option<Timestamp>,
}

/// A kind that is worked on.
pub trait Work: Resource {
    /// `Backing up`.
    const DOING: &'static str;

    /// Where it stands.
    fn standing(&self) -> Standing;
}

impl Work for Backup {
    const DOING: &'static str = "Backing up";

    fn standing(&self) -> Standing {
        let status = self.status.clone().unwrap_or_default();
        of_backup(self.phase(), status)
    }
}

impl Work for Restore {
    const DOING: &'static str = "Restoring";

    fn standing(&self) -> Standing {
        let status = self.status.clone().unwrap_or_default();
        of_restore(self.phase(), status)
    }
}

fn of_backup(phase: &BackupPhase, status: BackupStatus) -> Standing {
    let progress = status.progress.unwrap_or_default();
    Standing {
        phase: phase.to_string(),
        ended: phase.is_terminal(),
        done: count(progress.items_backed_up),
        total: count(progress.total_items),
        errors: count(status.errors),
        warnings: count(status.warnings),
        queue: count(status.queue_position),
        failure: status.failure_reason,
        invalid: status.validation_errors,
        started: status.start_timestamp.map(|time| time.0),
        completed: status.completion_timestamp.map(|time| time.0),
    }
}

fn of_restore(phase: &RestorePhase, status: RestoreStatus) -> Standing {
    let progress = status.progress.unwrap_or_default();
    Standing {
        phase: phase.to_string(),
        ended: phase.is_terminal(),
        done: count(progress.items_restored),
        total: count(progress.total_items),
        errors: count(status.errors),
        warnings: count(status.warnings),
        queue: 0,
        failure: status.failure_reason,
        invalid: status.validation_errors,
        started: status.start_timestamp.map(|time| time.0),
        completed: status.completion_timestamp.map(|time| time.0),
    }
}

/// A count of the wire, which has no unsigned numbers.
fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

impl Standing {
    /// What is being done, for the title of the progress.
    pub fn title(&self, doing: &str) -> String {
        match self.phase.as_str() {
            "New" | "ReadyToStart" => "Waiting for the server".to_owned(),
            "Queued" if self.queue > 0 => format!("Queued at place {}", self.queue),
            "Queued" => "Queued".to_owned(),
            "InProgress" => doing.to_owned(),
            phase if phase.starts_with("Waiting") => "Waiting for volumes".to_owned(),
            phase if phase.starts_with("Finalizing") => "Finishing".to_owned(),
            phase => phase.to_owned(),
        }
    }

    /// The exit code that tells the truth.
    pub fn exit(&self) -> Exit {
        match self.phase.as_str() {
            "Completed" => Exit::Done,
            "PartiallyFailed" => Exit::ItemFailures,
            "FailedValidation" => Exit::Refused,
            _ => Exit::Failed,
        }
    }

    /// What came of it, as a sentence without its end.
    pub fn outcome(&self, noun: &str, name: &str) -> String {
        let noun = capital(noun);
        if self.phase == "FailedValidation" {
            return format!("{noun} `{name}` was refused");
        }
        let result = match self.phase.as_str() {
            "Completed" => "is complete".to_owned(),
            "PartiallyFailed" => "is partially failed".to_owned(),
            "Failed" => "failed".to_owned(),
            phase => format!("is in phase {phase}"),
        };
        let mut text = format!(
            "{noun} `{name}` {result}: {}",
            human::counted(self.done, "item")
        );
        if let (Some(started), Some(completed)) = (self.started, self.completed) {
            let _ = write!(text, " in {}", human::age(Some(started), completed));
        }
        let (errors, warnings) = (
            human::counted(self.errors, "error"),
            human::counted(self.warnings, "warning"),
        );
        let _ = write!(text, ", {errors}, {warnings}");
        text
    }
}

/// Says what came of it and where to look next; answers how to exit.
pub fn report(ctx: &Context, noun: &str, name: &str, standing: &Standing) -> Exit {
    let paint = ctx.talk.style();
    let outcome = standing.outcome(noun, name);
    ctx.talk
        .say(paint.paint(style::phase(&standing.phase), &outcome));
    for message in &standing.invalid {
        ctx.talk.say(format_args!("  {message}"));
    }
    if !standing.failure.is_empty() {
        ctx.talk.say(format_args!("  {}", standing.failure));
    }
    standing.exit()
}

fn capital(noun: &str) -> String {
    let mut letters = noun.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(phase: &str) -> Standing {
        Standing {
            phase: phase.to_owned(),
            done: 1200,
            errors: 2,
            warnings: 1,
            started: Some(Timestamp::from_second(100).unwrap()),
            completed: Some(Timestamp::from_second(112).unwrap()),
            ..Standing::default()
        }
    }

    #[test]
    fn the_exit_code_is_the_truth() {
        assert_eq!(standing("Completed").exit(), Exit::Done);
        assert_eq!(standing("PartiallyFailed").exit(), Exit::ItemFailures);
        assert_eq!(standing("FailedValidation").exit(), Exit::Refused);
        assert_eq!(standing("Failed").exit(), Exit::Failed);
        assert_eq!(standing("Deleting").exit(), Exit::Failed);
    }

    #[test]
    fn the_outcome_has_the_counts() {
        assert_eq!(
            standing("PartiallyFailed").outcome("backup", "b"),
            "Backup `b` is partially failed: 1,200 items in 12s, 2 errors, 1 warning"
        );
        assert_eq!(
            standing("FailedValidation").outcome("restore", "r"),
            "Restore `r` was refused"
        );
    }
}
