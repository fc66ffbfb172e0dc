//! What a backup was asked to hold. Schedules show the same of their template.

use ark_api::BackupSpec;
use serde_json::json;

use super::super::{cluster_scoped, duration, included, names, selectors, tri_state};
use super::hooks;
use crate::out::describe::{Description, NONE};

/// Describes what is asked for.
pub(crate) fn describe(spec: &BackupSpec) -> Description {
    let mut all = Description::new();
    let namespaces = included(&spec.included_namespaces, &spec.excluded_namespaces, "*");
    all.section("Namespaces", "namespaces", namespaces).gap();
    all.section("Resources", "resources", resources(spec)).gap();
    selectors(
        &mut all,
        spec.label_selector.as_ref(),
        &spec.or_label_selectors,
    );
    let location = spec.storage_location.as_str();
    all.gap()
        .shown("Storage Location", "storageLocation", location, location);
    all.gap();
    volumes(&mut all, spec);
    let timeouts = [
        ("TTL", "TTL", spec.ttl),
        (
            "CSISnapshotTimeout",
            "CSISnapshotTimeout",
            spec.csi_snapshot_timeout,
        ),
        (
            "ItemOperationTimeout",
            "itemOperationTimeout",
            spec.item_operation_timeout,
        ),
    ];
    for (at, (label, key, value)) in timeouts.into_iter().enumerate() {
        if at < 2 {
            all.gap();
        }
        all.field(label, key, duration(value));
    }
    all.gap();
    hooks::add(&mut all, &spec.hooks.resources);
    if !spec.ordered_resources.is_empty() {
        let mut ordered = Description::new();
        for (resource, names) in &spec.ordered_resources {
            ordered.field(resource, resource, names.as_str());
        }
        all.gap()
            .section("OrderedResources", "orderedResources", ordered);
    }
    all
}

/// The lists of resources, in the family that the backup uses.
fn resources(spec: &BackupSpec) -> Description {
    let scoped = [
        &spec.included_cluster_scoped_resources,
        &spec.excluded_cluster_scoped_resources,
        &spec.included_namespace_scoped_resources,
        &spec.excluded_namespace_scoped_resources,
    ];
    if scoped.iter().all(|names| names.is_empty()) {
        let mut all = included(&spec.included_resources, &spec.excluded_resources, "*");
        let cluster = cluster_scoped(spec.include_cluster_resources);
        all.field("Cluster-scoped", "clusterScoped", cluster);
        return all;
    }
    let labels = [
        ("Included cluster-scoped", "includedClusterScoped", NONE),
        ("Excluded cluster-scoped", "excludedClusterScoped", NONE),
        ("Included namespace-scoped", "includedNamespaceScoped", "*"),
        ("Excluded namespace-scoped", "excludedNamespaceScoped", NONE),
    ];
    let mut all = Description::new();
    for ((label, key, none), list) in labels.into_iter().zip(scoped) {
        all.field(label, key, names(list, none));
    }
    // Velero's documents speak of the old family only.
    all.kept("included", "*")
        .kept("excluded", NONE)
        .kept("clusterScoped", "auto");
    all
}

fn volumes(all: &mut Description, spec: &BackupSpec) {
    let native = tri_state(spec.snapshot_volumes);
    all.field(
        "Velero-Native Snapshot PVs",
        "veleroNativeSnapshotPVs",
        native,
    );
    if let Some(files) = spec
        .default_volumes_to_fs_backup
        .or(spec.default_volumes_to_restic)
    {
        let shown = tri_state(Some(files));
        let label = "File System Backup (Default)";
        all.shown(label, "defaultVolumesToFsBackup", files, shown);
    }
    let move_data = tri_state(spec.snapshot_move_data);
    all.field("Snapshot Move Data", "veleroSnapshotMoveData", move_data);
    let mover = if spec.datamover.is_empty() {
        NONE
    } else {
        &spec.datamover
    };
    all.shown("Data Mover", "dataMover", mover, built_in(&spec.datamover));
    if !spec.volume_snapshot_locations.is_empty() {
        let locations = spec.volume_snapshot_locations.clone();
        all.map(
            "Snapshot Locations",
            "volumeSnapshotLocations",
            locations.clone(),
            json!(locations),
        );
    }
}

/// The name of the mover that an empty name means, too.
fn built_in(mover: &str) -> &str {
    if mover.is_empty() { "velero" } else { mover }
}
