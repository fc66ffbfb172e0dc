//! From what a user wrote to what can be run: every rule checked, all messages
//! at once, defaults filled in. Pure.

mod location;
mod namespaces;
mod policies;
mod snapshot_locations;

use std::collections::BTreeMap;
use std::time::Duration;

use ark_api::{Backup, BackupPhase, BackupSpec, BackupStorageLocation, GoDuration, label};
use jiff::{SignedDuration, Timestamp};

use super::by_label;
use super::filters::{self, Filters};
use super::ordered::{self, Ordered};
use super::surroundings::Surroundings;
use crate::hook;
use crate::policy::ResourcePolicies;
use crate::port::stamp;
use crate::select::{IncludeExclude, LabelFilter};

/// Format version of the archive, as `status.formatVersion` and
/// `metadata/version` give it.
pub const FORMAT_VERSION: &str = "1.1.0";

/// What applies where a backup says nothing.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// How long a backup is kept.
    pub ttl: Duration,
    /// How long asynchronous operations may take.
    pub item_operation_timeout: Duration,
    /// How long a CSI snapshot may take.
    pub csi_snapshot_timeout: Duration,
    /// The location to use when none is marked as default.
    pub storage_location: String,
    /// Of a provider with several snapshot locations the one to use, by the provider's
    /// name.
    pub snapshot_locations: BTreeMap<String, String>,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            ttl: Duration::from_hours(720),
            item_operation_timeout: Duration::from_hours(4),
            csi_snapshot_timeout: Duration::from_mins(10),
            storage_location: "default".to_owned(),
            snapshot_locations: BTreeMap::new(),
        }
    }
}

/// A backup that may run: the only input of planning.
#[derive(Debug, Clone)]
pub struct ValidatedBackup {
    /// The resource with defaults filled in, in phase `InProgress`.
    pub backup: Backup,
    pub(super) namespaces: IncludeExclude,
    pub(super) filters: Filters,
    pub(super) labels: LabelFilter,
    pub(super) ordered: Ordered,
    pub(super) policies: ResourcePolicies,
}

impl ValidatedBackup {
    /// Name of the backup.
    pub fn name(&self) -> &str {
        self.backup.metadata.name.as_deref().unwrap_or_default()
    }

    /// UID of its resource; empty where there is none.
    pub(super) fn uid(&self) -> &str {
        self.backup.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The label by whose value claims are put in group snapshots.
    pub(super) fn volume_group_key(&self) -> &str {
        match self.backup.spec.volume_group_snapshot_label_key.as_str() {
            "" => label::VOLUME_GROUP,
            key => key,
        }
    }

    /// Name of the location that it goes to.
    pub fn location_name(&self) -> &str {
        &self.backup.spec.storage_location
    }
}

/// A backup that may not run.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The resource in phase `FailedValidation`, with the messages in its status.
    pub prepared: Box<Backup>,
    /// Everything that is wrong.
    pub messages: Vec<String>,
}

/// Checks every rule and fills in what is left open.
pub fn validate(
    backup: &Backup,
    around: &Surroundings<'_>,
    defaults: &Defaults,
    now: Timestamp,
) -> Result<ValidatedBackup, Rejected> {
    let mut prepared = backup.clone();
    fill_in(&mut prepared, around.locations, defaults, now);
    let mut messages = Vec::new();
    let name = &prepared.spec.storage_location;
    location::check(name, around.locations, &mut messages);
    let given = &prepared.spec.volume_snapshot_locations;
    let known = around.snapshot_locations;
    let chosen = snapshot_locations::choose(given, known, defaults, &mut messages);
    prepared.spec.volume_snapshot_locations = chosen;
    check_unsupported(&prepared.spec, &mut messages);
    filters::check(&prepared.spec, &mut messages);
    filters::leave_out_snapshots(&mut prepared.spec);
    namespaces::leave_out_labelled(&mut prepared.spec, around, &mut messages);
    messages.extend(hook::check(&prepared.spec.hooks));
    // Policies choose namespaces, but what is wrong with them is said last.
    let mut of_policies = Vec::new();
    let policies = policies::read(&prepared.spec, around, &mut of_policies);
    if !policies.namespaces.is_empty() {
        let left_open = backup.spec.included_namespaces.is_empty();
        let (chosen, labels) = (&policies.namespaces, &around.namespaces);
        by_label::write(&mut prepared.spec, left_open, chosen, labels);
    }
    let spec = &prepared.spec;
    let namespaces = namespaces::lists(spec, &mut messages);
    let labels = LabelFilter::new(spec.label_selector.as_ref(), Some(&spec.or_label_selectors))
        .unwrap_or_else(|problems| {
            messages.extend(problems);
            LabelFilter::default()
        });
    let ordered = ordered::parse(&spec.ordered_resources, &mut messages);
    messages.extend(of_policies);
    let mut filters = Filters::of(spec);
    filters.add(&policies.kinds);
    let status = prepared.status.get_or_insert_default();
    if messages.is_empty() {
        status.phase = Some(BackupPhase::InProgress);
        status.start_timestamp.get_or_insert(stamp(now));
        return Ok(ValidatedBackup {
            backup: prepared,
            namespaces,
            filters,
            labels,
            ordered,
            policies,
        });
    }
    status.phase = Some(BackupPhase::FailedValidation);
    status.validation_errors.clone_from(&messages);
    Err(Rejected {
        prepared: Box::new(prepared),
        messages,
    })
}

fn fill_in(
    backup: &mut Backup,
    locations: &[BackupStorageLocation],
    defaults: &Defaults,
    now: Timestamp,
) {
    let spec = &mut backup.spec;
    if spec.storage_location.is_empty() {
        let marked = locations.iter().find(|location| location.spec.default);
        spec.storage_location = marked
            .and_then(|location| location.metadata.name.clone())
            .unwrap_or_else(|| defaults.storage_location.clone());
    }
    if spec.included_namespaces.is_empty() {
        spec.included_namespaces = vec!["*".to_owned()];
    }
    if let Some(old) = spec.default_volumes_to_restic.take() {
        spec.default_volumes_to_fs_backup.get_or_insert(old);
    }
    let set = |value: &mut Option<GoDuration>, default: Duration| -> Duration {
        let chosen = GoDuration::or_default(*value, default);
        *value = Some(GoDuration::from(chosen));
        chosen
    };
    let ttl = set(&mut spec.ttl, defaults.ttl);
    set(
        &mut spec.item_operation_timeout,
        defaults.item_operation_timeout,
    );
    set(
        &mut spec.csi_snapshot_timeout,
        defaults.csi_snapshot_timeout,
    );
    let location = label::valid_value(&spec.storage_location);
    backup
        .metadata
        .labels
        .get_or_insert_default()
        .insert(label::STORAGE_LOCATION.to_owned(), location);
    let status = backup.status.get_or_insert_default();
    status.version = 1;
    FORMAT_VERSION.clone_into(&mut status.format_version);
    let lifetime = SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX);
    status.expiration = now.checked_add(lifetime).ok().map(stamp);
}

/// What the API can say and this version cannot do is refused: a backup that
/// silently leaves out what was asked for would be a broken promise.
fn check_unsupported(spec: &BackupSpec, messages: &mut Vec<String>) {
    let mut refuse = |set: bool, field: &str, instead: &str| {
        if set {
            messages.push(format!(
                "spec.{field} is not supported by this version: {instead}"
            ));
        }
    };
    refuse(
        spec.snapshot_move_data == Some(true),
        "snapshotMoveData",
        "snapshots stay where they are made; set it to false",
    );
    refuse(
        spec.default_volumes_to_fs_backup == Some(true),
        "defaultVolumesToFsBackup",
        "the files of volumes are not copied yet; set it to false",
    );
}

#[cfg(test)]
mod tests;
