//! Archives are exchanged with GNU tar and gzip in both directions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Sample, cluster, key, pack, sample};
use crate::layout;
use crate::limits::Limits;
use crate::read::{ReadError, Summary, scan};

/// Runs the system's tar, which these tests need; gives what it printed.
fn tar(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("tar")
        .current_dir(dir)
        .args(args)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stderr.is_empty(),
        "tar {args:?}: {stderr}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A cluster with names that need every form of long path, as far as a file
/// system can hold them.
fn tree() -> Vec<Sample> {
    let mut samples = cluster();
    let (part, long) = ("p".repeat(90), "n".repeat(240));
    samples.push(sample(&format!("pods {part}/{part}"), r#"{"split":true}"#));
    samples.push(sample(&format!("pods {long}/{long}"), r#"{"record":true}"#));
    samples
}

fn paths_and_content(samples: &[Sample]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for Sample {
        key,
        version,
        preferred,
        json,
    } in samples
    {
        files.insert(
            layout::item_version_path(key, version, *preferred),
            json.clone(),
        );
        if *preferred {
            files.insert(layout::item_path(key), json.clone());
        }
    }
    files
}

fn scan_file(path: &Path) -> (BTreeMap<String, Vec<u8>>, Summary) {
    let mut files = BTreeMap::new();
    let file = fs::File::open(path).unwrap();
    let summary = scan(file, &Limits::default(), |entry| -> Result<(), ReadError> {
        let path = match &entry.version {
            Some(version) => layout::item_version_path(&entry.key, version, entry.preferred),
            None => layout::item_path(&entry.key),
        };
        assert!(files.insert(path, entry.json.to_vec()).is_none());
        Ok(())
    });
    (files, summary.unwrap())
}

#[test]
fn gnu_tar_lists_and_extracts_what_is_written() {
    let samples = tree();
    let (archive, _) = pack(&samples, 4096);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("b.tar.gz"), archive).unwrap();

    let listed = tar(dir.path(), &["--quoting-style=literal", "-tzf", "b.tar.gz"]);
    let mut listed: Vec<_> = listed.lines().collect();
    assert_eq!(listed.remove(0), layout::VERSION_PATH);
    listed.sort_unstable();
    let expected = paths_and_content(&samples);
    assert_eq!(listed, expected.keys().collect::<Vec<_>>());

    tar(dir.path(), &["-xzf", "b.tar.gz"]);
    assert_eq!(
        fs::read(dir.path().join(layout::VERSION_PATH)).unwrap(),
        b"1.1.0\n"
    );
    for (path, json) in expected {
        assert_eq!(fs::read(dir.path().join(&path)).unwrap(), json, "{path}");
    }
}

/// The same files, packed by GNU tar in one of its formats.
fn reads_back(format: &str, from: &[&str]) {
    let samples = tree();
    let expected = paths_and_content(&samples);
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("metadata")).unwrap();
    fs::write(root.join(layout::VERSION_PATH), "1.1.0\n").unwrap();
    for (path, json) in &expected {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, json).unwrap();
    }
    let mut args = vec!["-czf", "../b.tar.gz", format];
    args.extend_from_slice(from);
    tar(&root, &args);
    let (files, summary) = scan_file(&dir.path().join("b.tar.gz"));
    assert_eq!(files, expected);
    assert_eq!(summary.warnings, []);
    assert_eq!(
        summary.format_version.map(|v| v.to_string()).as_deref(),
        Some("1.1.0")
    );
    assert!(summary.has_resources && !summary.legacy);
}

#[test]
fn reads_what_gnu_tar_packs_in_its_own_format() {
    reads_back("--format=gnu", &["metadata", "resources"]);
}

#[test]
fn reads_what_gnu_tar_packs_in_pax_format_from_the_current_folder() {
    reads_back("--format=pax", &["."]);
}

#[test]
fn reads_the_layout_of_heptio_ark_0_3() {
    let dir = tempfile::tempdir().unwrap();
    let old = [
        ("cluster/namespaces", "shop.json"),
        ("namespaces/shop/pods", "web.json"),
    ];
    for (folder, file) in old {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
        fs::write(dir.path().join(folder).join(file), "{}").unwrap();
    }
    tar(dir.path(), &["-czf", "b.tar.gz", "cluster", "namespaces"]);
    let (files, summary) = scan_file(&dir.path().join("b.tar.gz"));
    let expected = [key("namespaces shop"), key("pods shop/web")].map(|k| layout::item_path(&k));
    assert_eq!(files.into_keys().collect::<Vec<_>>(), expected);
    assert!(summary.legacy && !summary.has_resources);
    assert_eq!(summary.format_version, None);
}
