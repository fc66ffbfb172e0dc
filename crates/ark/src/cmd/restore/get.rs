//! `ark restore get`: the columns of restores.

use ark_api::Restore;
use jiff::Timestamp;

use crate::cmd::backup::get::{all_or, selector, took, unsigned};
use crate::listing::{Shown, name, status};
use crate::out::human;
use crate::out::style::Tone;
use crate::out::table::Cell;

impl Shown for Restore {
    const COLUMNS: &[&str] = &[
        "NAME",
        "BACKUP",
        "STATUS",
        "STARTED",
        "COMPLETED",
        "ERRORS",
        "WARNINGS",
        "CREATED",
        "SELECTOR",
    ];
    const WIDE: &[&str] = &["ITEMS", "DURATION", "NAMESPACES"];

    fn cells(&self, _now: Timestamp) -> Vec<Cell> {
        let outcome = self.status.clone().unwrap_or_default();
        let created = self.metadata.creation_timestamp.as_ref().map(|time| time.0);
        vec![
            Cell::from(name(self)),
            Cell::from(self.spec.backup_name.as_str()),
            Cell::phase(status(&self.metadata, self.phase().as_str())),
            Cell::from(human::time_or_none(
                outcome.start_timestamp.map(|time| time.0),
            )),
            Cell::from(human::time_or_none(
                outcome.completion_timestamp.map(|time| time.0),
            )),
            Cell::problems(unsigned(outcome.errors), Tone::Bad),
            Cell::problems(unsigned(outcome.warnings), Tone::Warning),
            Cell::from(human::time_or_none(created)),
            Cell::from(selector(self.spec.label_selector.as_ref())),
        ]
    }

    fn wide_cells(&self, now: Timestamp) -> Vec<Cell> {
        let outcome = self.status.clone().unwrap_or_default();
        let items = outcome
            .progress
            .as_ref()
            .map(|progress| format!("{}/{}", progress.items_restored, progress.total_items));
        let duration = took(
            outcome.start_timestamp.map(|time| time.0),
            outcome.completion_timestamp.map(|time| time.0),
            now,
        );
        vec![
            Cell::from(items.unwrap_or_default()),
            Cell::from(duration),
            Cell::from(all_or(&self.spec.included_namespaces)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_a_cell() {
        let restore = Restore::default();
        assert_eq!(
            restore.cells(Timestamp::UNIX_EPOCH).len(),
            Restore::COLUMNS.len()
        );
        assert_eq!(
            restore.wide_cells(Timestamp::UNIX_EPOCH).len(),
            Restore::WIDE.len()
        );
    }
}
