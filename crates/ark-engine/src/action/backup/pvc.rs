//! A claim needs its volume, and must not carry what only its first creation
//! needed: a restored claim binds to a restored volume, not to a snapshot that
//! is long gone.

use ark_api::label;
use serde_json::Value;

use super::{Outcome, Related};

/// Labels that an earlier restore left and that mean nothing in a new backup.
const STALE_LABELS: &[&str] = &[
    label::VOLUME_SNAPSHOT_NAME,
    label::BACKUP_NAME,
    label::RESTORE_NAME,
];

pub(super) fn run(claim: &mut Value) -> Outcome {
    let Some(volume) = claim["spec"]["volumeName"]
        .as_str()
        .filter(|v| !v.is_empty())
    else {
        return Outcome::default();
    };
    let related = vec![Related::new("", "persistentvolumes", None, volume)];
    Outcome {
        changed: strip(claim),
        related,
    }
}

fn strip(claim: &mut Value) -> bool {
    let mut changed = false;
    // With an empty class the selector is how a static volume is found again.
    let static_class = claim["spec"]["storageClassName"].as_str() == Some("");
    if let Some(spec) = claim["spec"].as_object_mut() {
        changed |= spec.remove("dataSource").is_some();
        changed |= spec.remove("dataSourceRef").is_some();
        changed |= !static_class && spec.remove("selector").is_some();
    }
    if let Some(labels) = claim["metadata"]["labels"].as_object_mut() {
        for key in STALE_LABELS {
            changed |= labels.remove(*key).is_some();
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_claim_brings_its_volume_and_loses_its_origin() {
        let mut claim = serde_json::json!({
            "metadata": {"labels": {"app": "db", "velero.io/restore-name": "old"}},
            "spec": {"volumeName": "pv-1", "dataSource": {"name": "s"}, "dataSourceRef": {"name": "s"},
                     "selector": {"matchLabels": {"a": "b"}}, "storageClassName": "fast"}
        });
        let outcome = run(&mut claim);
        assert!(outcome.changed);
        assert_eq!(outcome.related[0].name, "pv-1");
        assert_eq!(
            claim,
            serde_json::json!({"metadata": {"labels": {"app": "db"}},
                               "spec": {"volumeName": "pv-1", "storageClassName": "fast"}})
        );
    }

    #[test]
    fn a_pending_claim_stays_as_it_is() {
        let mut claim = serde_json::json!({"spec": {"dataSource": {"name": "s"}}});
        assert_eq!(run(&mut claim), Outcome::default());
        assert_eq!(claim["spec"]["dataSource"]["name"], "s");
    }
}
