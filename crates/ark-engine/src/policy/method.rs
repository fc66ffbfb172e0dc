//! How the data of a volume is to be saved. A matching rule decides alone;
//! without one, the pods that mount it, then the backup.

use ark_api::label;
use serde_json::Value;

use super::{Action, ActionType};

/// How the data of one volume is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By copying its files.
    Files,
    /// By a snapshot.
    Snapshot,
    /// By somebody else.
    Custom,
    /// Not at all: a rule says so.
    Skipped,
    /// Not at all: the backup says so.
    NotWanted,
}

/// Sources whose files are never copied: other objects hold them, or the node.
const NO_FILES: &[&str] = &[
    "hostPath",
    "secret",
    "configMap",
    "projected",
    "downwardAPI",
];

/// Decides for a volume. `files`: a pod that mounts it has its files copied
/// ([`chosen_by_pod`]).
pub fn decide(rule: Option<&Action>, files: bool, snapshot_volumes: Option<bool>) -> Method {
    match rule.map(|action| action.kind) {
        Some(ActionType::Skip) => Method::Skipped,
        Some(ActionType::FsBackup) => Method::Files,
        Some(ActionType::Custom) => Method::Custom,
        None if files => Method::Files,
        None if snapshot_volumes == Some(false) => Method::NotWanted,
        Some(ActionType::Snapshot) | None => Method::Snapshot,
    }
}

/// Whether a pod says that the files of this element of its `volumes` are to be
/// copied: by naming it, or with `all` by not naming it.
pub fn chosen_by_pod(pod: &Value, volume: &Value, all: bool) -> bool {
    let named = |key: &str| {
        let names = pod["metadata"]["annotations"][key].as_str();
        names
            .unwrap_or_default()
            .split(',')
            .any(|name| volume["name"] == name.trim())
    };
    let copied = !NO_FILES.iter().any(|source| volume.get(source).is_some());
    copied
        && if all {
            !named(label::BACKUP_VOLUMES_EXCLUDES)
        } else {
            named(label::BACKUP_VOLUMES)
        }
}
