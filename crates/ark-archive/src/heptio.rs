//! What Heptio Ark 0.3 to 0.10 wrote, in today's form. Pure: nothing of it is ever
//! written back.
//!
//! The keys of labels and annotations change by the rules of Velero 0.11, which was
//! the release between the two. What that release left to its readers is settled here
//! as well: the old name of hooks, and native snapshots that only the status knows.

use serde_json::{Map, Value};

use crate::side::{VolumeSnapshot, VolumeSnapshotPhase};

/// What Heptio Ark's resources call their group and version.
pub(crate) const API_VERSION: &str = "ark.heptio.com/v1";

/// Annotation on a backup that was converted; its value is [`ORIGIN`].
pub const ORIGIN_ANNOTATION: &str = "ark.heptio.com/origin";

/// Value of [`ORIGIN_ANNOTATION`].
pub const ORIGIN: &str = "heptio-ark";

const TODAY: &str = "velero.io/v1";
const OLD_DOMAIN: &str = "ark.heptio.com";
const DOMAIN: &str = "velero.io";

/// Whether a backup's document was written by Heptio Ark and converted.
pub fn is_converted(backup: &Value) -> bool {
    backup["metadata"]["annotations"][ORIGIN_ANNOTATION] == ORIGIN
}

/// Gives a backup of Heptio Ark today's API group, today's keys of labels and
/// annotations, and today's name of its hooks; notes where it comes from. Values stay
/// as they are.
pub fn convert(backup: &mut Value) {
    if let Some(api_version) = backup.get_mut("apiVersion") {
        *api_version = Value::from(TODAY);
    }
    if let Some(Value::Object(metadata)) = backup.get_mut("metadata") {
        if let Some(Value::Object(labels)) = metadata.get_mut("labels") {
            rename_keys(labels, |key| match key {
                "ark-schedule" => format!("{DOMAIN}/schedule-name"),
                key => key.replace(OLD_DOMAIN, DOMAIN),
            });
        }
        let annotations = metadata
            .entry("annotations")
            .and_modify(|value| {
                if value.is_null() {
                    *value = Value::Object(Map::new());
                }
            })
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(annotations) = annotations {
            rename_keys(annotations, |key| key.replace(OLD_DOMAIN, DOMAIN));
            annotations.insert(ORIGIN_ANNOTATION.to_owned(), ORIGIN.into());
        }
    }
    let rules = backup.pointer_mut("/spec/hooks/resources");
    for rule in rules.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(rule) = rule {
            rename_hooks(rule);
        }
    }
}

/// Until 0.7 hooks ran before a pod was saved and had no name for that; later `hooks`
/// counted where `pre` was empty.
fn rename_hooks(rule: &mut Map<String, Value>) {
    let Some(hooks) = rule.remove("hooks") else {
        return;
    };
    let has_pre = rule
        .get("pre")
        .and_then(Value::as_array)
        .is_some_and(|pre| !pre.is_empty());
    if !has_pre && !hooks.is_null() {
        rule.insert("pre".to_owned(), hooks);
    }
}

fn rename_keys(map: &mut Map<String, Value>, rename: impl Fn(&str) -> String) {
    *map = std::mem::take(map)
        .into_iter()
        .map(|(key, value)| (rename(&key), value))
        .collect();
}

/// The native snapshots that the status of a backup up to 0.9 lists; later releases
/// have a file for them. Which snapshot location they are in was not written.
pub fn volume_snapshots(backup: &Value) -> Vec<VolumeSnapshot> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed = backup
        .pointer("/status/volumeBackups")
        .and_then(Value::as_object);
    let mut snapshots = Vec::new();
    for (volume, info) in listed.into_iter().flatten() {
        let mut snapshot = VolumeSnapshot::default();
        snapshot.spec.backup_name = text(&backup["metadata"]["name"]);
        snapshot.spec.backup_uid = text(&backup["metadata"]["uid"]);
        volume.clone_into(&mut snapshot.spec.persistent_volume_name);
        snapshot.spec.volume_type = text(&info["type"]);
        snapshot.spec.volume_az = text(&info["availabilityZone"]);
        snapshot.spec.volume_iops = info["iops"].as_i64();
        snapshot.status.provider_snapshot_id = text(&info["snapshotID"]);
        snapshot.status.phase = Some(VolumeSnapshotPhase::Completed);
        snapshots.push(snapshot);
    }
    snapshots
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_of_labels_and_annotations_become_todays_and_values_stay() {
        let mut backup = json!({
            "apiVersion": "ark.heptio.com/v1", "kind": "Backup",
            "metadata": {
                "name": "b",
                "labels": {"ark-schedule": "nightly", "ark.heptio.com/storage-location": "default",
                           "app": "ark.heptio.com"},
                "annotations": {"ark.heptio.com/pod-volume-timeout": "1h", "ark-schedule": "kept"},
            },
            "status": {"volumeBackups": {"pv": {"snapshotID": "s", "type": "gp2"}}},
        });
        assert!(!is_converted(&backup));
        convert(&mut backup);
        assert!(is_converted(&backup));
        assert_eq!(
            backup,
            json!({
                "apiVersion": "velero.io/v1", "kind": "Backup",
                "metadata": {
                    "name": "b",
                    "labels": {"velero.io/schedule-name": "nightly",
                               "velero.io/storage-location": "default", "app": "ark.heptio.com"},
                    "annotations": {"velero.io/pod-volume-timeout": "1h", "ark-schedule": "kept",
                                    "ark.heptio.com/origin": "heptio-ark"},
                },
                "status": {"volumeBackups": {"pv": {"snapshotID": "s", "type": "gp2"}}},
            })
        );
    }

    #[test]
    fn hooks_without_a_time_run_before() {
        let rules = |rules: Value| {
            let mut backup =
                json!({"metadata": {"annotations": null}, "spec": {"hooks": {"resources": rules}}});
            convert(&mut backup);
            assert!(is_converted(&backup));
            backup["spec"]["hooks"]["resources"].take()
        };
        let rule = rules(json!([
            {"name": "old", "hooks": [{"exec": {"command": ["a"]}}]},
            {"name": "both", "hooks": [{"exec": {"command": ["a"]}}], "pre": [{"exec": {"command": ["b"]}}]},
            {"name": "empty", "hooks": null, "pre": [], "post": [{"exec": {"command": ["c"]}}]},
        ]));
        assert_eq!(
            rule,
            json!([
                {"name": "old", "pre": [{"exec": {"command": ["a"]}}]},
                {"name": "both", "pre": [{"exec": {"command": ["b"]}}]},
                {"name": "empty", "pre": [], "post": [{"exec": {"command": ["c"]}}]},
            ])
        );
        assert_eq!(rules(Value::Null), Value::Null);
    }

    #[test]
    fn snapshots_of_the_status_become_a_list() {
        let backup = json!({
            "metadata": {"name": "b", "uid": "u"},
            "status": {"volumeBackups": {
                "pv-1": {"snapshotID": "snap-1", "type": "io1", "iops": 100, "availabilityZone": "z"},
                "pv-2": {"snapshotID": "snap-2", "type": "gp2", "iops": null},
            }},
        });
        let list = volume_snapshots(&backup);
        assert_eq!(
            serde_json::to_value(&list).unwrap(),
            json!([
                {"spec": {"backupName": "b", "backupUID": "u", "location": "",
                          "persistentVolumeName": "pv-1", "providerVolumeID": "",
                          "volumeType": "io1", "volumeAZ": "z", "volumeIOPS": 100},
                 "status": {"providerSnapshotID": "snap-1", "phase": "Completed"}},
                {"spec": {"backupName": "b", "backupUID": "u", "location": "",
                          "persistentVolumeName": "pv-2", "providerVolumeID": "", "volumeType": "gp2"},
                 "status": {"providerSnapshotID": "snap-2", "phase": "Completed"}},
            ])
        );
        for none in [json!({}), json!({"status": {"volumeBackups": null}})] {
            assert!(volume_snapshots(&none).is_empty());
        }
    }
}
