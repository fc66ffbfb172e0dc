//! Definitions of custom resources that keep unknown fields in the old way:
//! `apiextensions.k8s.io/v1` refuses it and knows a new way.

use serde_json::Value;

use super::{Context, Effects, map_at};

pub(super) const KINDS: &[&str] = &["customresourcedefinitions.apiextensions.k8s.io"];

pub(super) fn run(definition: &mut Value, _: &Context<'_>, _: &mut Effects) {
    let is_v1 = definition["apiVersion"] == "apiextensions.k8s.io/v1";
    if !is_v1 || definition["spec"]["preserveUnknownFields"] != true {
        return;
    }
    definition["spec"]["preserveUnknownFields"] = false.into();
    let versions = definition
        .pointer_mut("/spec/versions")
        .and_then(Value::as_array_mut);
    for version in versions.into_iter().flatten() {
        if let Some(schema) = map_at(version, "/schema/openAPIV3Schema") {
            schema.insert(
                "x-kubernetes-preserve-unknown-fields".to_owned(),
                true.into(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::KINDS;
    use crate::action::restore::tests::act;

    #[test]
    fn the_old_way_becomes_the_new_one() {
        let version = json!({"name": "v1", "schema": {"openAPIV3Schema": {"type": "object"}}});
        let mut definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "spec": {"preserveUnknownFields": true, "versions": [version, {"name": "v2"}]},
        });
        act(KINDS[0], &mut definition);
        assert_eq!(definition["spec"]["preserveUnknownFields"], false);
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        assert_eq!(schema["x-kubernetes-preserve-unknown-fields"], true);

        let mut structural =
            json!({"apiVersion": "apiextensions.k8s.io/v1", "spec": {"versions": [version]}});
        let before = structural.clone();
        act(KINDS[0], &mut structural);
        assert_eq!(structural, before);
    }
}
