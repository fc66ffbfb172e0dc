//! The description of a backup, in Velero's order and with Velero's keys.

mod hooks;
pub(super) mod spec;

use ark_api::{
    Backup, BackupPhase, BackupStatus, DeleteBackupRequest, DeleteBackupRequestPhase,
    PodVolumeBackup,
};
use ark_archive::side::{BackupOperation, ResourceList, Results};
use serde_json::{Value, json};

use super::volumes::{self, Volumes};
use super::{
    Fetched, metadata, operation_counts, operations, pod_volumes, problems, resources, time,
};
use crate::listing::status;
use crate::out::describe::Description;
use crate::out::human;

/// What a description shows besides the resource itself.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Whether volumes and operations are shown one by one.
    pub details: bool,
    /// Warnings and errors.
    pub results: Fetched<Results>,
    /// Names of the objects in it.
    pub resources: Fetched<ResourceList>,
    /// What item actions started.
    pub operations: Fetched<Vec<BackupOperation>>,
    /// What became of volumes.
    pub volumes: Fetched<Volumes>,
    /// File backups of volumes of pods.
    pub pod_volumes: Vec<PodVolumeBackup>,
    /// Attempts to delete it.
    pub deletions: Vec<DeleteBackupRequest>,
}

/// Describes a backup.
pub fn describe(backup: &Backup, beside: &Beside) -> Description {
    let outcome = backup.status.clone().unwrap_or_default();
    let mut all = Description::new();
    all.group("metadata", metadata(&backup.metadata)).gap();
    phase(&mut all, backup, &outcome);
    if let Some(policy) = &backup.spec.resource_policy {
        let mut inside = Description::new();
        inside.field("Type", "type", policy.kind.as_str()).field(
            "Name",
            "name",
            policy.name.as_str(),
        );
        all.gap()
            .section("Resource policies", "resourcePolicies", inside);
    }
    uploader(&mut all, backup);
    if !outcome.validation_errors.is_empty() {
        let errors = outcome.validation_errors.clone();
        all.gap()
            .lines("Validation errors", "validationErrors", errors);
    }
    problems(&mut all, &beside.results, outcome.errors, outcome.warnings);
    all.gap().group("spec", spec::describe(&backup.spec));
    let mut ended = Description::new();
    times(&mut ended, &outcome);
    items(&mut ended, backup.phase(), &outcome);
    started_operations(&mut ended, &outcome, beside);
    resources(&mut ended, &beside.resources);
    kept_volumes(&mut ended, beside);
    if let Some(hooks) = &outcome.hook_status {
        ended
            .gap()
            .field("HooksAttempted", "hooksAttempted", hooks.hooks_attempted)
            .field("HooksFailed", "hooksFailed", hooks.hooks_failed);
    }
    all.gap().group("status", ended);
    deletions(&mut all, &beside.deletions);
    all
}

fn phase(all: &mut Description, backup: &Backup, outcome: &BackupStatus) {
    let name = backup.metadata.name.as_deref().unwrap_or_default();
    let advice = match backup.phase() {
        BackupPhase::Failed | BackupPhase::PartiallyFailed => {
            format!(" (run `ark backup logs {name}` for more information)")
        }
        _ => String::new(),
    };
    let phase = status(&backup.metadata, backup.phase().as_str());
    all.phase("Phase", "phase", phase, &advice);
    if outcome.queue_position > 0 {
        all.field("Queue position", "queuePosition", outcome.queue_position);
    }
    if !outcome.failure_reason.is_empty() {
        let reason = outcome.failure_reason.as_str();
        all.field("Failure reason", "failureReason", reason);
    }
}

fn uploader(all: &mut Description, backup: &Backup) {
    let uploader = backup.spec.uploader_config.as_ref();
    let files = uploader.map_or(0, |uploader| uploader.parallel_files_upload);
    if files > 0 {
        let mut inside = Description::new();
        inside.field("Parallel files upload", "parallelFilesUpload", files);
        all.gap()
            .section("Uploader config", "uploaderConfig", inside);
    }
}

fn times(all: &mut Description, outcome: &BackupStatus) {
    let format = outcome.format_version.as_str();
    all.field("Backup Format Version", "backupFormatVersion", format);
    all.gap();
    let at = [
        ("Started", "started", &outcome.start_timestamp),
        ("Completed", "completed", &outcome.completion_timestamp),
    ];
    for (label, key, at) in at {
        time(all, label, key, at.as_ref().map(|at| at.0));
    }
    all.gap();
    let expires = outcome.expiration.as_ref().map(|at| at.0);
    time(all, "Expiration", "expiration", expires);
}

fn items(all: &mut Description, phase: &BackupPhase, outcome: &BackupStatus) {
    let Some(progress) = &outcome.progress else {
        return;
    };
    let (total, done) = (progress.total_items, progress.items_backed_up);
    all.gap();
    if *phase == BackupPhase::InProgress {
        let (label, key) = (
            "Estimated total items to be backed up",
            "estimatedTotalItemsToBeBackedUp",
        );
        all.field(label, key, total)
            .field("Items backed up so far", "itemsBackedUpSoFar", done);
    } else {
        all.field(
            "Total items to be backed up",
            "totalItemsToBeBackedUp",
            total,
        )
        .field("Items backed up", "itemsBackedUp", done);
    }
}

fn started_operations(all: &mut Description, outcome: &BackupStatus, beside: &Beside) {
    if outcome.backup_item_operations_attempted == 0 {
        return;
    }
    let counts = operation_counts(
        outcome.backup_item_operations_completed,
        outcome.backup_item_operations_attempted,
        outcome.backup_item_operations_failed,
    );
    let entries = match &beside.operations {
        Fetched::Found(list) => Fetched::Found(list.iter().map(operations::of_backup).collect()),
        Fetched::Failed(reason) => Fetched::Failed(reason.clone()),
        Fetched::Skipped => Fetched::Skipped,
        Fetched::Absent => Fetched::Absent,
    };
    let label = ("Backup Item Operations", "backupItemOperations");
    operations::add(all, label, &counts, entries);
}

fn kept_volumes(all: &mut Description, beside: &Beside) {
    let mut inside = Description::new();
    volumes::of_backup(&mut inside, &beside.volumes, beside.details);
    inside.gap();
    pod_volumes::of_backup(&mut inside, &beside.pod_volumes, beside.details);
    all.gap().section("Backup Volumes", "backupVolumes", inside);
}

fn deletions(all: &mut Description, requests: &[DeleteBackupRequest]) {
    if requests.is_empty() {
        return;
    }
    let errors_of = |request: &DeleteBackupRequest| {
        let status = request.status.as_ref();
        status
            .map(|status| status.errors.clone())
            .unwrap_or_default()
    };
    let failed = requests
        .iter()
        .filter(|request| {
            *request.phase() == DeleteBackupRequestPhase::Processed
                && !errors_of(request).is_empty()
        })
        .count();
    let mut lines = Vec::new();
    let mut documents = Vec::new();
    for request in requests {
        let created = request.metadata.creation_timestamp.as_ref();
        let created = human::time_or_none(created.map(|at| at.0));
        lines.push(format!("{created}: {}", request.phase()));
        let mut document = json!({
            "creationTimestamp": created,
            "phase": request.phase().as_str(),
        });
        let errors = errors_of(request);
        if !errors.is_empty() {
            lines.push("Errors:".to_owned());
            lines.extend(errors.iter().map(|error| format!("  {error}")));
            document["errors"] = json!(errors);
        }
        documents.push(document);
    }
    let mut document = json!({"deleteBackupRequests": documents});
    let label = if failed > 0 {
        document["failed"] = Value::from(failed);
        format!("Deletion Attempts ({failed} failed)")
    } else {
        "Deletion Attempts".to_owned()
    };
    all.gap()
        .bullets(&label, "", lines, Vec::new())
        .kept("deletionAttempts", document);
}

#[cfg(test)]
mod tests;
