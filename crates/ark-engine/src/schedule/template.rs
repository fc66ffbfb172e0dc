//! From a schedule to a backup: the same for the server and for a backup that
//! somebody asks for by hand.

use std::collections::BTreeMap;

use ark_api::{Backup, ObjectMeta, OwnerReference, Schedule, label};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `<schedule>-<YYYYMMDDhhmmss>` in UTC.
pub fn backup_name(schedule: &str, at: Timestamp) -> String {
    let at = at.to_zoned(TimeZone::UTC);
    format!("{schedule}-{}", at.strftime("%Y%m%d%H%M%S"))
}

/// The backup that a schedule makes, under a name.
///
/// Labels of the template take the place of the schedule's own.
pub fn backup_of(schedule: &Schedule, name: String) -> Backup {
    let spec = &schedule.spec;
    let own = &schedule.metadata;
    let template = spec.template.metadata.as_ref();
    let mut labels = template
        .map(|template| template.labels.clone())
        .filter(|labels| !labels.is_empty())
        .or_else(|| own.labels.clone())
        .unwrap_or_default();
    let schedule_name = own.name.as_deref().unwrap_or_default();
    labels.insert(
        label::SCHEDULE_NAME.to_owned(),
        label::valid_value(schedule_name),
    );
    let annotations: BTreeMap<String, String> = own
        .annotations
        .iter()
        .flatten()
        // It tells of the schedule, and would make a lie of the backup.
        .filter(|(key, _)| *key != label::LAST_APPLIED)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let is_owned = spec.use_owner_references_in_backup == Some(true);
    Backup {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: own.namespace.clone(),
            labels: Some(labels),
            annotations: (!annotations.is_empty()).then_some(annotations),
            owner_references: is_owned.then(|| vec![owner(schedule)]),
            ..ObjectMeta::default()
        },
        spec: spec.template.clone(),
        status: None,
    }
}

/// With this the API server's garbage collector deletes the backup with its schedule.
fn owner(schedule: &Schedule) -> OwnerReference {
    OwnerReference {
        api_version: ark_api::V1.to_owned(),
        kind: "Schedule".to_owned(),
        name: schedule.metadata.name.clone().unwrap_or_default(),
        uid: schedule.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}
