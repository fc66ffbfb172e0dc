//! `ark snapshot-location get`: the columns of locations.

use ark_api::VolumeSnapshotLocation;
use jiff::Timestamp;

use crate::listing::{Shown, name, pairs};
use crate::out::table::Cell;

impl Shown for VolumeSnapshotLocation {
    const COLUMNS: &[&str] = &["NAME", "PROVIDER"];
    const WIDE: &[&str] = &["CREDENTIAL", "CONFIG"];

    fn cells(&self, _now: Timestamp) -> Vec<Cell> {
        vec![
            Cell::from(name(self)),
            Cell::from(self.spec.provider.as_str()),
        ]
    }

    fn wide_cells(&self, _now: Timestamp) -> Vec<Cell> {
        let credential = self.spec.credential.as_ref();
        vec![
            Cell::from(
                credential
                    .map(|c| format!("{}={}", c.name, c.key))
                    .unwrap_or_default(),
            ),
            Cell::from(pairs(Some(&self.spec.config)).join(",")),
        ]
    }
}
