//! What a phase means, kind by kind: for the condition that sums it up and for the
//! Event that tells of its change.

use ark_api::{
    Backup, BackupPhase, BackupStorageLocation, Condition, DeleteBackupRequest,
    DeleteBackupRequestPhase, LocationPhase, Restore, RestorePhase, Schedule, SchedulePhase, Time,
    condition,
};
use jiff::Timestamp;

use crate::text::cut;

/// Longest message of a condition that the API server takes, in bytes.
const LONGEST_MESSAGE: usize = 32 * 1024;

/// How things stand in a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it should be.
    Good,
    /// Something is missing or wrong.
    Bad,
    /// Nobody knows yet.
    Open,
    /// As they stood before: the phase tells of something else.
    Unchanged,
}

/// A kind with a phase.
pub(crate) trait Phased {
    /// Type of the condition that sums the phase up.
    const CONDITION: &str;

    /// The phase as it is stored; `None` before there is one.
    fn phase_name(&self) -> Option<&str>;

    /// What the phase says.
    fn verdict(&self) -> Verdict;

    /// What is known beyond the phase; empty for nothing.
    fn note(&self) -> String;

    /// Where the conditions are.
    fn conditions_mut(&mut self) -> &mut Vec<Condition>;
}

/// Derives the condition from the phase.
pub(crate) fn sum_up<K: Phased>(object: &mut K, now: Timestamp) {
    let status = match object.verdict() {
        Verdict::Good => "True",
        Verdict::Bad => "False",
        Verdict::Open => "Unknown",
        Verdict::Unchanged => return,
    };
    let Some(reason) = object.phase_name().map(str::to_owned) else {
        return;
    };
    let summary = Condition {
        type_: K::CONDITION.to_owned(),
        status: status.to_owned(),
        reason,
        message: cut(&object.note(), LONGEST_MESSAGE),
        last_transition_time: Time(now),
        observed_generation: None,
    };
    condition::set(object.conditions_mut(), summary);
}

/// Where every kind has its phase and its conditions.
macro_rules! in_status {
    () => {
        fn phase_name(&self) -> Option<&str> {
            let phase = self.status.as_ref()?.phase.as_ref()?;
            Some(phase.as_str())
        }

        fn conditions_mut(&mut self) -> &mut Vec<Condition> {
            &mut self.status.get_or_insert_default().conditions
        }
    };
}

/// A job: its phases that are neither good nor bad nor open, and what it counts.
macro_rules! job {
    ($kind:ident, $phase:ident, [$($unchanged:ident)?], $items:ident, $done:literal) => {
        impl Phased for $kind {
            const CONDITION: &str = condition::SUCCEEDED;

            in_status!();

            fn verdict(&self) -> Verdict {
                match self.phase() {
                    $phase::Completed => Verdict::Good,
                    $phase::Failed | $phase::PartiallyFailed | $phase::FailedValidation => {
                        Verdict::Bad
                    }
                    $($phase::$unchanged => Verdict::Unchanged,)?
                    _ => Verdict::Open,
                }
            }

            fn note(&self) -> String {
                let Some(status) = &self.status else {
                    return String::new();
                };
                match self.phase() {
                    $phase::FailedValidation => status.validation_errors.join("; "),
                    $phase::Completed | $phase::PartiallyFailed => {
                        let items = status.progress.as_ref().map_or(0, |done| done.$items);
                        format!(
                            "{items} items {}, {} errors, {} warnings",
                            $done, status.errors, status.warnings
                        )
                    }
                    _ => status.failure_reason.clone(),
                }
            }
        }
    };
}

job!(
    Backup,
    BackupPhase,
    [Deleting],
    items_backed_up,
    "backed up"
);
job!(Restore, RestorePhase, [], items_restored, "restored");

impl Phased for Schedule {
    const CONDITION: &str = condition::READY;

    in_status!();

    fn verdict(&self) -> Verdict {
        match self.phase() {
            SchedulePhase::Enabled => Verdict::Good,
            SchedulePhase::FailedValidation => Verdict::Bad,
            _ => Verdict::Open,
        }
    }

    fn note(&self) -> String {
        let status = self.status.as_ref();
        status.map_or_else(String::new, |status| status.validation_errors.join("; "))
    }
}

impl Phased for BackupStorageLocation {
    const CONDITION: &str = condition::READY;

    in_status!();

    fn verdict(&self) -> Verdict {
        match self.phase() {
            Some(LocationPhase::Available) => Verdict::Good,
            Some(LocationPhase::Unavailable) => Verdict::Bad,
            _ => Verdict::Open,
        }
    }

    fn note(&self) -> String {
        let status = self.status.as_ref();
        status.map_or_else(String::new, |status| status.message.clone())
    }
}

impl Phased for DeleteBackupRequest {
    const CONDITION: &str = condition::SUCCEEDED;

    in_status!();

    fn verdict(&self) -> Verdict {
        let well = self
            .status
            .as_ref()
            .is_none_or(|status| status.errors.is_empty());
        match self.phase() {
            DeleteBackupRequestPhase::Processed if well => Verdict::Good,
            DeleteBackupRequestPhase::Processed => Verdict::Bad,
            _ => Verdict::Open,
        }
    }

    fn note(&self) -> String {
        let errors = self.status.as_ref().map(|status| status.errors.join("; "));
        errors
            .filter(|errors| !errors.is_empty())
            .unwrap_or_else(|| format!("backup {}", self.spec.backup_name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(phase: BackupPhase) -> Backup {
        let mut backup = Backup::default();
        backup.status.get_or_insert_default().phase = Some(phase);
        backup
    }

    #[test]
    fn a_backup_that_is_being_deleted_has_still_succeeded() {
        let mut backup = backup(BackupPhase::Completed);
        sum_up(&mut backup, Timestamp::UNIX_EPOCH);
        let before = backup.conditions_mut().clone();
        assert_eq!(before[0].status, "True");
        assert_eq!(before[0].reason, "Completed");
        assert_eq!(before[0].message, "0 items backed up, 0 errors, 0 warnings");
        backup.status.get_or_insert_default().phase = Some(BackupPhase::Deleting);
        sum_up(&mut backup, Timestamp::MAX);
        assert_eq!(*backup.conditions_mut(), before);
    }

    #[test]
    fn what_has_not_ended_is_unknown_and_what_failed_says_why() {
        let mut running = backup(BackupPhase::InProgress);
        sum_up(&mut running, Timestamp::UNIX_EPOCH);
        assert_eq!(running.conditions_mut()[0].status, "Unknown");
        let mut failed = backup(BackupPhase::Failed);
        failed.status.get_or_insert_default().failure_reason = "the bucket is full".to_owned();
        sum_up(&mut failed, Timestamp::UNIX_EPOCH);
        assert_eq!(failed.conditions_mut()[0].status, "False");
        assert_eq!(failed.conditions_mut()[0].message, "the bucket is full");
    }
}
