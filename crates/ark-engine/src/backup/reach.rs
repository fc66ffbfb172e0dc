//! Which namespaces a backup is about, before it is known whether it may run.

use std::collections::BTreeSet;

use ark_api::BackupSpec;

use super::plan::wanted_namespaces;
use crate::object::Object;
use crate::select::IncludeExclude;

/// The namespaces that a backup of this spec would cover, of those that exist:
/// decided as the plan decides it. Lists that are not valid cover nothing.
pub fn reach(spec: &BackupSpec, namespaces: &[Object]) -> BTreeSet<String> {
    let lists = IncludeExclude::new(&spec.included_namespaces, &spec.excluded_namespaces);
    lists.map_or_else(
        |_| BTreeSet::new(),
        |filter| wanted_namespaces(&filter, namespaces, &mut Vec::new()),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn namespaces() -> Vec<Object> {
        let object = |name: &str, labels: serde_json::Value| {
            let value = json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": name, "labels": labels},
            });
            Object::from_value(&value).unwrap()
        };
        vec![
            object("shop-1", json!({})),
            object("shop-2", json!({})),
            object("bank", json!({})),
            object("scratch", json!({"velero.io/exclude-from-backup": "true"})),
        ]
    }

    fn of(includes: &[&str], excludes: &[&str]) -> Vec<String> {
        let own = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let spec = BackupSpec {
            included_namespaces: own(includes),
            excluded_namespaces: own(excludes),
            ..BackupSpec::default()
        };
        reach(&spec, &namespaces()).into_iter().collect()
    }

    #[test]
    fn patterns_are_what_they_match_now() {
        assert_eq!(of(&["shop-*"], &["shop-2"]), ["shop-1"]);
        assert_eq!(of(&["*"], &[]), ["bank", "shop-1", "shop-2"]);
        assert_eq!(of(&[], &["b*"]), ["shop-1", "shop-2"]);
        assert_eq!(of(&["absent"], &[]), [""; 0]);
        assert_eq!(of(&["a|b"], &[]), [""; 0], "not a valid pattern");
    }
}
