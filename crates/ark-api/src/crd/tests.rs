//! What must hold for every definition, and all of them as a snapshot.

use super::*;
use crate::wire::to_yaml;

fn schemas() -> Vec<(String, Value)> {
    all()
        .unwrap()
        .into_iter()
        .map(|crd| {
            let version = crd.spec.versions.into_iter().next().unwrap();
            (
                crd.spec.names.kind,
                serde_json::to_value(version.schema.unwrap()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn yaml() {
    let text: Vec<String> = all()
        .unwrap()
        .iter()
        .map(|crd| to_yaml(crd).unwrap())
        .collect();
    std::fs::write("/tmp/crds.yaml", text.join("---\n")).unwrap();
}
