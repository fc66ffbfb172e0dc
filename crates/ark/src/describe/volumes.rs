//! What became of the volumes of a backup or restore, by the way they were kept:
//! snapshots of a cloud's own API, CSI snapshots, and snapshots whose data is
//! moved into the bucket.

use ark_archive::side::{
    BackupVolumeInfo, CsiSnapshotInfo, NativeSnapshotInfo, RestoreVolumeInfo, VolumeSnapshot,
};
use serde_json::{Value, json};

use super::Fetched;
use crate::out::describe::Description;

const NONE_INCLUDED: &str = "<none included>";
const NOT_DETECTABLE: &str = "<none included or not detectable>";
const MORE: &str = "specify --details for more information";

/// What is known of a backup's volumes.
#[derive(Debug, Clone, Default)]
pub struct Volumes {
    /// One entry for each volume.
    pub list: Vec<BackupVolumeInfo>,
    /// Whether it had to be put together from the files of older backups, which
    /// do not tell everything.
    pub pieced: bool,
}

impl Volumes {
    /// From the files that backups had before there was one for all volumes.
    pub fn pieced(native: &[VolumeSnapshot], snapshots: &[Value], contents: &[Value]) -> Self {
        let native = native.iter().map(|snapshot| BackupVolumeInfo {
            pv_name: snapshot.spec.persistent_volume_name.clone(),
            backup_method: "NativeSnapshot".to_owned(),
            native_snapshot_info: Some(NativeSnapshotInfo {
                snapshot_handle: snapshot.status.provider_snapshot_id.clone(),
                volume_type: snapshot.spec.volume_type.clone(),
                volume_az: snapshot.spec.volume_az.clone(),
                iops: snapshot.spec.volume_iops.unwrap_or_default().to_string(),
                phase: String::new(),
            }),
            ..BackupVolumeInfo::default()
        });
        let csi = snapshots.iter().filter_map(|snapshot| {
            let claim = text(snapshot, "/spec/source/persistentVolumeClaimName")?;
            let content = text(snapshot, "/status/boundVolumeSnapshotContentName")?;
            let content = contents
                .iter()
                .find(|one| text(one, "/metadata/name").as_ref() == Some(&content))?;
            Some(csi_snapshot(snapshot, claim, content))
        });
        Self {
            list: native.chain(csi).collect(),
            pieced: true,
        }
    }
}

fn csi_snapshot(snapshot: &Value, claim: String, content: &Value) -> BackupVolumeInfo {
    let of = |pointer| text(content, pointer).unwrap_or_default();
    BackupVolumeInfo {
        pvc_name: claim,
        pvc_namespace: text(snapshot, "/metadata/namespace").unwrap_or_default(),
        backup_method: "CSISnapshot".to_owned(),
        preserve_local_snapshot: true,
        csi_snapshot_info: Some(CsiSnapshotInfo {
            snapshot_handle: of("/status/snapshotHandle"),
            size: content
                .pointer("/status/restoreSize")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            driver: of("/spec/driver"),
            vsc_name: of("/metadata/name"),
            ..CsiSnapshotInfo::default()
        }),
        ..BackupVolumeInfo::default()
    }
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    Some(value.pointer(pointer)?.as_str()?.to_owned())
}

/// Adds the snapshots of a backup. Without the file there is nothing to tell.
pub(super) fn of_backup(into: &mut Description, volumes: &Fetched<Volumes>, details: bool) {
    let none = Volumes::default();
    let volumes = match volumes {
        Fetched::Found(volumes) => volumes,
        Fetched::Failed(reason) => {
            let text = format!("<could not be fetched: {reason}>");
            into.told("Snapshots", text)
                .kept("errorGetBackupVolumeInfo", reason.as_str());
            return;
        }
        Fetched::Skipped | Fetched::Absent => &none,
    };
    let kept_by = |method: &'static str| {
        let list = volumes.list.iter();
        list.filter(move |volume| volume.backup_method == method)
            .peekable()
    };
    let mut native = kept_by("NativeSnapshot");
    let label = ("Velero-Native Snapshots", "nativeSnapshots");
    if native.peek().is_none() {
        into.field(label.0, label.1, NONE_INCLUDED);
    } else {
        let mut inside = Description::new();
        for volume in native {
            native_snapshot(&mut inside, volume, details);
        }
        into.section(label.0, label.1, inside);
    }
    into.gap();
    let mut csi = kept_by("CSISnapshot");
    let label = ("CSI Snapshots", "csiSnapshots");
    if csi.peek().is_none() {
        let none = if volumes.pieced {
            NOT_DETECTABLE
        } else {
            NONE_INCLUDED
        };
        into.field(label.0, label.1, none);
        left_out(into, volumes);
        return;
    }
    let mut inside = Description::new();
    for volume in csi {
        let name = format!("{}/{}", volume.pvc_namespace, volume.pvc_name);
        inside.section(&name, &name, claim(volume, details));
    }
    into.section(label.0, label.1, inside);
    left_out(into, volumes);
}

fn native_snapshot(into: &mut Description, volume: &BackupVolumeInfo, details: bool) {
    let name = volume.pv_name.as_str();
    if !details {
        into.field(name, name, MORE);
        return;
    }
    let snapshot = volume.native_snapshot_info.clone().unwrap_or_default();
    let mut inside = Description::new();
    inside
        .field("Snapshot ID", "snapshotID", snapshot.snapshot_handle)
        .field("Type", "type", snapshot.volume_type)
        .field("Availability Zone", "availabilityZone", snapshot.volume_az)
        .field("IOPS", "IOPS", snapshot.iops)
        .field("Result", "result", volume.result.as_str());
    if !volume.chosen_by.is_empty() {
        inside.field("Chosen", "chosenBy", volume.chosen_by.as_str());
    }
    into.section(name, name, inside);
}

/// Volumes of which the backup has no data, and why; other programs' lists have no
/// place for it.
fn left_out(into: &mut Description, volumes: &Volumes) {
    let mut inside = Description::new();
    let mut any = false;
    for volume in volumes.list.iter().filter(|volume| volume.skipped) {
        let claim = format!("{}/{}", volume.pvc_namespace, volume.pvc_name);
        let name = if volume.pv_name.is_empty() {
            &claim
        } else {
            &volume.pv_name
        };
        inside.field(name, name, volume.skipped_reason.as_str());
        any = true;
    }
    if any {
        into.gap();
        into.section("Volumes Without Data", "volumesWithoutData", inside);
    }
}

/// The snapshot of one claim, the movement of its data, or both.
fn claim(volume: &BackupVolumeInfo, details: bool) -> Description {
    let mut all = Description::new();
    let included = || format!("included, {MORE}");
    if volume.preserve_local_snapshot {
        if details {
            all.section("Snapshot", "snapshot", local_snapshot(volume));
        } else {
            all.field("Snapshot", "snapshot", included());
        }
    }
    if volume.snapshot_data_moved {
        if details {
            all.section("Data Movement", "dataMovement", movement(volume));
        } else {
            all.field("Data Movement", "dataMovement", included());
        }
    }
    all
}

fn local_snapshot(volume: &BackupVolumeInfo) -> Description {
    let info = volume.csi_snapshot_info.clone().unwrap_or_default();
    let mut all = Description::new();
    if !volume.snapshot_data_moved {
        all.field("Operation ID", "operationID", info.operation_id);
    }
    all.field(
        "Snapshot Content Name",
        "snapshotContentName",
        info.vsc_name,
    )
    .field(
        "Storage Snapshot ID",
        "storageSnapshotID",
        info.snapshot_handle,
    )
    .field("Snapshot Size (bytes)", "snapshotSize(bytes)", info.size)
    .field("CSI Driver", "csiDriver", info.driver)
    .field("Result", "result", volume.result.as_str());
    all
}

fn movement(volume: &BackupVolumeInfo) -> Description {
    let info = volume.snapshot_data_movement_info.clone();
    let info = info.unwrap_or_default();
    let mut all = Description::new();
    all.field("Operation ID", "operationID", info.operation_id)
        .field("Data Mover", "dataMover", mover(&info.data_mover))
        .field("Uploader Type", "uploaderType", info.uploader_type);
    if info.size > 0 || info.incremental_size > 0 {
        all.field("Moved data Size (bytes)", "size", info.size);
        let label = "Incremental data Size (bytes)";
        all.field(label, "incrementalSize", info.incremental_size);
    }
    all.field("Result", "result", volume.result.as_str());
    all
}

/// The name of the built-in mover may be left out.
fn mover(name: &str) -> &str {
    if name.is_empty() { "velero" } else { name }
}

/// Adds the CSI snapshots that a restore used.
pub(super) fn of_restore(
    into: &mut Description,
    volumes: &Fetched<Vec<RestoreVolumeInfo>>,
    details: bool,
) {
    let (label, key) = ("CSI Snapshot Restores", "csiSnapshotRestores");
    let list = match volumes {
        Fetched::Found(list) => list,
        Fetched::Failed(reason) => {
            let text = format!("<could not be fetched: {reason}>");
            into.gap()
                .shown(label, key, json!({"errorGetting": reason}), text);
            return;
        }
        Fetched::Skipped | Fetched::Absent => return,
    };
    let mut inside = Description::new();
    for volume in list.iter().filter(|v| v.restore_method == "CSISnapshot") {
        let name = format!("{}/{}", volume.pvc_namespace, volume.pvc_name);
        inside.section(&name, &name, restored(volume, details));
    }
    into.gap();
    if inside.is_empty() {
        into.field(label, key, NONE_INCLUDED);
    } else {
        into.section(label, key, inside);
    }
}

fn restored(volume: &RestoreVolumeInfo, details: bool) -> Description {
    let mut all = Description::new();
    let (label, key) = if volume.snapshot_data_moved {
        ("Data Movement", "dataMovement")
    } else {
        ("Snapshot", "snapshot")
    };
    if !details {
        all.field(label, key, MORE);
        return all;
    }
    let mut inside = Description::new();
    if volume.snapshot_data_moved {
        let info = volume.snapshot_data_movement_info.clone();
        let info = info.unwrap_or_default();
        inside
            .field("Operation ID", "operationID", info.operation_id)
            .field("Data Mover", "dataMover", mover(&info.data_mover))
            .field("Uploader Type", "uploaderType", info.uploader_type);
    } else {
        let info = volume.csi_snapshot_info.clone().unwrap_or_default();
        inside
            .field(
                "Snapshot Content Name",
                "snapshotContentName",
                info.vsc_name,
            )
            .field(
                "Storage Snapshot ID",
                "storageSnapshotID",
                info.snapshot_handle,
            )
            .field("CSI Driver", "csiDriver", info.driver);
    }
    all.section(label, key, inside);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_older_backups_are_pieced_together() {
        let native: Vec<VolumeSnapshot> = serde_json::from_value(json!([{
            "spec": {"PersistentVolumeName": "pv-1", "volumeType": "gp3", "volumeAZ": "a"},
            "status": {"providerSnapshotID": "snap-1", "phase": "Completed"},
        }]))
        .unwrap();
        let snapshots = [json!({
            "metadata": {"namespace": "shop", "name": "s"},
            "spec": {"source": {"persistentVolumeClaimName": "data"}},
            "status": {"boundVolumeSnapshotContentName": "content-1"},
        })];
        let contents = [json!({
            "metadata": {"name": "content-1"}, "spec": {"driver": "csi.example.com"},
            "status": {"snapshotHandle": "h", "restoreSize": 7},
        })];
        let volumes = Volumes::pieced(&native, &snapshots, &contents);
        let mut all = Description::new();
        of_backup(&mut all, &Fetched::Found(volumes), true);
        let value = all.to_value();
        assert_eq!(value["nativeSnapshots"]["pv-1"]["snapshotID"], "snap-1");
        let snapshot = &value["csiSnapshots"]["shop/data"]["snapshot"];
        assert_eq!(snapshot["csiDriver"], "csi.example.com");
        assert_eq!(snapshot["snapshotSize(bytes)"], 7);
    }
}
