//! A service account needs the cluster roles that it is bound to: without them
//! a restored workload runs and is forbidden everything.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Related;

const RBAC: &str = "rbac.authorization.k8s.io";

/// The group of all service accounts; with a colon and a namespace after it, of
/// those in the namespace.
const ALL_ACCOUNTS: &str = "system:serviceaccounts";
/// Marks what every API server makes for itself.
const BOOTSTRAPPING: &str = "kubernetes.io/bootstrapping";

/// The binding itself and its role, when the binding names one of `accounts`
/// (`namespace`, `name`) or a group that has one; nothing otherwise.
pub fn roles_bound_to(binding: &Value, accounts: &BTreeSet<(String, String)>) -> Vec<Related> {
    let mut subjects = binding["subjects"].as_array().into_iter().flatten();
    if !subjects.any(|subject| names_one(binding, subject, accounts)) {
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

fn names_one(binding: &Value, subject: &Value, accounts: &BTreeSet<(String, String)>) -> bool {
    let name = subject["name"].as_str().unwrap_or_default();
    match subject["kind"].as_str() {
        Some("ServiceAccount") => {
            let namespace = subject["namespace"].as_str().unwrap_or_default();
            accounts.contains(&(namespace.to_owned(), name.to_owned()))
        }
        // What every cluster has anyway is no need of these accounts.
        Some("Group") if name == ALL_ACCOUNTS => {
            !accounts.is_empty() && binding["metadata"]["labels"][BOOTSTRAPPING].is_null()
        }
        Some("Group") => name
            .strip_prefix(ALL_ACCOUNTS)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|namespace| accounts.iter().any(|(one, _)| one == namespace)),
        _ => false,
    }
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

    #[test]
    fn groups_of_service_accounts_count() {
        let accounts = BTreeSet::from([("shop".to_owned(), "web".to_owned())]);
        let bound = |group: &str, labels: Value| {
            let binding = serde_json::json!({
                "metadata": {"name": "b", "labels": labels},
                "roleRef": {"kind": "ClusterRole", "name": "reader"},
                "subjects": [{"kind": "User", "name": "u"}, {"kind": "Group", "name": group}],
            });
            !roles_bound_to(&binding, &accounts).is_empty()
        };
        let none = serde_json::json!({});
        assert!(bound("system:serviceaccounts:shop", none.clone()));
        assert!(bound("system:serviceaccounts", none.clone()));
        assert!(!bound("system:serviceaccounts:bank", none.clone()));
        assert!(!bound("system:authenticated", none));
        let bootstrap = serde_json::json!({"kubernetes.io/bootstrapping": "rbac-defaults"});
        assert!(!bound("system:serviceaccounts", bootstrap));
    }
}
