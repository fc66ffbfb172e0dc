//! A reader of what a bucket holds that shares no code with what wrote it. It was
//! made from the format alone and takes nothing that Velero would not write.

pub(crate) mod log;
pub(crate) mod side;
pub(crate) mod tarball;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use serde_json::Value;

/// Objects of a bucket by key.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What the files of a backup or restore say.
#[derive(Debug)]
pub(crate) struct Seen {
    /// `apps/v1/Deployment` and `shop/web`, from the resource list.
    pub(crate) listed: BTreeSet<(String, String)>,
    /// `{"errors": {…}, "warnings": {…}}`.
    pub(crate) results: Value,
}

/// Checks everything below `backups/<b>/`.
pub(crate) fn backup(files: &Files, name: &str) -> Seen {
    let key = |end: &str| format!("backups/{name}/{end}");
    let beside = |end: &str| key(&format!("{name}{end}"));
    let expected = [
        key("velero-backup.json"),
        beside(".tar.gz"),
        beside("-logs.gz"),
        beside("-podvolumebackups.json.gz"),
        beside("-volumesnapshots.json.gz"),
        beside("-resource-list.json.gz"),
        beside("-itemoperations.json.gz"),
        beside("-results.gz"),
        beside("-volumeinfo.json.gz"),
        // Ark's own; Velero passes over them and deletes them with the rest.
        key("ark-index.gz"),
        key("ark-manifest.json"),
    ];
    assert_eq!(
        files.keys().cloned().collect::<BTreeSet<_>>(),
        BTreeSet::from(expected)
    );
    let status = side::metadata(&files[&key("velero-backup.json")], name);
    for end in [
        "-podvolumebackups.json.gz",
        "-volumesnapshots.json.gz",
        "-itemoperations.json.gz",
        "-volumeinfo.json.gz",
    ] {
        assert_eq!(document(files, &beside(end)), Value::Array(vec![]), "{end}");
    }
    let listed = side::resource_list(&document(files, &beside("-resource-list.json.gz")), &[""]);
    let items = tarball::check(&files[&beside(".tar.gz")]);
    assert_eq!(items, listed);
    assert_eq!(status["progress"]["itemsBackedUp"], items.len());
    let results = document(files, &beside("-results.gz"));
    agree(files, &beside("-logs.gz"), &results, &status);
    Seen { listed, results }
}

/// Checks everything below `restores/<r>/`; `status` is the resource's.
pub(crate) fn restore(files: &Files, name: &str, status: &Value) -> Seen {
    let key = |end: &str| format!("restores/{name}/{end}");
    let beside = |end: &str| key(&format!("restore-{name}{end}"));
    let volumes = key(&format!("{name}-volumeinfo.json.gz"));
    let expected = [
        beside("-logs.gz"),
        beside("-results.gz"),
        beside("-resource-list.json.gz"),
        beside("-itemoperations.json.gz"),
        volumes.clone(),
    ];
    assert_eq!(
        files.keys().cloned().collect::<BTreeSet<_>>(),
        BTreeSet::from(expected)
    );
    for key in [&beside("-itemoperations.json.gz"), &volumes] {
        assert_eq!(document(files, key), Value::Array(vec![]), "{key}");
    }
    let actions = ["(created)", "(updated)", "(skipped)", "(failed)"];
    let list = document(files, &beside("-resource-list.json.gz"));
    let listed = side::resource_list(&list, &actions);
    let results = document(files, &beside("-results.gz"));
    agree(files, &beside("-logs.gz"), &results, status);
    Seen { listed, results }
}

/// The log, the results and the status must tell the same numbers.
fn agree(files: &Files, log: &str, results: &Value, status: &Value) {
    let count = |field: &str| status[field].as_u64().unwrap_or_default();
    let told = (count("errors"), count("warnings"));
    assert_eq!(side::results(results), told, "{results:#}");
    let text = String::from_utf8(gunzip(&files[log])).unwrap();
    assert_eq!(log::check(&text), told, "{text}");
}

/// A gzip object that holds one JSON document in one line, as Go's encoder ends it.
pub(crate) fn document(files: &Files, key: &str) -> Value {
    let text = String::from_utf8(gunzip(&files[key])).unwrap();
    let json = text.strip_suffix('\n');
    let json = json.unwrap_or_else(|| panic!("{key} does not end with a newline: {text}"));
    assert!(!json.contains('\n'), "{key} is not one line: {text}");
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{key}: {error}: {json}"))
}

/// Unpacks all members of a gzip stream.
#[expect(
    clippy::disallowed_types,
    reason = "a reader of its own, of files that this test made"
)]
pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .read_to_end(&mut out)
        .unwrap();
    out
}
