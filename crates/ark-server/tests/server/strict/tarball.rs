//! A tarball of format 1.1.0, read with `gzip` and `tar` as anybody has them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::process::Command;

use serde_json::Value;

/// Kind, folder's namespace, name.
type Place = (String, Option<String>, String);

/// Checks the whole tarball; gives `apps/v1/Deployment` and `shop/web` of what is
/// in it.
pub(crate) fn check(bytes: &[u8]) -> BTreeSet<(String, String)> {
    let entries = entries(bytes);
    let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(listed_by_tar(bytes), names);
    assert_eq!(names[0], "metadata/version", "it must be the first entry");
    assert_eq!(entries[0].1, b"1.1.0\n");

    let mut plain: BTreeMap<Place, &[u8]> = BTreeMap::new();
    let mut preferred: BTreeMap<Place, (&str, &[u8])> = BTreeMap::new();
    for (path, json) in &entries[1..] {
        let (place, version) = place(path);
        match version {
            None => assert!(plain.insert(place, json).is_none(), "{path} twice"),
            Some(version) => {
                let version = version.strip_suffix("-preferredversion");
                let version = version.unwrap_or_else(|| panic!("without the option: {path}"));
                assert!(
                    preferred.insert(place, (version, json)).is_none(),
                    "{path} twice"
                );
            }
        }
    }
    assert!(
        plain.keys().eq(preferred.keys()),
        "each object is there twice"
    );
    let copies = plain.iter().zip(preferred.values());
    copies
        .map(|((place, json), (version, copy))| {
            assert_eq!(json, copy, "{place:?}");
            item(place, version, json)
        })
        .collect()
}

/// Regular files only, with the mode that Velero gives them, in order.
pub(crate) fn entries(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let unpacked = super::gunzip(bytes);
    let mut archive = tar::Archive::new(unpacked.as_slice());
    let mut entries = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        assert!(entry.header().entry_type().is_file(), "{path}");
        assert_eq!(entry.header().mode().unwrap(), 0o755, "{path}");
        assert!(entry.header().mtime().unwrap() > 0, "{path}");
        let is_safe = |part: &str| !["", ".", ".."].contains(&part);
        assert!(path.split('/').all(is_safe), "{path}");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        entries.push((path, content));
    }
    entries
}

/// What `gzip -d | tar t` says, which must find nothing to complain of.
fn listed_by_tar(bytes: &[u8]) -> Vec<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let script = "set -e; gzip -t < \"$0\"; gzip -dc < \"$0\" | tar --quoting-style=literal -t";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(file.path())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaint.is_empty(),
        "{complaint}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn place(path: &str) -> (Place, Option<&str>) {
    let stem = path
        .strip_suffix(".json")
        .unwrap_or_else(|| panic!("{path}"));
    let parts: Vec<&str> = stem.split('/').collect();
    let (kind, version, namespace, name) = match parts[..] {
        ["resources", kind, "cluster", name] => (kind, None, None, name),
        ["resources", kind, "namespaces", ns, name] => (kind, None, Some(ns), name),
        ["resources", kind, version, "cluster", name] => (kind, Some(version), None, name),
        ["resources", kind, version, "namespaces", ns, name] => {
            (kind, Some(version), Some(ns), name)
        }
        _ => panic!("{path} is no place for an object"),
    };
    let namespace = namespace.map(str::to_owned);
    ((kind.to_owned(), namespace, name.to_owned()), version)
}

/// An object must be what its path says, and whole as the API server gave it.
fn item((folder, namespace, name): &Place, version: &str, json: &[u8]) -> (String, String) {
    let text = std::str::from_utf8(json).unwrap();
    assert!(!text.contains('\n'), "JSON is compact: {text}");
    let object: Value = serde_json::from_str(text).unwrap();
    let api_version = object["apiVersion"].as_str().unwrap();
    let kind = object["kind"].as_str().unwrap();
    let metadata = &object["metadata"];
    assert_eq!(metadata["name"], name.as_str(), "{text}");
    assert_eq!(
        metadata["namespace"].as_str(),
        namespace.as_deref(),
        "{text}"
    );
    for field in ["uid", "resourceVersion"] {
        assert!(metadata[field].is_string(), "no {field}: {text}");
    }
    let (group, own) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    assert_eq!(own, version, "{text}");
    let of_folder = folder.split_once('.').map_or("", |(_, group)| group);
    assert_eq!(group, of_folder, "{text}");
    let name = match namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.clone(),
    };
    (format!("{api_version}/{kind}"), name)
}
