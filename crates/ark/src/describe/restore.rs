//! The description of a restore, in Velero's order.

use ark_api::restore::ExistingResourcePolicy;
use ark_api::{PodVolumeRestore, Restore, RestorePhase, RestoreSpec, RestoreStatus};
use ark_archive::side::{ResourceList, RestoreOperation, RestoreVolumeInfo, Results};
use serde_json::json;

use super::{
    Fetched, cluster_scoped, duration, included, metadata, operation_counts, operations,
    pod_volumes, problems, resources, selectors, time, tri_state, volumes,
};
use crate::listing::status;
use crate::out::describe::{Description, NONE};

/// What a description shows besides the resource itself.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Whether volumes and operations are shown one by one.
    pub details: bool,
    /// Warnings and errors.
    pub results: Fetched<Results>,
    /// Names of the objects and what was done with them.
    pub resources: Fetched<ResourceList>,
    /// What item actions started.
    pub operations: Fetched<Vec<RestoreOperation>>,
    /// What became of volumes.
    pub volumes: Fetched<Vec<RestoreVolumeInfo>>,
    /// File restores of volumes of pods.
    pub pod_volumes: Vec<PodVolumeRestore>,
}

/// Describes a restore.
pub fn describe(restore: &Restore, beside: &Beside) -> Description {
    let outcome = restore.status.clone().unwrap_or_default();
    let mut all = Description::new();
    all.group("metadata", metadata(&restore.metadata)).gap();
    phase(&mut all, restore, &outcome);
    all.group("status", ended(restore.phase(), &outcome));
    if !outcome.validation_errors.is_empty() {
        let errors = outcome.validation_errors.clone();
        all.gap()
            .lines("Validation errors", "validationErrors", errors);
    }
    problems(&mut all, &beside.results, outcome.errors, outcome.warnings);
    all.gap().group("spec", source_and_scope(&restore.spec));
    let mut used = Description::new();
    pod_volumes::of_restore(&mut used, &beside.pod_volumes, beside.details);
    volumes::of_restore(&mut used, &beside.volumes, beside.details);
    all.group("status", used);
    all.gap().group("spec", handling(&restore.spec));
    let mut rest = Description::new();
    started_operations(&mut rest, &outcome, beside);
    if let Some(hooks) = &outcome.hook_status {
        rest.gap()
            .field("HooksAttempted", "hooksAttempted", hooks.hooks_attempted)
            .field("HooksFailed", "hooksFailed", hooks.hooks_failed);
    }
    resources(&mut rest, &beside.resources);
    all.group("status", rest);
    all
}

fn phase(all: &mut Description, restore: &Restore, outcome: &RestoreStatus) {
    let name = restore.metadata.name.as_deref().unwrap_or_default();
    let advice = match restore.phase() {
        RestorePhase::Failed | RestorePhase::PartiallyFailed => {
            format!(" (run `ark restore logs {name}` for more information)")
        }
        _ => String::new(),
    };
    let phase = status(&restore.metadata, restore.phase().as_str());
    all.phase("Phase", "phase", phase, &advice);
    if !outcome.failure_reason.is_empty() {
        let reason = outcome.failure_reason.as_str();
        all.field("Failure reason", "failureReason", reason);
    }
}

fn ended(phase: &RestorePhase, outcome: &RestoreStatus) -> Description {
    let mut all = Description::new();
    if let Some(progress) = &outcome.progress {
        let (total, done) = (progress.total_items, progress.items_restored);
        if *phase == RestorePhase::InProgress {
            let (label, key) = (
                "Estimated total items to be restored",
                "estimatedTotalItemsToBeRestored",
            );
            all.field(label, key, total)
                .field("Items restored so far", "itemsRestoredSoFar", done);
        } else {
            all.field(
                "Total items to be restored",
                "totalItemsToBeRestored",
                total,
            )
            .field("Items restored", "itemsRestored", done);
        }
    }
    all.gap();
    let at = [
        ("Started", "started", &outcome.start_timestamp),
        ("Completed", "completed", &outcome.completion_timestamp),
    ];
    for (label, key, at) in at {
        time(&mut all, label, key, at.as_ref().map(|at| at.0));
    }
    all
}

fn source_and_scope(spec: &RestoreSpec) -> Description {
    let mut all = Description::new();
    all.field("Backup", "backupName", spec.backup_name.as_str());
    if !spec.schedule_name.is_empty() {
        all.field("Schedule", "scheduleName", spec.schedule_name.as_str());
    }
    all.gap();
    let namespaces = included(
        &spec.included_namespaces,
        &spec.excluded_namespaces,
        "all namespaces found in the backup",
    );
    all.section("Namespaces", "namespaces", namespaces).gap();
    let mut resources = included(&spec.included_resources, &spec.excluded_resources, "*");
    let cluster = cluster_scoped(spec.include_cluster_resources);
    resources.field("Cluster-scoped", "clusterScoped", cluster);
    all.section("Resources", "resources", resources).gap();
    let mapping: Vec<String> = spec
        .namespace_mapping
        .iter()
        .map(|(from, to)| format!("{from}={to}"))
        .collect();
    all.map(
        "Namespace mappings",
        "namespaceMappings",
        mapping,
        json!(spec.namespace_mapping),
    );
    all.gap();
    selectors(
        &mut all,
        spec.label_selector.as_ref(),
        &spec.or_label_selectors,
    );
    let volumes = tri_state(spec.restore_pvs);
    all.gap().field("Restore PVs", "restorePVs", volumes);
    all
}

fn handling(spec: &RestoreSpec) -> Description {
    let mut all = Description::new();
    let policy = spec.existing_resource_policy.as_ref();
    let policy = policy.map_or(NONE, ExistingResourcePolicy::as_str);
    let timeout = duration(spec.item_operation_timeout);
    let ports = tri_state(spec.preserve_node_ports);
    all.field("Existing Resource Policy", "existingResourcePolicy", policy)
        .field("ItemOperationTimeout", "itemOperationTimeout", timeout)
        .gap()
        .field("Preserve Service NodePorts", "preserveNodePorts", ports);
    if let Some(modifier) = &spec.resource_modifier {
        let mut inside = Description::new();
        inside.field("Type", "type", modifier.kind.as_str()).field(
            "Name",
            "name",
            modifier.name.as_str(),
        );
        all.gap()
            .section("Resource modifier", "resourceModifier", inside);
    }
    if let Some(uploader) = &spec.uploader_config {
        let mut inside = Description::new();
        let sparse = uploader.write_sparse_files.unwrap_or_default();
        inside.field("Write Sparse Files", "writeSparseFiles", sparse);
        if uploader.parallel_files_download > 0 {
            let files = uploader.parallel_files_download;
            inside.field("Parallel Restore", "parallelFilesDownload", files);
        }
        all.gap()
            .section("Uploader config", "uploaderConfig", inside);
    }
    all
}

fn started_operations(all: &mut Description, outcome: &RestoreStatus, beside: &Beside) {
    if outcome.restore_item_operations_attempted == 0 {
        return;
    }
    let counts = operation_counts(
        outcome.restore_item_operations_completed,
        outcome.restore_item_operations_attempted,
        outcome.restore_item_operations_failed,
    );
    let entries = match &beside.operations {
        Fetched::Found(list) => Fetched::Found(list.iter().map(operations::of_restore).collect()),
        Fetched::Failed(reason) => Fetched::Failed(reason.clone()),
        Fetched::Skipped => Fetched::Skipped,
        Fetched::Absent => Fetched::Absent,
    };
    let label = ("Restore Item Operations", "restoreItemOperations");
    operations::add(all, label, &counts, entries);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::style::Style;

    #[test]
    fn what_was_mapped_and_refused_is_shown() {
        let restore: Restore = serde_json::from_value(json!({
            "apiVersion": "velero.io/v1",
            "kind": "Restore",
            "metadata": {"name": "r", "namespace": "heptio-ark"},
            "spec": {"backupName": "b", "namespaceMapping": {"a": "x", "b": "y"}},
            "status": {"phase": "FailedValidation", "validationErrors": ["no backup `b`"]},
        }))
        .unwrap();
        let described = describe(&restore, &Beside::default());
        let text = described.to_text(Style::plain());
        assert!(text.contains("Validation errors:  no backup `b`"), "{text}");
        assert!(text.contains("Namespace mappings:  a=x"), "{text}");
        let value = described.to_value();
        assert_eq!(value["spec"]["namespaceMappings"]["b"], "y");
        assert_eq!(value["spec"]["restorePVs"], "auto");
    }
}
