//! The description of a restore.

use ark_api::restore::ExistingResourcePolicy;
use ark_api::{Restore, RestorePhase, RestoreSpec, RestoreStatus};
use ark_archive::side::{ResourceList, Results};
use serde_json::json;

use super::{Fetched, included, metadata, problems, resources, selectors, time, tri_state};
use crate::listing::status;
use crate::out::describe::Description;

/// What a description shows besides the resource itself.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Warnings and errors.
    pub results: Fetched<Results>,
    /// Names of the objects and what was done with them.
    pub resources: Fetched<ResourceList>,
}

/// Describes a restore.
pub fn describe(restore: &Restore, beside: &Beside) -> Description {
    let outcome = restore.status.clone().unwrap_or_default();
    let mut all = Description::new();
    all.group("metadata", metadata(&restore.metadata)).gap();
    phase(&mut all, restore, &outcome);
    problems(&mut all, &beside.results, outcome.errors, outcome.warnings);
    all.gap().group("status", ended(restore.phase(), &outcome));
    all.gap().group("spec", spec(&restore.spec));
    resources(&mut all, &beside.resources);
    all
}

fn phase(all: &mut Description, restore: &Restore, outcome: &RestoreStatus) {
    all.phase(
        "Phase",
        "phase",
        status(&restore.metadata, restore.phase().as_str()),
    );
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

fn ended(phase: &RestorePhase, outcome: &RestoreStatus) -> Description {
    let mut all = Description::new();
    let progress = outcome.progress.clone().unwrap_or_default();
    if phase.is_terminal() {
        all.field(
            "Items in all",
            "totalItemsToBeRestored",
            progress.total_items,
        )
        .field("Items restored", "itemsRestored", progress.items_restored);
    } else {
        all.field(
            "Items, estimated",
            "estimatedTotalItemsToBeRestored",
            progress.total_items,
        )
        .field(
            "Items so far",
            "itemsRestoredSoFar",
            progress.items_restored,
        );
    }
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
    if outcome.restore_item_operations_attempted > 0 {
        all.shown(
            "Operations",
            "restoreItemOperations",
            json!({
                "attempted": outcome.restore_item_operations_attempted,
                "completed": outcome.restore_item_operations_completed,
                "failed": outcome.restore_item_operations_failed,
            }),
            format!(
                "{} of {} done, {} failed",
                outcome.restore_item_operations_completed,
                outcome.restore_item_operations_attempted,
                outcome.restore_item_operations_failed
            ),
        );
    }
    if let Some(hooks) = &outcome.hook_status {
        all.field("Hooks attempted", "hooksAttempted", hooks.hooks_attempted)
            .field("Hooks failed", "hooksFailed", hooks.hooks_failed);
    }
    all
}

fn spec(spec: &RestoreSpec) -> Description {
    let mut all = Description::new();
    all.field("Backup", "backupName", spec.backup_name.as_str());
    if !spec.schedule_name.is_empty() {
        all.field("Schedule", "scheduleName", spec.schedule_name.as_str());
    }
    all.gap();
    let namespaces = included(
        &spec.included_namespaces,
        &spec.excluded_namespaces,
        "all in the backup",
    );
    all.section("Namespaces", "namespaces", namespaces).gap();
    let mut resources = included(&spec.included_resources, &spec.excluded_resources, "*");
    resources.field(
        "Cluster-scoped",
        "clusterScoped",
        tri_state(spec.include_cluster_resources),
    );
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
    selectors(
        &mut all,
        spec.label_selector.as_ref(),
        &spec.or_label_selectors,
    );
    all.gap();
    let policy = spec
        .existing_resource_policy
        .as_ref()
        .map(ExistingResourcePolicy::as_str);
    let timeout = spec
        .item_operation_timeout
        .map(|timeout| timeout.to_string());
    all.field("Restore volumes", "restorePVs", tri_state(spec.restore_pvs))
        .field(
            "Existing resource policy",
            "existingResourcePolicy",
            policy.unwrap_or("none"),
        )
        .field(
            "Preserve node ports",
            "preserveNodePorts",
            tri_state(spec.preserve_node_ports),
        )
        .field("Item operation timeout", "itemOperationTimeout", timeout);
    if let Some(modifier) = &spec.resource_modifier {
        let mut inside = Description::new();
        inside.field("Type", "type", modifier.kind.as_str()).field(
            "Name",
            "name",
            modifier.name.as_str(),
        );
        all.section("Resource modifier", "resourceModifier", inside);
    }
    if let Some(uploader) = &spec.uploader_config {
        all.field(
            "Write sparse files",
            "writeSparseFiles",
            tri_state(uploader.write_sparse_files),
        );
        all.field(
            "Parallel files download",
            "parallelFilesDownload",
            uploader.parallel_files_download,
        );
    }
    all
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
