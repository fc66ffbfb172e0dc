//! The description of a backup.

use ark_api::hook::{BackupHook, BackupResourceHooks};
use ark_api::{Backup, BackupPhase, BackupSpec, BackupStatus, DeleteBackupRequest};
use ark_archive::side::{ResourceList, Results};
use serde_json::json;

use super::{Fetched, included, metadata, problems, resources, selectors, time, tri_state};
use crate::listing::status;
use crate::out::describe::{Description, NONE};

/// What a description shows besides the resource itself.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Warnings and errors.
    pub results: Fetched<Results>,
    /// Names of the objects in it.
    pub resources: Fetched<ResourceList>,
    /// Attempts to delete it.
    pub deletions: Vec<DeleteBackupRequest>,
}

/// Describes a backup.
pub fn describe(backup: &Backup, beside: &Beside) -> Description {
    let outcome = backup.status.clone().unwrap_or_default();
    let mut all = Description::new();
    all.group("metadata", metadata(&backup.metadata)).gap();
    phase(&mut all, backup, &outcome);
    problems(&mut all, &beside.results, outcome.errors, outcome.warnings);
    all.gap().group("spec", spec(&backup.spec));
    all.gap().group("status", ended(backup.phase(), &outcome));
    resources(&mut all, &beside.resources);
    deletions(&mut all, &beside.deletions);
    all
}

fn phase(all: &mut Description, backup: &Backup, outcome: &BackupStatus) {
    all.phase(
        "Phase",
        "phase",
        status(&backup.metadata, backup.phase().as_str()),
    );
    if outcome.queue_position > 0 {
        all.field("Queue position", "queuePosition", outcome.queue_position);
    }
    if !outcome.failure_reason.is_empty() {
        all.field(
            "Failure reason",
            "failureReason",
            outcome.failure_reason.as_str(),
        );
    }
    if !outcome.validation_errors.is_empty() {
        all.lines(
            "Validation errors",
            "validationErrors",
            outcome.validation_errors.clone(),
        );
    }
}

fn spec(spec: &BackupSpec) -> Description {
    let mut all = Description::new();
    let namespaces = included(&spec.included_namespaces, &spec.excluded_namespaces, "*");
    all.section("Namespaces", "namespaces", namespaces).gap();
    all.section("Resources", "resources", which_resources(spec))
        .gap();
    selectors(
        &mut all,
        spec.label_selector.as_ref(),
        &spec.or_label_selectors,
    );
    all.gap().field(
        "Storage location",
        "storageLocation",
        spec.storage_location.as_str(),
    );
    all.gap();
    volumes(&mut all, spec);
    all.gap();
    let duration = |value: Option<ark_api::GoDuration>| value.map(|value| value.to_string());
    all.field("TTL", "TTL", duration(spec.ttl))
        .field(
            "CSI snapshot timeout",
            "CSISnapshotTimeout",
            duration(spec.csi_snapshot_timeout),
        )
        .field(
            "Item operation timeout",
            "itemOperationTimeout",
            duration(spec.item_operation_timeout),
        );
    all.gap();
    hooks(&mut all, &spec.hooks.resources);
    if !spec.ordered_resources.is_empty() {
        let mut ordered = Description::new();
        for (resource, names) in &spec.ordered_resources {
            ordered.field(resource, resource, names.as_str());
        }
        all.section("Ordered resources", "orderedResources", ordered);
    }
    if let Some(policy) = &spec.resource_policy {
        let mut inside = Description::new();
        inside.field("Type", "type", policy.kind.as_str()).field(
            "Name",
            "name",
            policy.name.as_str(),
        );
        all.section("Resource policies", "resourcePolicies", inside);
    }
    all
}

/// The lists of resources, in the family that the backup uses.
fn which_resources(spec: &BackupSpec) -> Description {
    let scoped = [
        &spec.included_cluster_scoped_resources,
        &spec.excluded_cluster_scoped_resources,
        &spec.included_namespace_scoped_resources,
        &spec.excluded_namespace_scoped_resources,
    ];
    if scoped.iter().all(|names| names.is_empty()) {
        let mut all = included(&spec.included_resources, &spec.excluded_resources, "*");
        let cluster = tri_state(spec.include_cluster_resources);
        all.field("Cluster-scoped", "clusterScoped", cluster);
        return all;
    }
    let shown = |names: &[String], none: &str| {
        if names.is_empty() {
            none.to_owned()
        } else {
            names.join(", ")
        }
    };
    let names = [
        ("Included cluster-scoped", "includedClusterScoped", NONE),
        ("Excluded cluster-scoped", "excludedClusterScoped", NONE),
        ("Included namespace-scoped", "includedNamespaceScoped", "*"),
        ("Excluded namespace-scoped", "excludedNamespaceScoped", NONE),
    ];
    let mut all = Description::new();
    for ((label, key, none), list) in names.into_iter().zip(scoped) {
        all.shown(label, key, list.clone(), shown(list, none));
    }
    all
}

fn volumes(all: &mut Description, spec: &BackupSpec) {
    all.field(
        "Snapshot volumes",
        "veleroNativeSnapshotPVs",
        tri_state(spec.snapshot_volumes),
    )
    .field(
        "Move snapshot data",
        "veleroSnapshotMoveData",
        tri_state(spec.snapshot_move_data),
    )
    .field(
        "Data mover",
        "dataMover",
        if spec.datamover.is_empty() {
            "built-in"
        } else {
            &spec.datamover
        },
    );
    if let Some(files) = spec
        .default_volumes_to_fs_backup
        .or(spec.default_volumes_to_restic)
    {
        all.field("File backup by default", "defaultVolumesToFsBackup", files);
    }
    if !spec.volume_snapshot_locations.is_empty() {
        let locations = spec.volume_snapshot_locations.clone();
        all.field("Snapshot locations", "volumeSnapshotLocations", locations);
    }
    if let Some(uploader) = &spec.uploader_config {
        all.field(
            "Parallel files upload",
            "parallelFilesUpload",
            uploader.parallel_files_upload,
        );
    }
}

fn hooks(all: &mut Description, rules: &[BackupResourceHooks]) {
    if rules.is_empty() {
        all.field("Hooks", "hooks", serde_json::Value::Null);
        return;
    }
    let mut inside = Description::new();
    for rule in rules {
        let mut one = Description::new();
        let namespaces = included(&rule.included_namespaces, &rule.excluded_namespaces, "*");
        let resources = included(&rule.included_resources, &rule.excluded_resources, "*");
        one.section("Namespaces", "namespaces", namespaces);
        one.section("Resources", "resources", resources);
        one.shown(
            "Label selector",
            "labelSelector",
            json!(rule.label_selector),
            crate::cmd::backup::get::selector(rule.label_selector.as_ref()),
        );
        one.lines("Before", "pre", commands(&rule.pre));
        one.lines("After", "post", commands(&rule.post));
        inside.section(&rule.name, &rule.name, one);
    }
    all.section("Hooks", "hooks", inside);
}

fn commands(hooks: &[BackupHook]) -> Vec<String> {
    let line = |hook: &BackupHook| {
        let exec = &hook.exec;
        let container = if exec.container.is_empty() {
            "first container"
        } else {
            exec.container.as_str()
        };
        let on_error = exec.on_error.as_ref().map_or("Fail", |mode| mode.as_str());
        let timeout = exec
            .timeout
            .map_or_else(|| "30s".to_owned(), |timeout| timeout.to_string());
        format!(
            "{} (in {container}, on error {on_error}, timeout {timeout})",
            exec.command.join(" ")
        )
    };
    hooks.iter().map(line).collect()
}

fn ended(phase: &BackupPhase, outcome: &BackupStatus) -> Description {
    let mut all = Description::new();
    all.field(
        "Format version",
        "backupFormatVersion",
        outcome.format_version.as_str(),
    );
    all.gap();
    time(
        &mut all,
        "Started",
        "started",
        outcome.start_timestamp.as_ref().map(|time| time.0),
    );
    time(
        &mut all,
        "Completed",
        "completed",
        outcome.completion_timestamp.as_ref().map(|time| time.0),
    );
    time(
        &mut all,
        "Expires",
        "expiration",
        outcome.expiration.as_ref().map(|time| time.0),
    );
    all.gap();
    let progress = outcome.progress.clone().unwrap_or_default();
    if phase.is_terminal() {
        all.field(
            "Items in all",
            "totalItemsToBeBackedUp",
            progress.total_items,
        )
        .field("Items backed up", "itemsBackedUp", progress.items_backed_up);
    } else {
        all.field(
            "Items, estimated",
            "estimatedTotalItemsToBeBackedUp",
            progress.total_items,
        )
        .field(
            "Items so far",
            "itemsBackedUpSoFar",
            progress.items_backed_up,
        );
    }
    if outcome.backup_item_operations_attempted > 0 {
        all.shown(
            "Operations",
            "backupItemOperations",
            json!({
                "attempted": outcome.backup_item_operations_attempted,
                "completed": outcome.backup_item_operations_completed,
                "failed": outcome.backup_item_operations_failed,
            }),
            format!(
                "{} of {} done, {} failed",
                outcome.backup_item_operations_completed,
                outcome.backup_item_operations_attempted,
                outcome.backup_item_operations_failed
            ),
        );
    }
    if let Some(hooks) = &outcome.hook_status {
        all.field("Hooks attempted", "hooksAttempted", hooks.hooks_attempted)
            .field("Hooks failed", "hooksFailed", hooks.hooks_failed);
    }
    all
}

fn deletions(all: &mut Description, requests: &[DeleteBackupRequest]) {
    if requests.is_empty() {
        return;
    }
    let mut lines = Vec::new();
    for request in requests {
        let name = request.metadata.name.as_deref().unwrap_or_default();
        let errors = request
            .status
            .as_ref()
            .map(|status| status.errors.join("; "));
        match errors.filter(|errors| !errors.is_empty()) {
            Some(errors) => lines.push(format!("{name}: failed: {errors}")),
            None => lines.push(format!("{name}: {}", request.phase())),
        }
    }
    all.gap()
        .lines("Deletion attempts", "deletionAttempts", lines);
}

#[cfg(test)]
mod tests;
