//! What rules look at of a volume, taken from objects as the API has them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::quantity::Quantity;

/// Members of a persistent volume's spec that are not its source.
const NO_SOURCE: &[&str] = &[
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
];

/// A volume: a persistent one with its claim, a claim alone, or one of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Volume {
    pub(super) capacity: Option<Quantity>,
    pub(super) storage_class: String,
    /// Such as `csi`, `nfs`, `emptyDir`; empty of a claim without volume.
    pub(super) source: String,
    /// Server and path.
    pub(super) nfs: Option<(String, String)>,
    /// Driver and attributes.
    pub(super) csi: Option<(String, BTreeMap<String, String>)>,
    pub(super) claim_labels: BTreeMap<String, String>,
    pub(super) claim_phase: String,
    /// Such as `Block`; empty if the claim names none.
    pub(super) claim_volume_mode: String,
    pub(super) claim_access_modes: Vec<String>,
}

impl Volume {
    /// The value of a label of the claim.
    pub(crate) fn claim_label(&self, key: &str) -> Option<&str> {
        self.claim_labels.get(key).map(String::as_str)
    }

    /// From a `PersistentVolume`.
    pub fn persistent(object: &Value) -> Self {
        let spec = &object["spec"];
        let members = spec.as_object();
        let source = members
            .into_iter()
            .flat_map(|members| members.keys())
            .find(|key| !NO_SOURCE.contains(&key.as_str()));
        Self {
            capacity: spec["capacity"]["storage"]
                .as_str()
                .and_then(Quantity::parse),
            storage_class: text(&spec["storageClassName"]),
            source: source.cloned().unwrap_or_default(),
            nfs: nfs(spec),
            csi: csi(spec),
            ..Self::default()
        }
    }

    /// From an element of a pod's `volumes` that is no claim.
    pub fn of_pod(volume: &Value) -> Self {
        let members = volume.as_object();
        let source = members
            .into_iter()
            .flat_map(|members| members.keys())
            .find(|key| *key != "name");
        Self {
            source: source.cloned().unwrap_or_default(),
            nfs: nfs(volume),
            csi: csi(volume),
            ..Self::default()
        }
    }

    /// The same volume, claimed by this `PersistentVolumeClaim`.
    #[must_use]
    pub fn claimed_by(mut self, claim: &Value) -> Self {
        self.claim_labels = strings(&claim["metadata"]["labels"]);
        self.claim_phase = text(&claim["status"]["phase"]);
        let spec = &claim["spec"];
        self.claim_volume_mode = text(&spec["volumeMode"]);
        let modes = spec["accessModes"].as_array();
        self.claim_access_modes = modes.into_iter().flatten().map(text).collect();
        self
    }

    /// The same volume with the claim of another one.
    #[must_use]
    pub fn with_claim_of(mut self, other: &Self) -> Self {
        self.claim_labels.clone_from(&other.claim_labels);
        self.claim_phase.clone_from(&other.claim_phase);
        self.claim_volume_mode.clone_from(&other.claim_volume_mode);
        self.claim_access_modes
            .clone_from(&other.claim_access_modes);
        self
    }
}

fn nfs(spec: &Value) -> Option<(String, String)> {
    let nfs = spec.get("nfs")?;
    Some((text(&nfs["server"]), text(&nfs["path"])))
}

fn csi(spec: &Value) -> Option<(String, BTreeMap<String, String>)> {
    let csi = spec.get("csi")?;
    Some((text(&csi["driver"]), strings(&csi["volumeAttributes"])))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    let members = value.as_object().into_iter().flatten();
    members
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}
