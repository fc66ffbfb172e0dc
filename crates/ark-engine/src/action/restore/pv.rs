//! Persistent volumes whose data outlives the claim: kept for the same claim,
//! which will have another UID and perhaps another namespace. A volume that is
//! deleted with its claim has no data to come back to, unless it gets a new disk
//! from a snapshot; its storage class makes a new one.

use serde_json::Value;

use super::{Context, Effects, remove_at};
use crate::restore::Rule;

pub(super) const KINDS: &[&str] = &["persistentvolumes"];

const TRACES: &[&str] = &[
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
];

pub(super) fn run(volume: &mut Value, context: &Context<'_>, effects: &mut Effects) {
    if !context.new_disk && volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete" {
        effects.skip = Some(Rule::DynamicVolume);
        return;
    }
    remove_at(volume, "/metadata/annotations", TRACES);
    remove_at(volume, "/spec/claimRef", &["uid", "resourceVersion"]);
    context.mapping.rename_claim(volume);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::action::restore::tests::act;

    fn volume(policy: &str) -> Value {
        json!({
            "metadata": {"name": "v", "annotations": {"pv.kubernetes.io/bound-by-controller": "yes", "a": "b"}},
            "spec": {
                "persistentVolumeReclaimPolicy": policy,
                "claimRef": {"kind": "PersistentVolumeClaim", "name": "c", "namespace": "old", "uid": "u", "resourceVersion": "1"},
            },
        })
    }

    #[test]
    fn a_retained_volume_waits_for_the_claim_of_the_new_namespace() {
        let mut object = volume("Retain");
        assert!(act("persistentvolumes", &mut object).skip.is_none());
        assert_eq!(object["metadata"]["annotations"], json!({"a": "b"}));
        assert_eq!(
            object["spec"]["claimRef"],
            json!({"kind": "PersistentVolumeClaim", "name": "c", "namespace": "new"})
        );
    }

    #[test]
    fn a_deleted_volume_is_made_anew() {
        assert_eq!(
            act("persistentvolumes", &mut volume("Delete")).skip,
            Some(Rule::DynamicVolume)
        );
    }
}
