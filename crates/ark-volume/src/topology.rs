//! Where a volume says that its disk is. Pure.

use serde_json::Value;

/// Labels that every cloud uses.
const LABELS: [&str; 2] = [
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
];

/// The zones of a `PersistentVolume`: of its labels, else of the nodes that may mount it,
/// by the same labels or by `keys`, those of a CSI driver. Sorted, each once.
pub(crate) fn zones(volume: &Value, keys: &[&str]) -> Vec<String> {
    let labels = &volume["metadata"]["labels"];
    if let Some(zone) = LABELS.iter().find_map(|key| labels[*key].as_str()) {
        // Two zones of a regional disk are one label.
        return sorted(zone.split("__").map(str::to_owned).collect());
    }
    let terms = &volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"];
    let terms = terms.as_array().into_iter().flatten();
    let expressions = terms.filter_map(|term| term["matchExpressions"].as_array());
    let of_zone = expressions.flatten().filter(|expression| {
        let key = expression["key"].as_str().unwrap_or_default();
        expression["operator"] == "In" && (LABELS.contains(&key) || keys.contains(&key))
    });
    let values = of_zone.filter_map(|expression| expression["values"].as_array());
    let values = values.flatten().filter_map(|zone| zone.as_str());
    sorted(values.map(str::to_owned).collect())
}

fn sorted(mut zones: Vec<String>) -> Vec<String> {
    zones.sort();
    zones.dedup();
    zones
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn labels_come_before_the_nodes_that_may_mount_it() {
        let mut volume = json!({"spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [
            {"matchExpressions": [
                {"key": "topology.d/zone", "operator": "In", "values": ["b", "a"]},
                {"key": "topology.d/zone", "operator": "NotIn", "values": ["x"]},
                {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
            ]},
            {"matchExpressions": [{"key": LABELS[0], "operator": "In", "values": ["b"]}]},
        ]}}}});
        assert_eq!(zones(&volume, &["topology.d/zone"]), ["a", "b"]);
        assert_eq!(zones(&volume, &[]), ["b"]);
        volume["metadata"]["labels"][LABELS[1]] = "d__c".into();
        assert_eq!(zones(&volume, &[]), ["c", "d"]);
        volume["metadata"]["labels"][LABELS[0]] = "e".into();
        assert_eq!(zones(&volume, &[]), ["e"]);
        assert!(zones(&json!({}), &[]).is_empty());
    }
}
