//! Where a volume says that its disk is, and saying otherwise. Pure.

use serde_json::{Value, json};

/// Labels that every cloud uses.
const LABELS: [&str; 2] = [
    "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/zone",
];

/// The same for regions.
const REGIONS: [&str; 2] = [
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/region",
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

/// Says that the disk of a volume is in these zones now: in its labels, and to the nodes
/// that may mount it. A volume that says nothing of zones stays so, as does one that is
/// there already. `region`: that of the zones, where disks can come into another one.
pub(crate) fn move_to(volume: &mut Value, keys: &[&str], zones: &[&str], region: Option<&str>) {
    let old = self::zones(volume, keys);
    let new = sorted(zones.iter().map(|zone| (*zone).to_owned()).collect());
    if old.is_empty() || new.is_empty() || old == new {
        return;
    }
    if let Some(labels) = volume["metadata"]["labels"].as_object_mut() {
        let texts = LABELS.map(|key| (key, Some(new.join("__"))));
        let regions = REGIONS.map(|key| (key, region.map(str::to_owned)));
        for (key, text) in texts.into_iter().chain(regions) {
            if let (Some(label), Some(text)) = (labels.get_mut(key), text) {
                *label = text.into();
            }
        }
    }
    let terms = &mut volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"];
    let terms = terms.as_array_mut().into_iter().flatten();
    let expressions = terms.filter_map(|term| term["matchExpressions"].as_array_mut());
    for expression in expressions.flatten() {
        let key = expression["key"].as_str().unwrap_or_default();
        let values = match region {
            _ if expression["operator"] != "In" => continue,
            _ if LABELS.contains(&key) || keys.contains(&key) => json!(new),
            Some(region) if REGIONS.contains(&key) => json!([region]),
            _ => continue,
        };
        expression["values"] = values;
    }
}

fn sorted(mut zones: Vec<String>) -> Vec<String> {
    zones.sort();
    zones.dedup();
    zones
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_volume_that_says_where_it_is_says_where_it_comes_to() {
        let region = "topology.kubernetes.io/region";
        let term = |key: &str, operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        let volume = |zone: &str, name: &str, values: &[&str]| {
            json!({
                "metadata": {"labels": {LABELS[0]: zone, region: name, "app": "shop"}},
                "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [
                    term("topology.d/zone", "In", values),
                    term(region, "In", &[name]),
                    term("topology.d/zone", "NotIn", &["x"]),
                    term("kubernetes.io/arch", "In", &["amd64"]),
                ]}}},
            })
        };
        let old = volume("r-a", "r", &["r-a"]);
        let mut moved = old.clone();
        move_to(&mut moved, &["topology.d/zone"], &["s-c", "s-b"], Some("s"));
        assert_eq!(moved, volume("s-b__s-c", "s", &["s-b", "s-c"]));
        let mut same_region = old.clone();
        move_to(&mut same_region, &["topology.d/zone"], &["r-b"], None);
        assert_eq!(same_region, volume("r-b", "r", &["r-b"]));
        for zones in [&["r-a"][..], &[]] {
            let mut stays = old.clone();
            move_to(&mut stays, &["topology.d/zone"], zones, Some("s"));
            assert_eq!(stays, old);
        }
        let mut silent = json!({"metadata": {"name": "pv"}, "spec": {}});
        move_to(&mut silent, &["topology.d/zone"], &["s-b"], Some("s"));
        assert!(zones(&silent, &["topology.d/zone"]).is_empty());
    }
}
