//! `ark schedule get`: the columns of schedules.

use ark_api::Schedule;
use jiff::Timestamp;

use crate::cmd::backup::get::selector;
use crate::describe::schedule::next;
use crate::listing::{Shown, name, status};
use crate::out::human;
use crate::out::table::Cell;

impl Shown for Schedule {
    const COLUMNS: &[&str] = &[
        "NAME",
        "STATUS",
        "CREATED",
        "SCHEDULE",
        "BACKUP TTL",
        "LAST BACKUP",
        "SELECTOR",
        "PAUSED",
    ];
    const WIDE: &[&str] = &["NEXT BACKUP"];

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let created = self.metadata.creation_timestamp.as_ref();
        let last = self
            .status
            .as_ref()
            .and_then(|status| status.last_backup.as_ref())
            .map(|time| human::from_now(time.0, now));
        let template = &self.spec.template;
        vec![
            Cell::from(name(self)),
            Cell::phase(status(&self.metadata, self.phase().as_str())),
            Cell::from(human::time_or_none(created.map(|time| time.0))),
            Cell::from(self.spec.schedule.as_str()),
            Cell::from(template.ttl.unwrap_or_default().to_string()),
            Cell::from(last.unwrap_or_else(|| human::NO_TIME.to_owned())),
            Cell::from(selector(template.label_selector.as_ref())),
            Cell::from(self.spec.paused.to_string()),
        ]
    }

    fn wide_cells(&self, now: Timestamp) -> Vec<Cell> {
        let next = next(self, now).map(|next| human::from_now(next, now));
        vec![Cell::from(
            next.unwrap_or_else(|| human::NO_TIME.to_owned()),
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_a_cell() {
        let (schedule, now) = (Schedule::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(schedule.cells(now).len(), Schedule::COLUMNS.len());
        assert_eq!(schedule.wide_cells(now).len(), Schedule::WIDE.len());
    }
}
