//! Operations that item actions started and that go on beside a backup or
//! restore.

use ark_archive::side::{
    BackupOperation, OperationPhase, OperationStatus, ResourceIdentifier, RestoreOperation,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Fetched;
use crate::out::describe::Description;
use crate::out::human;

/// One operation as people and as programs see it.
pub(super) struct Operation {
    title: String,
    shown: Description,
    document: Value,
}

/// Adds operations: one by one where they were fetched, else their counts.
pub(super) fn add(
    into: &mut Description,
    (label, key): (&str, &str),
    counts: &str,
    operations: Fetched<Vec<Operation>>,
) {
    into.gap();
    let list = match operations {
        Fetched::Found(list) => list,
        Fetched::Skipped => {
            let text = format!("{counts} (specify --details for more information)");
            into.shown(label, key, counts, text);
            return;
        }
        Fetched::Absent => {
            into.field(label, key, counts);
            return;
        }
        Fetched::Failed(reason) => {
            let text = format!("{counts} <they could not be fetched: {reason}>");
            into.shown(label, key, counts, text);
            return;
        }
    };
    let mut inside = Description::new();
    let mut documents = Vec::with_capacity(list.len());
    for operation in list {
        inside.section(&operation.title, "", operation.shown);
        documents.push(operation.document);
    }
    into.section(label, "", inside).kept(key, documents);
}

/// An operation of a backup.
pub(super) fn of_backup(operation: &BackupOperation) -> Operation {
    let spec = &operation.spec;
    let mut shown = Description::new();
    shown
        .told(
            "Backup Item Action Plugin",
            spec.backup_item_action.as_str(),
        )
        .told("Operation ID", spec.operation_id.as_str());
    if !spec.post_operation_items.is_empty() {
        let items = spec.post_operation_items.iter().map(object).collect();
        shown.bullets("Items to Update", "", items, Vec::new());
    }
    status(&mut shown, &operation.status);
    Operation {
        title: format!("Operation for {}", object(&spec.resource_identifier)),
        shown,
        document: json!(operation),
    }
}

/// An operation of a restore.
pub(super) fn of_restore(operation: &RestoreOperation) -> Operation {
    let spec = &operation.spec;
    let mut shown = Description::new();
    shown
        .told(
            "Restore Item Action Plugin",
            spec.restore_item_action.as_str(),
        )
        .told("Operation ID", spec.operation_id.as_str());
    status(&mut shown, &operation.status);
    Operation {
        title: format!("Operation for {}", object(&spec.resource_identifier)),
        shown,
        document: json!(operation),
    }
}

fn status(into: &mut Description, status: &OperationStatus) {
    let phase = match status.phase {
        None | Some(OperationPhase::New) => "New",
        Some(OperationPhase::InProgress) => "InProgress",
        Some(OperationPhase::Completed) => "Completed",
        Some(OperationPhase::Failed) => "Failed",
    };
    into.phase("Phase", "", phase, "");
    if !status.error.is_empty() {
        into.told("Operation Error", status.error.as_str());
    }
    if status.n_total > 0 || status.n_completed > 0 {
        let (done, total, units) = (status.n_completed, status.n_total, &status.operation_units);
        into.told("Progress", format!("{done} of {total} complete ({units})"));
    }
    if !status.description.is_empty() {
        into.told("Progress description", status.description.as_str());
    }
    let times = [
        ("Created", &status.created),
        ("Started", &status.started),
        ("Updated", &status.updated),
    ];
    for (label, at) in times {
        if let Some(at) = at {
            let time = at.parse::<Timestamp>();
            into.told(label, time.map_or_else(|_| at.clone(), human::time));
        }
    }
}

/// `persistentvolumeclaims shop/data`.
fn object(identifier: &ResourceIdentifier) -> String {
    let mut text = identifier.resource.clone();
    if !identifier.group.is_empty() {
        text = format!("{text}.{}", identifier.group);
    }
    if identifier.namespace.is_empty() {
        format!("{text} {}", identifier.name)
    } else {
        format!("{text} {}/{}", identifier.namespace, identifier.name)
    }
}
