//! From what a user wrote to what can be run: every rule checked, all messages
//! at once, defaults filled in. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use ark_api::restore::ExistingResourcePolicy;
use ark_api::storage_location::LocationPhase;
use ark_api::{
    Backup, BackupPhase, BackupStorageLocation, GoDuration, Restore, RestorePhase, RestoreSpec,
    Time, label, zone,
};
use jiff::Timestamp;

use super::mapping::Mapping;
use super::selection::NEVER;
use crate::select::{IncludeExclude, LabelFilter};

/// Longest namespace that the API takes.
const MAX_NAMESPACE: usize = 63;

/// What applies where a restore says nothing.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// How long asynchronous operations may take.
    pub item_operation_timeout: Duration,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            item_operation_timeout: Duration::from_hours(4),
        }
    }
}

/// A restore that may run: the only input of planning.
#[derive(Debug, Clone)]
pub struct ValidatedRestore {
    /// The resource with defaults filled in, in phase `InProgress`.
    pub restore: Restore,
    pub(super) location: String,
    pub(super) namespaces: IncludeExclude,
    pub(super) labels: LabelFilter,
    pub(super) mapping: Mapping,
    /// Where new disks are made, by where the old ones were; others stay.
    pub(super) zones: BTreeMap<String, String>,
}

impl ValidatedRestore {
    /// Name of the restore.
    pub fn name(&self) -> &str {
        self.restore.metadata.name.as_deref().unwrap_or_default()
    }

    /// UID of the restore; empty if it has none.
    pub(super) fn uid(&self) -> &str {
        self.restore.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Name of the backup that is restored.
    pub fn backup_name(&self) -> &str {
        &self.restore.spec.backup_name
    }

    /// Name of the location that holds the backup, and where results go.
    pub fn location_name(&self) -> &str {
        &self.location
    }

    /// Whether existing objects are patched to be as in the backup.
    pub(super) fn updates(&self) -> bool {
        self.restore.spec.existing_resource_policy == Some(ExistingResourcePolicy::Update)
    }
}

/// A restore that may not run.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The resource in phase `FailedValidation`, with the messages in its status.
    pub prepared: Box<Restore>,
    /// Everything that is wrong.
    pub messages: Vec<String>,
}

/// Checks every rule and fills in what is left open.
pub fn validate(
    restore: &Restore,
    backups: &[Backup],
    locations: &[BackupStorageLocation],
    defaults: &Defaults,
    now: Timestamp,
) -> Result<ValidatedRestore, Rejected> {
    let mut messages = Vec::new();
    check_kinds(&restore.spec, &mut messages);
    check_mapping(&restore.spec, &mut messages);
    check_unsupported(&restore.spec, &mut messages);
    let namespaces = check_namespaces(&restore.spec, &mut messages);
    let labels = check_labels(&restore.spec, &mut messages);
    let zones = zone::mappings(&restore.metadata).unwrap_or_else(|problem| {
        messages.push(problem);
        BTreeMap::new()
    });
    let mut prepared = restore.clone();
    let backup = check_source(&mut prepared, backups, &mut messages);
    let location = backup.map(|backup| check_location(backup, locations, &mut messages));
    fill_in(&mut prepared, defaults);
    let mapping = Mapping::new(&prepared.spec.namespace_mapping);
    match (messages.is_empty(), location) {
        (true, Some(location)) => Ok(ValidatedRestore {
            restore: begin(prepared, now),
            location,
            namespaces,
            labels,
            mapping,
            zones,
        }),
        _ => Err(reject(prepared, messages)),
    }
}

fn begin(mut prepared: Restore, now: Timestamp) -> Restore {
    let status = prepared.status.get_or_insert_default();
    status.phase = Some(RestorePhase::InProgress);
    status.start_timestamp.get_or_insert(Time(now));
    prepared
}

fn reject(mut prepared: Restore, messages: Vec<String>) -> Rejected {
    let status = prepared.status.get_or_insert_default();
    status.phase = Some(RestorePhase::FailedValidation);
    status.validation_errors.clone_from(&messages);
    Rejected {
        prepared: Box::new(prepared),
        messages,
    }
}

fn fill_in(prepared: &mut Restore, defaults: &Defaults) {
    let spec = &mut prepared.spec;
    for kind in NEVER {
        if !spec
            .excluded_resources
            .iter()
            .any(|excluded| excluded == kind)
        {
            spec.excluded_resources.push((*kind).to_owned());
        }
    }
    spec.item_operation_timeout
        .get_or_insert_with(|| GoDuration::from(defaults.item_operation_timeout));
    let finalizers = prepared.metadata.finalizers.get_or_insert_default();
    if !finalizers
        .iter()
        .any(|finalizer| finalizer == label::RESTORE_FINALIZER)
    {
        finalizers.push(label::RESTORE_FINALIZER.to_owned());
    }
}

fn check_kinds(spec: &RestoreSpec, messages: &mut Vec<String>) {
    for kind in spec
        .included_resources
        .iter()
        .filter(|kind| NEVER.contains(&kind.as_str()))
    {
        messages.push(format!(
            "resources: `{kind}` are never restored: take them out of the includes"
        ));
    }
    let lists = [(
        "resources",
        &spec.included_resources,
        &spec.excluded_resources,
    )];
    let status = spec.restore_status.iter().map(|status| {
        (
            "restoreStatus",
            &status.included_resources,
            &status.excluded_resources,
        )
    });
    for (field, includes, excludes) in lists.into_iter().chain(status) {
        if let Err(problems) = IncludeExclude::new(includes, excludes) {
            messages.extend(problems.iter().map(|problem| format!("{field}: {problem}")));
        }
    }
}

fn check_namespaces(spec: &RestoreSpec, messages: &mut Vec<String>) -> IncludeExclude {
    IncludeExclude::new(&spec.included_namespaces, &spec.excluded_namespaces).unwrap_or_else(
        |problems| {
            messages.extend(
                problems
                    .iter()
                    .map(|problem| format!("namespaces: {problem}")),
            );
            IncludeExclude::default()
        },
    )
}

fn check_labels(spec: &RestoreSpec, messages: &mut Vec<String>) -> LabelFilter {
    LabelFilter::new(spec.label_selector.as_ref(), Some(&spec.or_label_selectors)).unwrap_or_else(
        |problems| {
            messages.extend(problems);
            LabelFilter::default()
        },
    )
}

fn check_mapping(spec: &RestoreSpec, messages: &mut Vec<String>) {
    for (from, to) in &spec.namespace_mapping {
        let is_edge =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let valid = to.len() <= MAX_NAMESPACE
            && to
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && is_edge(to.chars().next())
            && is_edge(to.chars().next_back());
        if !valid {
            messages.push(format!(
                "namespaceMapping: `{from}` is mapped to `{to}`, which cannot be a namespace's name"
            ));
        }
    }
}

/// What the API can say and this version cannot do is refused: a restore that
/// silently passes over what was asked for would be a broken promise.
fn check_unsupported(spec: &RestoreSpec, messages: &mut Vec<String>) {
    if let Some(ExistingResourcePolicy::Other(policy)) = &spec.existing_resource_policy {
        messages.push(format!(
            "existingResourcePolicy: `{policy}` is none of the known policies `none` and `update`"
        ));
    }
    if !spec.hooks.resources.is_empty() {
        messages.push(
            "spec.hooks is not supported by this version: remove the hooks or run them after the restore"
                .to_owned(),
        );
    }
    if spec.resource_modifier.is_some() {
        messages.push(
            "spec.resourceModifier is not supported by this version: change the objects after the restore"
                .to_owned(),
        );
    }
}

/// Finds the backup and writes its name and schedule into the spec.
fn check_source<'a>(
    prepared: &mut Restore,
    backups: &'a [Backup],
    messages: &mut Vec<String>,
) -> Option<&'a Backup> {
    // A restore that is carried on already has both names filled in.
    let is_new = *prepared.phase() == RestorePhase::New;
    let spec = &mut prepared.spec;
    let problem = match (spec.backup_name.is_empty(), spec.schedule_name.is_empty()) {
        (true, true) => Some("neither backupName nor scheduleName is set: set one of them"),
        (false, false) if is_new => {
            Some("backupName and scheduleName exclude each other: set one of them")
        }
        _ => None,
    };
    if let Some(problem) = problem {
        messages.push(problem.to_owned());
        return None;
    }
    if spec.backup_name.is_empty() {
        let newest = newest_completed(&spec.schedule_name, backups);
        if newest.is_none() {
            messages.push(format!(
                "the schedule `{}` has no completed backup",
                spec.schedule_name
            ));
        }
        spec.backup_name = newest?.metadata.name.clone()?;
        return newest;
    }
    let backup = backups
        .iter()
        .find(|one| one.metadata.name.as_deref() == Some(&spec.backup_name));
    let Some(backup) = backup else {
        messages.push(format!("the backup `{}` does not exist", spec.backup_name));
        return None;
    };
    if spec.schedule_name.is_empty() {
        spec.schedule_name = schedule_of(backup).unwrap_or_default().to_owned();
    }
    Some(backup)
}

fn schedule_of(backup: &Backup) -> Option<&str> {
    backup
        .metadata
        .labels
        .as_ref()?
        .get(label::SCHEDULE_NAME)
        .map(String::as_str)
}

fn newest_completed<'a>(schedule: &str, backups: &'a [Backup]) -> Option<&'a Backup> {
    let schedule = label::valid_value(schedule);
    backups
        .iter()
        .filter(|backup| *backup.phase() == BackupPhase::Completed)
        .filter(|backup| schedule_of(backup) == Some(&schedule))
        .max_by_key(|backup| {
            backup
                .status
                .as_ref()
                .and_then(|status| status.start_timestamp.as_ref())
                .map(|time| time.0)
        })
}

/// The location of the backup; it must be there and available, and may be read-only.
fn check_location(
    backup: &Backup,
    locations: &[BackupStorageLocation],
    messages: &mut Vec<String>,
) -> String {
    let name = &backup.spec.storage_location;
    let found = locations
        .iter()
        .find(|one| one.metadata.name.as_deref() == Some(name));
    match found.map(BackupStorageLocation::phase) {
        None => messages.push(format!(
            "the backup's storage location `{name}` does not exist"
        )),
        Some(Some(LocationPhase::Available)) => {}
        Some(_) => messages.push(format!(
            "the backup's storage location `{name}` is not available"
        )),
    }
    name.clone()
}

#[cfg(test)]
mod tests;
