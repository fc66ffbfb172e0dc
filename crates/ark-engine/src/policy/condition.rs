//! When a rule fits a volume: all of its conditions must hold.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::volume::Volume;
use crate::quantity::Range;

/// Sources of volumes that a condition may name, as the API spells them.
/// `awsAzureDisk` is no such source, but documents in use name it.
const VOLUME_TYPES: &[&str] = &[
    "awsAzureDisk",
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cinder",
    "cephfs",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flocker",
    "flexVolume",
    "gitRepo",
    "glusterfs",
    "gcePersistentDisk",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageOS",
    "vsphereVolume",
];

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Conditions {
    capacity: Option<Range>,
    storage_class: Option<Vec<String>>,
    nfs: Option<NfsCondition>,
    csi: Option<CsiCondition>,
    volume_types: Option<Vec<VolumeType>>,
    pvc_labels: Option<BTreeMap<String, String>>,
    pvc_phase: Option<Vec<ClaimPhase>>,
    #[serde(default)]
    pvc_volume_mode: Word,
    #[serde(default)]
    pvc_access_modes: Vec<Word>,
}

/// A string, and nothing that only looks like one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Value")]
struct Word(String);

impl TryFrom<Value> for Word {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(format!("`{other}` is not a string")),
        }
    }
}

/// Empty fields are no condition.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NfsCondition {
    server: String,
    path: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct CsiCondition {
    driver: String,
    volume_attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct VolumeType(String);

impl TryFrom<String> for VolumeType {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if VOLUME_TYPES.contains(&text.as_str()) {
            Ok(Self(text))
        } else {
            Err(format!(
                "volumeTypes: `{text}` is no source of volumes; known are {}",
                VOLUME_TYPES.join(", ")
            ))
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum ClaimPhase {
    Pending,
    Bound,
    Lost,
}

impl ClaimPhase {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Bound => "Bound",
            Self::Lost => "Lost",
        }
    }
}

impl Conditions {
    /// Whether all conditions hold. One that is not there, or an empty list,
    /// holds.
    pub(super) fn hold(&self, volume: &Volume) -> bool {
        let any = |list: &Option<Vec<String>>, value: &str| {
            list.as_ref()
                .is_none_or(|list| list.is_empty() || list.iter().any(|one| one == value))
        };
        let capacity = self
            .capacity
            .is_none_or(|range| volume.capacity.is_some_and(|size| range.holds(size)));
        let volume_type = self
            .volume_types
            .as_ref()
            .is_none_or(|types| types.is_empty() || types.iter().any(|one| one.0 == volume.source));
        let phase = self.pvc_phase.as_ref().is_none_or(|phases| {
            phases.is_empty() || phases.iter().any(|one| one.as_str() == volume.claim_phase)
        });
        let labels = self
            .pvc_labels
            .as_ref()
            .is_none_or(|labels| contains(&volume.claim_labels, labels));
        capacity
            && any(&self.storage_class, &volume.storage_class)
            && volume_type
            && phase
            && labels
            && self.modes_hold(volume)
            && self.nfs.as_ref().is_none_or(|nfs| nfs.holds(volume))
            && self.csi.as_ref().is_none_or(|csi| csi.holds(volume))
    }

    /// The mode is that of the claim, and the access modes are all of the claim's,
    /// in any order, as in Velero's main (issue 9859). Only the claim counts, as it
    /// is written: a volume without one has no modes, and a claim that names no mode
    /// is not taken for a file system. Modes that nobody knows are no mistake.
    fn modes_hold(&self, volume: &Volume) -> bool {
        let (mode, access) = (&self.pvc_volume_mode.0, &self.pvc_access_modes);
        let same_access = || {
            let wanted: BTreeSet<&str> = access.iter().map(|mode| mode.0.as_str()).collect();
            let found = volume.claim_access_modes.iter().map(String::as_str);
            access.len() == volume.claim_access_modes.len() && wanted == found.collect()
        };
        (mode.is_empty() || *mode == volume.claim_volume_mode)
            && (access.is_empty() || same_access())
    }
}

impl NfsCondition {
    fn holds(&self, volume: &Volume) -> bool {
        let same = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        volume
            .nfs
            .as_ref()
            .is_some_and(|(server, path)| same(&self.server, server) && same(&self.path, path))
    }
}

impl CsiCondition {
    fn holds(&self, volume: &Volume) -> bool {
        volume.csi.as_ref().is_some_and(|(driver, attributes)| {
            (self.driver.is_empty() || self.driver == *driver)
                && contains(attributes, &self.volume_attributes)
        })
    }
}

fn contains(all: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    wanted
        .iter()
        .all(|(key, value)| all.get(key) == Some(value))
}
