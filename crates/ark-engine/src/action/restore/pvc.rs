//! Persistent volume claims: traces of the old binding go, the volume comes first.

use ark_api::label;
use serde_json::Value;

use super::{Context, Effects, key, remove_at};

pub(super) const KINDS: &[&str] = &["persistentvolumeclaims"];

/// What the controllers of the old cluster and of earlier restores wrote.
const TRACES: &[&str] = &[
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    label::VOLUME_SNAPSHOT_NAME,
    label::DATA_UPLOAD_NAME,
];

pub(super) fn run(claim: &mut Value, _: &Context<'_>, effects: &mut Effects) {
    remove_at(claim, "/metadata/annotations", TRACES);
    if let Some(volume) = claim.pointer("/spec/volumeName").and_then(Value::as_str)
        && !volume.is_empty()
    {
        effects
            .additional
            .push(key("", "persistentvolumes", None, volume));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::action::restore::tests::act;
    use crate::outcome::describe;

    #[test]
    fn a_claim_forgets_its_binding_and_asks_for_its_volume() {
        let mut claim = json!({
            "metadata": {"name": "c", "annotations": {
                "pv.kubernetes.io/bind-completed": "yes",
                "volume.kubernetes.io/selected-node": "n1",
                "velero.io/volume-snapshot-name": "s",
                "mine": "kept",
            }},
            "spec": {"volumeName": "pv-1"},
        });
        let effects = act("persistentvolumeclaims", &mut claim);
        assert_eq!(claim["metadata"]["annotations"], json!({"mine": "kept"}));
        assert_eq!(
            effects.additional.iter().map(describe).collect::<Vec<_>>(),
            ["persistentvolumes pv-1"]
        );
        assert!(
            act("persistentvolumeclaims", &mut json!({"spec": {}}))
                .additional
                .is_empty()
        );
    }
}
