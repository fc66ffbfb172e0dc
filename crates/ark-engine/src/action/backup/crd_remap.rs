//! Some definitions were made in v1beta1 and say, as v1, what the API would
//! refuse if they were created anew. Where the cluster still serves v1beta1
//! they are saved in that version.

use serde_json::Value;

/// Whether this v1 definition must be saved as v1beta1 to be created again.
pub fn needs_v1beta1(definition: &Value) -> bool {
    if definition["apiVersion"] != "apiextensions.k8s.io/v1" {
        return false;
    }
    keeps_unknown_fields(definition) || lacks_schema(definition) || is_not_structural(definition)
}

/// v1 refuses to create what keeps unknown fields by this old switch.
fn keeps_unknown_fields(definition: &Value) -> bool {
    definition["spec"]["preserveUnknownFields"] == true
}

/// v1beta1 let a definition of one version have no schema; v1 does not.
fn lacks_schema(definition: &Value) -> bool {
    let versions = definition["spec"]["versions"].as_array();
    versions.is_some_and(|versions| {
        versions.len() == 1 && versions[0]["schema"]["openAPIV3Schema"].is_null()
    })
}

/// The API server says so itself.
fn is_not_structural(definition: &Value) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| {
        condition["type"] == "NonStructuralSchema" && condition["status"] == "True"
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition() -> Value {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.acme.io"},
            "spec": {"group": "acme.io", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
                     "versions": [{"name": "v1", "served": true, "storage": true,
                                   "schema": {"openAPIV3Schema": {"type": "object"}}}]},
            "status": {"conditions": [{"type": "Established", "status": "True"},
                                      {"type": "NonStructuralSchema", "status": "False"}]},
        })
    }

    #[test]
    fn only_what_v1_would_refuse_needs_the_old_version() {
        assert!(!needs_v1beta1(&definition()));
        let mut preserving = definition();
        preserving["spec"]["preserveUnknownFields"] = true.into();
        let mut bare = definition();
        bare["spec"]["versions"][0]["schema"] = Value::Null;
        let mut loose = definition();
        loose["status"]["conditions"][1]["status"] = "True".into();
        for mut old in [preserving, bare, loose] {
            assert!(needs_v1beta1(&old), "{old}");
            old["apiVersion"] = "apiextensions.k8s.io/v1beta1".into();
            assert!(!needs_v1beta1(&old), "it is in that version already");
        }
        let mut two = definition();
        two["spec"]["versions"] = json!([{"name": "v1"}, {"name": "v2"}]);
        assert!(!needs_v1beta1(&two), "each version may have its own schema");
    }
}
