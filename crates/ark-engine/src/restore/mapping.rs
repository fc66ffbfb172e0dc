//! Namespace mapping: under which name a namespace of the backup returns.
//!
//! Pure. What is rewritten: an object's own namespace, the claim that a volume
//! is reserved for, and the subjects of role bindings. Nothing else in an
//! object is searched for names: a string that looks like a namespace need not
//! be one.

use std::collections::BTreeMap;

use serde_json::Value;

/// From names in the backup to names in the cluster; others stay.
#[derive(Debug, Clone, Default)]
pub struct Mapping(BTreeMap<String, String>);

impl Mapping {
    /// Takes `spec.namespaceMapping`.
    pub fn new(names: &BTreeMap<String, String>) -> Self {
        Self(names.clone())
    }

    /// The namespace in the cluster for one of the backup.
    pub fn target<'a>(&'a self, namespace: &'a str) -> &'a str {
        self.0.get(namespace).map_or(namespace, String::as_str)
    }

    /// Rewrites the string that `pointer` names, if there is one.
    fn rename_at(&self, object: &mut Value, pointer: &str) {
        if let Some(Value::String(name)) = object.pointer_mut(pointer)
            && let Some(target) = self.0.get(name.as_str())
        {
            name.clone_from(target);
        }
    }

    /// The object's own namespace.
    pub fn rename_object(&self, object: &mut Value) {
        self.rename_at(object, "/metadata/namespace");
    }

    /// The claim that a persistent volume is bound to.
    pub fn rename_claim(&self, volume: &mut Value) {
        self.rename_at(volume, "/spec/claimRef/namespace");
    }

    /// The subjects of a role binding or cluster role binding.
    pub fn rename_subjects(&self, binding: &mut Value) {
        let subjects = binding.get_mut("subjects").and_then(Value::as_array_mut);
        for subject in subjects.into_iter().flatten() {
            self.rename_at(subject, "/namespace");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn name() -> impl Strategy<Value = String> {
        "[a-d]{1,2}"
    }

    proptest! {
        #[test]
        fn every_reference_moves_as_its_namespace_does(
            names in proptest::collection::btree_map(name(), name(), 0..4),
            own in name(),
            subjects in proptest::collection::vec(name(), 0..4),
        ) {
            let mapping = Mapping::new(&names);
            let expected = |n: &String| names.get(n).unwrap_or(n).clone();
            let mut object = json!({
                "metadata": {"name": own, "namespace": own},
                "spec": {"claimRef": {"name": own, "namespace": own}},
                "subjects": subjects.iter().map(|n| json!({"kind": "ServiceAccount", "name": n, "namespace": n})).collect::<Vec<_>>(),
            });
            mapping.rename_object(&mut object);
            mapping.rename_claim(&mut object);
            mapping.rename_subjects(&mut object);
            prop_assert_eq!(object["metadata"]["namespace"].as_str(), Some(mapping.target(&own)));
            prop_assert_eq!(object["metadata"]["namespace"].as_str(), Some(&*expected(&own)));
            prop_assert_eq!(object["spec"]["claimRef"]["namespace"].as_str(), Some(&*expected(&own)));
            prop_assert_eq!(object["metadata"]["name"].as_str(), Some(&*own), "names are no namespaces");
            for (subject, before) in object["subjects"].as_array().unwrap().iter().zip(&subjects) {
                prop_assert_eq!(subject["namespace"].as_str(), Some(&*expected(before)));
                prop_assert_eq!(subject["name"].as_str(), Some(before.as_str()));
            }
        }
    }

    #[test]
    fn users_and_groups_have_no_namespace_to_map() {
        let mapping = Mapping::new(&BTreeMap::from([("a".into(), "b".into())]));
        let mut binding = json!({"subjects": [{"kind": "User", "name": "a"}]});
        let before = binding.clone();
        mapping.rename_subjects(&mut binding);
        mapping.rename_claim(&mut binding);
        assert_eq!(binding, before);
    }
}
