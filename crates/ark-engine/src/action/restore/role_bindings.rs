//! Role bindings: their subjects move with the namespaces they live in.

use serde_json::Value;

use super::{Context, Effects};

pub(super) const KINDS: &[&str] = &[
    "rolebindings.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
];

pub(super) fn run(binding: &mut Value, context: &Context<'_>, _: &mut Effects) {
    context.mapping.rename_subjects(binding);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::KINDS;
    use crate::action::restore::tests::act;

    #[test]
    fn subjects_follow_the_mapping() {
        for kind in KINDS {
            let mut binding = json!({"subjects": [
                {"kind": "ServiceAccount", "name": "web", "namespace": "old"},
                {"kind": "ServiceAccount", "name": "web", "namespace": "other"},
            ]});
            act(kind, &mut binding);
            assert_eq!(binding["subjects"][0]["namespace"], "new");
            assert_eq!(binding["subjects"][1]["namespace"], "other");
        }
    }
}
