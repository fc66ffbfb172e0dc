//! What a backup says of a claim's CSI snapshot. Pure.

use std::collections::HashMap;

use ark_archive::side::{BackupVolumeInfo, CsiSnapshotInfo, PersistentVolumeInfo};
use serde_json::Value;

/// How files about volumes name the method.
pub(crate) const METHOD: &str = "CSISnapshot";
/// Stands for a handle that is not one, since the data was moved elsewhere.
const UNKNOWN: &str = "unknown";

/// The CSI snapshot that a claim's new volume is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClaimSource {
    pub driver: String,
    pub handle: String,
    /// Bytes that the volume needs.
    pub bytes: i64,
    /// The handle of the group that it was taken with; empty if it was taken alone.
    pub group: String,
    /// What the volume was like.
    pub info: PersistentVolumeInfo,
}

/// The CSI snapshot of a volume, unless there is none or it is gone.
pub(crate) fn of_info(info: &BackupVolumeInfo) -> Option<ClaimSource> {
    let CsiSnapshotInfo {
        snapshot_handle: handle,
        size,
        driver,
        volume_group_snapshot_handle: group,
        ..
    } = info.csi_snapshot_info.as_ref()?;
    let is_there = info.backup_method == METHOD && !info.snapshot_data_moved && !info.skipped;
    let is_known = !handle.is_empty() && handle != UNKNOWN && info.result != "failed";
    (is_there && is_known).then(|| ClaimSource {
        driver: driver.clone(),
        handle: handle.clone(),
        bytes: *size,
        group: group.clone(),
        info: info.pv_info.clone().unwrap_or_default(),
    })
}

/// The same of a backup from before there was a file about volumes, by namespace and name
/// of the claims: Velero 1.5 to 1.12 kept the objects beside the archive.
pub(crate) fn of_objects(
    snapshots: &[Value],
    contents: &[Value],
) -> HashMap<(String, String), ClaimSource> {
    let named = |content| Some((text(content, "/metadata/name")?, content));
    let contents: HashMap<&str, &Value> = contents.iter().filter_map(named).collect();
    let source = |snapshot: &Value| {
        let content = text(snapshot, "/status/boundVolumeSnapshotContentName")?;
        let content = contents.get(content)?;
        let claim = (
            text(snapshot, "/metadata/namespace")?.to_owned(),
            text(snapshot, "/spec/source/persistentVolumeClaimName")?.to_owned(),
        );
        let source = ClaimSource {
            driver: text(content, "/spec/driver")?.to_owned(),
            handle: text(content, "/status/snapshotHandle")?.to_owned(),
            bytes: content["status"]["restoreSize"]
                .as_i64()
                .unwrap_or_default(),
            group: text(content, "/status/volumeGroupSnapshotHandle")
                .unwrap_or_default()
                .to_owned(),
            ..ClaimSource::default()
        };
        Some((claim, source))
    };
    snapshots.iter().filter_map(source).collect()
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn info(change: Value) -> BackupVolumeInfo {
        let mut info = json!({"backupMethod": "CSISnapshot", "result": "succeeded",
            "csiSnapshotInfo": {"snapshotHandle": "h", "driver": "d", "size": 5}});
        let Value::Object(change) = change else {
            panic!("{change}");
        };
        info.as_object_mut().unwrap().extend(change);
        serde_json::from_value(info).unwrap()
    }

    #[test]
    fn only_a_snapshot_that_is_there_is_a_source() {
        let source = of_info(&info(json!({}))).unwrap();
        assert_eq!(
            (&*source.driver, &*source.handle, source.bytes),
            ("d", "h", 5)
        );
        for gone in [
            json!({"result": "failed"}),
            json!({"snapshotDataMoved": true}),
            json!({"csiSnapshotInfo": {"snapshotHandle": "unknown", "driver": "d"}}),
            json!({"csiSnapshotInfo": {"snapshotHandle": "", "driver": "d"}}),
            json!({"csiSnapshotInfo": null}),
            json!({"backupMethod": "PodVolumeBackup"}),
        ] {
            assert_eq!(of_info(&info(gone.clone())), None, "{gone}");
        }
    }

    #[test]
    fn older_backups_have_the_objects_themselves() {
        let snapshots = [json!({"metadata": {"namespace": "shop", "name": "s"},
            "spec": {"source": {"persistentVolumeClaimName": "data"}},
            "status": {"boundVolumeSnapshotContentName": "c"}})];
        let content = json!({"metadata": {"name": "c"}, "spec": {"driver": "d"},
            "status": {"snapshotHandle": "h", "restoreSize": 7}});
        let sources = of_objects(&snapshots, &[content]);
        let source = &sources[&("shop".to_owned(), "data".to_owned())];
        assert_eq!((&*source.handle, source.bytes), ("h", 7));
        assert!(of_objects(&snapshots, &[]).is_empty());
    }
}
