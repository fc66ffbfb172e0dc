//! What a change of a phase is worth telling, kind by kind.

use ark_api::{
    Backup, BackupPhase, BackupStorageLocation, DeleteBackupRequest, DeleteBackupRequestPhase,
    LocationPhase, Restore, RestorePhase, Schedule, SchedulePhase,
};

/// Whether somebody should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// As it should be.
    Normal,
    /// Something is missing or wrong.
    Warning,
}

/// A kind with a phase.
pub(crate) trait Phased {
    /// The phase as it is stored; `None` before there is one.
    fn phase_name(&self) -> Option<&str>;

    /// Whether the phase is a bad one.
    fn severity(&self) -> Severity;

    /// What is known beyond the phase; empty for nothing.
    fn note(&self) -> String;
}

fn severity(bad: bool) -> Severity {
    if bad {
        Severity::Warning
    } else {
        Severity::Normal
    }
}

impl Phased for Backup {
    fn phase_name(&self) -> Option<&str> {
        let phase = self.status.as_ref()?.phase.as_ref()?;
        Some(phase.as_str())
    }

    fn severity(&self) -> Severity {
        use BackupPhase as Phase;
        severity(matches!(
            self.phase(),
            Phase::Failed | Phase::PartiallyFailed | Phase::FailedValidation
        ))
    }

    fn note(&self) -> String {
        let Some(status) = &self.status else {
            return String::new();
        };
        match self.phase() {
            BackupPhase::FailedValidation => status.validation_errors.join("; "),
            BackupPhase::Completed | BackupPhase::PartiallyFailed => {
                let items = status
                    .progress
                    .as_ref()
                    .map_or(0, |done| done.items_backed_up);
                counts(items, "backed up", (status.errors, status.warnings))
            }
            _ => status.failure_reason.clone(),
        }
    }
}

impl Phased for Restore {
    fn phase_name(&self) -> Option<&str> {
        let phase = self.status.as_ref()?.phase.as_ref()?;
        Some(phase.as_str())
    }

    fn severity(&self) -> Severity {
        use RestorePhase as Phase;
        severity(matches!(
            self.phase(),
            Phase::Failed | Phase::PartiallyFailed | Phase::FailedValidation
        ))
    }

    fn note(&self) -> String {
        let Some(status) = &self.status else {
            return String::new();
        };
        match self.phase() {
            RestorePhase::FailedValidation => status.validation_errors.join("; "),
            RestorePhase::Completed | RestorePhase::PartiallyFailed => {
                let items = status
                    .progress
                    .as_ref()
                    .map_or(0, |done| done.items_restored);
                counts(items, "restored", (status.errors, status.warnings))
            }
            _ => status.failure_reason.clone(),
        }
    }
}

impl Phased for Schedule {
    fn phase_name(&self) -> Option<&str> {
        let phase = self.status.as_ref()?.phase.as_ref()?;
        Some(phase.as_str())
    }

    fn severity(&self) -> Severity {
        severity(*self.phase() == SchedulePhase::FailedValidation)
    }

    fn note(&self) -> String {
        let status = self.status.as_ref();
        status.map_or_else(String::new, |status| status.validation_errors.join("; "))
    }
}

impl Phased for BackupStorageLocation {
    fn phase_name(&self) -> Option<&str> {
        self.phase().map(LocationPhase::as_str)
    }

    fn severity(&self) -> Severity {
        severity(self.phase() == Some(&LocationPhase::Unavailable))
    }

    fn note(&self) -> String {
        let status = self.status.as_ref();
        status.map_or_else(String::new, |status| status.message.clone())
    }
}

impl Phased for DeleteBackupRequest {
    fn phase_name(&self) -> Option<&str> {
        let phase = self.status.as_ref()?.phase.as_ref()?;
        Some(phase.as_str())
    }

    fn severity(&self) -> Severity {
        let errors = self
            .status
            .as_ref()
            .is_some_and(|status| !status.errors.is_empty());
        severity(errors && *self.phase() == DeleteBackupRequestPhase::Processed)
    }

    fn note(&self) -> String {
        let errors = self.status.as_ref().map(|status| status.errors.join("; "));
        errors
            .filter(|errors| !errors.is_empty())
            .unwrap_or_else(|| format!("backup {}", self.spec.backup_name))
    }
}

fn counts(items: i64, done: &str, (errors, warnings): (i64, i64)) -> String {
    format!("{items} items {done}, {errors} errors, {warnings} warnings")
}
