//! `ark repo get`: the columns of repositories.

use ark_api::BackupRepository;
use jiff::Timestamp;

use crate::listing::{Shown, name, status};
use crate::out::human;
use crate::out::table::Cell;

impl Shown for BackupRepository {
    const COLUMNS: &[&str] = &["NAME", "STATUS", "LAST MAINTENANCE"];
    const WIDE: &[&str] = &["NAMESPACE", "STORAGE LOCATION", "MESSAGE"];

    fn cells(&self, _now: Timestamp) -> Vec<Cell> {
        let outcome = self.status.clone().unwrap_or_default();
        vec![
            Cell::from(name(self)),
            Cell::phase(status(&self.metadata, self.phase().as_str())),
            Cell::from(
                outcome
                    .last_maintenance_time
                    .map_or_else(|| "<never>".to_owned(), |time| human::time(time.0)),
            ),
        ]
    }

    fn wide_cells(&self, _now: Timestamp) -> Vec<Cell> {
        let outcome = self.status.clone().unwrap_or_default();
        vec![
            Cell::from(self.spec.volume_namespace.as_str()),
            Cell::from(self.spec.backup_storage_location.as_str()),
            Cell::from(outcome.message),
        ]
    }
}
