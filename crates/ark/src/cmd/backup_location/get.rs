//! `ark backup-location get`: the columns of locations.

use ark_api::BackupStorageLocation;
use clap::Args;
use jiff::Timestamp;

use crate::cluster;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::listing::{self, Shown, name, status};
use crate::out::human;
use crate::out::table::Cell;

const EXAMPLES: &str = "\
Examples:
  ark backup-location get
  ark backup-location get --default -o yaml";

/// Show backup locations
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
#[group(skip)]
pub struct GetArgs {
    /// Only the default location
    #[arg(long)]
    default: bool,

    #[command(flatten)]
    look: listing::GetArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: GetArgs) -> Result<Exit, CommandError> {
    if !args.default {
        return listing::run::<BackupStorageLocation>(ctx, args.look).await;
    }
    let mut locations = cluster::list::<BackupStorageLocation>(ctx, None).await?;
    locations.retain(|location| location.spec.default);
    listing::show(ctx, &args.look, &locations)
}

impl Shown for BackupStorageLocation {
    const COLUMNS: &[&str] = &[
        "NAME",
        "PROVIDER",
        "BUCKET/PREFIX",
        "PHASE",
        "LAST VALIDATED",
        "ACCESS MODE",
        "DEFAULT",
    ];
    const WIDE: &[&str] = &["LAST SYNCED", "CREDENTIAL", "MESSAGE"];

    fn cells(&self, _now: Timestamp) -> Vec<Cell> {
        let outcome = self.status.clone().unwrap_or_default();
        let phase = self.phase().map_or("Unknown", |phase| phase.as_str());
        vec![
            Cell::from(name(self)),
            Cell::from(self.spec.provider.as_str()),
            Cell::from(place(self)),
            Cell::phase(status(&self.metadata, phase)),
            Cell::from(human::time_or_none(
                outcome.last_validation_time.map(|time| time.0),
            )),
            Cell::from(self.access_mode().as_str()),
            Cell::from(if self.spec.default { "true" } else { "" }),
        ]
    }

    fn wide_cells(&self, _now: Timestamp) -> Vec<Cell> {
        let outcome = self.status.clone().unwrap_or_default();
        let credential = self.spec.credential.as_ref();
        vec![
            Cell::from(human::time_or_none(
                outcome.last_synced_time.map(|time| time.0),
            )),
            Cell::from(
                credential
                    .map(|c| format!("{}={}", c.name, c.key))
                    .unwrap_or_default(),
            ),
            Cell::from(outcome.message),
        ]
    }
}

/// `bucket/prefix`.
fn place(location: &BackupStorageLocation) -> String {
    let storage = &location.spec.object_storage;
    if storage.prefix.is_empty() {
        storage.bucket.clone()
    } else {
        format!(
            "{}/{}",
            storage.bucket.trim_end_matches('/'),
            storage.prefix.trim_start_matches('/')
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_a_cell() {
        let location = BackupStorageLocation::default();
        let columns = BackupStorageLocation::COLUMNS.len();
        assert_eq!(location.cells(Timestamp::UNIX_EPOCH).len(), columns);
        let wide = BackupStorageLocation::WIDE.len();
        assert_eq!(location.wide_cells(Timestamp::UNIX_EPOCH).len(), wide);
    }
}
