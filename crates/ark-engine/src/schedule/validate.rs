//! What is wrong with a schedule, all at once: its timetable, its name, and what
//! can be said of the template without knowing the cluster.

use ark_api::storage_location::LocationPhase;
use ark_api::{BackupStorageLocation, Schedule};
use jiff::Timestamp;

use super::{Timetable, backup_name, backup_of};
use crate::backup::{self, Defaults, Surroundings};

/// Longest name of an object.
const LONGEST_NAME: usize = 253;

/// Reads the timetable and checks the template as the backup that it will be.
///
/// Whether the location and the policies exist and can be used is not looked at:
/// that may change before the first backup, which is checked again.
pub fn check(
    schedule: &Schedule,
    defaults: &Defaults,
    now: Timestamp,
) -> Result<Timetable, Vec<String>> {
    let mut messages = Vec::new();
    let timetable = Timetable::parse(&schedule.spec.schedule);
    if let Err(error) = &timetable {
        messages.push(format!(
            "spec.schedule `{}` cannot be used: {error}",
            schedule.spec.schedule
        ));
    }
    let name = schedule.metadata.name.as_deref().unwrap_or_default();
    let backup_name = backup_name(name, now);
    if backup_name.len() > LONGEST_NAME {
        messages.push(format!(
            "the name is too long: with the time behind it, that of a backup would have {} \
             letters, and {LONGEST_NAME} are possible",
            backup_name.len()
        ));
    }
    let mut backup = backup_of(schedule, backup_name);
    backup.spec.resource_policy = None;
    let locations = [some_location(&backup.spec.storage_location, defaults)];
    let around = Surroundings::of_locations(&locations);
    if let Err(rejected) = backup::validate(&backup, &around, defaults, now) {
        let template = rejected.messages.iter();
        messages.extend(template.map(|message| format!("spec.template: {message}")));
    }
    match timetable {
        Ok(timetable) if messages.is_empty() => Ok(timetable),
        _ => Err(messages),
    }
}

/// A location that no rule objects to.
fn some_location(name: &str, defaults: &Defaults) -> BackupStorageLocation {
    let name = if name.is_empty() {
        &defaults.storage_location
    } else {
        name
    };
    let mut location = BackupStorageLocation::default();
    location.metadata.name = Some(name.to_owned());
    location.status.get_or_insert_default().phase = Some(LocationPhase::Available);
    location
}
