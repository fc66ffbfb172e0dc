//! The JSON documents: which keys they may have, and what is in them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Checks `velero-backup.json` and gives the status.
pub(crate) fn metadata(bytes: &[u8], name: &str) -> Value {
    assert_eq!(bytes[0], b'{', "the metadata file is not compressed");
    let backup: Value = serde_json::from_slice(bytes).unwrap();
    only(
        &backup,
        &["apiVersion", "kind", "metadata", "spec", "status"],
    );
    assert_eq!(backup["apiVersion"], "velero.io/v1");
    assert_eq!(backup["kind"], "Backup");
    assert_eq!(backup["metadata"]["name"], name);
    for field in ["namespace", "uid", "creationTimestamp"] {
        assert!(backup["metadata"][field].is_string(), "{backup:#}");
    }
    assert!(backup["spec"]["storageLocation"].is_string(), "{backup:#}");
    let status = &backup["status"];
    let phase = status["phase"].as_str().unwrap();
    assert!(["Completed", "PartiallyFailed"].contains(&phase), "{phase}");
    assert_eq!(status["version"], 1);
    assert_eq!(status["formatVersion"], "1.1.0");
    for field in ["startTimestamp", "completionTimestamp", "expiration"] {
        instant(status[field].as_str().unwrap());
    }
    assert_eq!(
        status["progress"]["itemsBackedUp"],
        status["progress"]["totalItems"]
    );
    status.clone()
}

/// Kubernetes writes times in whole seconds of UTC.
pub(crate) fn instant(text: &str) {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00Z", "{text}");
}

/// Checks a list and gives its entries; each ends with one of `ends`, which is
/// taken off.
pub(crate) fn resource_list(list: &Value, ends: &[&str]) -> BTreeSet<(String, String)> {
    let mut entries = BTreeSet::new();
    for (kind, names) in object(list) {
        let parts: Vec<_> = kind.split('/').collect();
        assert!((2..=3).contains(&parts.len()), "{kind}");
        assert!(
            parts.last().unwrap().starts_with(char::is_uppercase),
            "{kind}"
        );
        let names = strings(names);
        assert!(!names.is_empty() && names.is_sorted(), "{kind}: {names:?}");
        for name in names {
            let end = ends.iter().find(|end| name.ends_with(**end));
            let bare = name.strip_suffix(end.unwrap_or_else(|| panic!("{name}")));
            let bare = bare.unwrap().to_owned();
            assert!(bare.matches('/').count() < 2, "{bare}");
            assert!(
                entries.insert((kind.clone(), bare.clone())),
                "{kind} {bare} twice"
            );
        }
    }
    entries
}

/// Counts errors and warnings.
pub(crate) fn results(results: &Value) -> (u64, u64) {
    only(results, &["errors", "warnings"]);
    (group(&results["errors"]), group(&results["warnings"]))
}

fn group(group: &Value) -> u64 {
    let mut count = 0;
    for (key, messages) in object(group) {
        match key.as_str() {
            "velero" | "cluster" => count += filled(messages),
            "namespaces" => {
                assert!(!object(messages).is_empty(), "an empty group is left out");
                count += object(messages).values().map(filled).sum::<u64>();
            }
            other => panic!("results have no group `{other}`"),
        }
    }
    count
}

fn filled(list: &Value) -> u64 {
    let messages = strings(list);
    assert!(!messages.is_empty(), "an empty group is left out");
    messages.len() as u64
}

fn only(value: &Value, keys: &[&str]) {
    let found: BTreeSet<_> = object(value).keys().map(String::as_str).collect();
    assert_eq!(found, keys.iter().copied().collect(), "{value:#}");
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value:#}"))
}

fn strings(value: &Value) -> Vec<&str> {
    let list = value.as_array().unwrap_or_else(|| panic!("{value:#}"));
    list.iter().map(|one| one.as_str().unwrap()).collect()
}
