//! File backups and restores of the volumes of pods, grouped by phase.

use std::collections::BTreeMap;

use ark_api::mover::MoveProgress;
use ark_api::{MoverPhase, ObjectReference, PodVolumeBackup, PodVolumeRestore};
use serde_json::{Value, json};

use crate::out::describe::Description;

const NONE_INCLUDED: &str = "<none included>";

/// Phases in the order in which they are shown, and what they are called.
const PHASES: [(MoverPhase, &str); 8] = [
    (MoverPhase::Completed, "Completed"),
    (MoverPhase::Failed, "Failed"),
    (MoverPhase::Canceled, "Canceled"),
    (MoverPhase::InProgress, "In Progress"),
    (MoverPhase::Canceling, "Canceling"),
    (MoverPhase::Prepared, "Prepared"),
    (MoverPhase::Accepted, "Accepted"),
    (MoverPhase::New, "New"),
];

/// One volume of a pod.
struct Volume {
    phase: MoverPhase,
    pod: String,
    text: String,
}

/// Adds the file backups of a backup.
pub(super) fn of_backup(into: &mut Description, backups: &[PodVolumeBackup], details: bool) {
    let Some(first) = backups.first() else {
        into.field("Pod Volume Backups", "podVolumeBackups", NONE_INCLUDED);
        return;
    };
    let uploader = first.spec.uploader_type.as_ref();
    let uploader = uploader.map_or("kopia", |uploader| uploader.as_str());
    let volumes: Vec<Volume> = backups
        .iter()
        .map(|backup| {
            let status = backup.status.clone().unwrap_or_default();
            let (progress, new) = (status.progress, status.incremental_bytes);
            Volume {
                phase: backup.phase().clone(),
                pod: pod_name(&backup.spec.pod),
                text: sized(&backup.spec.volume, backup.phase(), progress.as_ref(), new),
            }
        })
        .collect();
    let (shown, document) = grouped(&volumes, details);
    let label = format!("Pod Volume Backups - {uploader}{}", more(details));
    // Spelled as Velero spells it.
    let document = json!({"uploderType": uploader, "podVolumeBackupsDetails": document});
    into.section(&label, "", shown)
        .kept("podVolumeBackups", document);
}

/// Adds the file restores of a restore, where there are any.
pub(super) fn of_restore(into: &mut Description, restores: &[PodVolumeRestore], details: bool) {
    let Some(first) = restores.first() else {
        return;
    };
    let uploader = first.spec.uploader_type.as_ref();
    let uploader = uploader.map_or("kopia", |uploader| uploader.as_str());
    let volumes: Vec<Volume> = restores
        .iter()
        .map(|restore| {
            let status = restore.status.clone().unwrap_or_default();
            Volume {
                phase: restore.phase().clone(),
                pod: pod_name(&restore.spec.pod),
                text: sized(
                    &restore.spec.volume,
                    restore.phase(),
                    status.progress.as_ref(),
                    0,
                ),
            }
        })
        .collect();
    let (shown, document) = grouped(&volumes, details);
    let label = format!("{uploader} Restores{}", more(details));
    let document = json!({"uploaderType": uploader, "podVolumeRestoresDetails": document});
    into.gap()
        .section(&label, "", shown)
        .kept("podVolumeRestores", document);
}

/// `namespace/name`.
fn pod_name(pod: &ObjectReference) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    format!("{}/{}", part(&pod.namespace), part(&pod.name))
}

fn more(details: bool) -> &'static str {
    if details {
        ""
    } else {
        " (specify --details for more information)"
    }
}

/// The volumes of each phase: their count or, with details, their names by pod.
fn grouped(volumes: &[Volume], details: bool) -> (Description, Value) {
    let mut shown = Description::new();
    let mut document = serde_json::Map::new();
    for (phase, label) in PHASES {
        let mut by_pod: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let members = volumes.iter().filter(|volume| volume.phase == phase);
        let count = members.clone().count();
        if count == 0 {
            continue;
        }
        for volume in members {
            by_pod.entry(&volume.pod).or_default().push(&volume.text);
        }
        if !details {
            shown.told(label, count.to_string());
            document.insert(label.to_owned(), Value::from(count));
            continue;
        }
        let mut pods = Description::new();
        let mut documents = Vec::new();
        for (pod, volumes) in by_pod {
            let volumes = volumes.join(", ");
            pods.told(pod, volumes.as_str());
            documents.push(json!({pod: volumes}));
        }
        shown.section(label, "", pods);
        document.insert(label.to_owned(), Value::from(documents));
    }
    (shown, Value::Object(document))
}

/// A volume with what is known of its size.
fn sized(volume: &str, phase: &MoverPhase, progress: Option<&MoveProgress>, new: i64) -> String {
    let progress = progress.cloned().unwrap_or_default();
    let (done, total) = (progress.bytes_done, progress.total_bytes);
    match phase {
        MoverPhase::InProgress if total != 0 => {
            format!("{volume} ({:.2}%)", done as f64 / total as f64 * 100.0)
        }
        MoverPhase::Completed if new > 0 => {
            format!("{volume} (size: {total}, incremental size: {new})")
        }
        MoverPhase::Completed if total > 0 => format!("{volume} (size: {total})"),
        _ => volume.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::style::Style;

    fn volume(pod: &str, name: &str, phase: &str, done: i64) -> PodVolumeBackup {
        serde_json::from_value(json!({
            "apiVersion": "velero.io/v1", "kind": "PodVolumeBackup",
            "metadata": {"name": format!("{pod}-{name}"), "namespace": "heptio-ark"},
            "spec": {
                "node": "n", "pod": {"namespace": "shop", "name": pod}, "volume": name,
                "backupStorageLocation": "default", "repoIdentifier": "", "uploaderType": "kopia",
            },
            "status": {
                "phase": phase, "incrementalBytes": if phase == "Completed" { 5 } else { 0 },
                "progress": {"totalBytes": 200, "bytesDone": done},
            },
        }))
        .unwrap()
    }

    #[test]
    fn volumes_are_grouped_by_phase_and_pod() {
        let volumes = [
            volume("db", "data", "Completed", 200),
            volume("db", "wal", "Completed", 200),
            volume("web", "cache", "InProgress", 50),
        ];
        let mut all = Description::new();
        of_backup(&mut all, &volumes, true);
        assert_eq!(
            all.to_text(Style::plain()),
            "Pod Volume Backups - kopia:\n\
             \x20 Completed:\n\
             \x20   shop/db:  data (size: 200, incremental size: 5), wal (size: 200, incremental size: 5)\n\
             \x20 In Progress:\n\
             \x20   shop/web:  cache (25.00%)\n"
        );
        let mut counts = Description::new();
        of_backup(&mut counts, &volumes, false);
        assert_eq!(
            counts.to_value(),
            json!({"podVolumeBackups": {
                "uploderType": "kopia",
                "podVolumeBackupsDetails": {"Completed": 2, "In Progress": 1},
            }})
        );
    }
}
