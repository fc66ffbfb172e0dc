//! The location of a backup: there, writable, available.

use ark_api::BackupStorageLocation;
use ark_api::storage_location::{AccessMode, LocationPhase};

pub(super) fn check(name: &str, locations: &[BackupStorageLocation], messages: &mut Vec<String>) {
    let found = locations
        .iter()
        .find(|one| one.metadata.name.as_deref() == Some(name));
    let Some(location) = found else {
        messages.push(format!(
            "storage location `{name}` does not exist: create it, or name one of the existing ones"
        ));
        return;
    };
    if *location.access_mode() == AccessMode::ReadOnly {
        messages.push(format!(
            "storage location `{name}` is read-only: backups cannot be written to it"
        ));
    }
    if location.phase() != Some(&LocationPhase::Available) {
        let why = location
            .status
            .as_ref()
            .map_or("", |status| status.message.as_str());
        let why = if why.is_empty() {
            "it has not been validated yet"
        } else {
            why
        };
        messages.push(format!("storage location `{name}` is not available: {why}"));
    }
}
