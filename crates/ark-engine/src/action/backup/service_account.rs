//! A service account needs the cluster roles that it is bound to: without them
//! a restored workload runs and is forbidden everything.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Related;

const RBAC: &str = "rbac.authorization.k8s.io";

/// The binding itself and its role, when the binding names one of `accounts`
/// (`namespace`, `name`); nothing otherwise.
pub fn roles_bound_to(binding: &Value, accounts: &BTreeSet<(String, String)>) -> Vec<Related> {
    let names_one = binding["subjects"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|subject| {
            let account = (
                subject["namespace"].as_str().unwrap_or_default().to_owned(),
                subject["name"].as_str().unwrap_or_default().to_owned(),
            );
            subject["kind"] == "ServiceAccount" && accounts.contains(&account)
        });
    if !names_one {
        return Vec::new();
    }
    let mut related = Vec::new();
    if let Some(name) = binding["metadata"]["name"].as_str() {
        related.push(Related::new(RBAC, "clusterrolebindings", None, name));
    }
    if let Some(role) = binding["roleRef"]["name"].as_str() {
        related.push(Related::new(RBAC, "clusterroles", None, role));
    }
    related
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bindings_of_saved_accounts_come_along() {
        let accounts = BTreeSet::from([("shop".to_owned(), "web".to_owned())]);
        let binding = |kind: &str, namespace: &str| {
            serde_json::json!({
                "metadata": {"name": "web-reader"},
                "roleRef": {"kind": "ClusterRole", "name": "reader"},
                "subjects": [{"kind": kind, "namespace": namespace, "name": "web"}],
            })
        };
        let related = roles_bound_to(&binding("ServiceAccount", "shop"), &accounts);
        assert_eq!(
            related.iter().map(|r| &*r.name).collect::<Vec<_>>(),
            ["web-reader", "reader"]
        );
        assert!(roles_bound_to(&binding("ServiceAccount", "bank"), &accounts).is_empty());
        assert!(roles_bound_to(&binding("User", "shop"), &accounts).is_empty());
    }
}
