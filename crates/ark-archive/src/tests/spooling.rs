//! Which of an object's copies a spooled archive lists.

use std::fs;

use tar::{Builder, Header};

use super::{cluster, gzip, key, pack};
use crate::index::Index;
use crate::limits::Limits;
use crate::spool::{Spool, SpoolError};

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, data) in files {
        let mut header = Header::new_ustar();
        header.set_size(data.len() as u64);
        builder
            .append_data(&mut header, path, data.as_bytes())
            .unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

fn spool(files: &[(&str, &str)]) -> Result<Spool, SpoolError> {
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::build(archive(files).as_slice(), dir.path(), &Limits::default())?;
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        0,
        "the file must have no name"
    );
    Ok(spool)
}

const PLAIN: &str = "resources/pods/namespaces/a/p.json";
const PREFERRED: &str = "resources/pods/v1-preferredversion/namespaces/a/p.json";
const OTHER: &str = "resources/pods/v1beta1/namespaces/a/p.json";

#[test]
fn equal_copies_count_as_one_in_any_order() {
    let pod = key("pods a/p");
    for files in [
        [(PLAIN, "{}"), (PREFERRED, "{}")],
        [(PREFERRED, "{}"), (PLAIN, "{}")],
    ] {
        let spool = spool(&files).unwrap();
        assert_eq!(spool.catalog().iter_all().count(), 1);
        assert_eq!(spool.find(&pod).unwrap().version(), Some("v1"));
        assert_eq!(spool.summary().items, 2);
    }
}

#[test]
fn a_differing_copy_stays_reachable() {
    let pod = key("pods a/p");
    let spool = spool(&[
        (PREFERRED, r#"{"copy":2}"#),
        (PLAIN, "{}"),
        (OTHER, r#"{"v":0}"#),
    ])
    .unwrap();
    let listed: Vec<_> = spool
        .iter()
        .map(|entry| spool.read(&entry).unwrap())
        .collect();
    assert_eq!(listed, [b"{}"]);
    let copies: Vec<_> = spool
        .catalog()
        .copies(&pod)
        .map(|entry| spool.read(&entry).unwrap())
        .collect();
    assert_eq!(copies, [&b"{}"[..], br#"{"copy":2}"#, br#"{"v":0}"#]);
    let other = spool.catalog().find_version(&pod, "v1beta1").unwrap();
    assert!(!other.preferred());
}

#[test]
fn a_copy_without_its_first_is_listed() {
    let spool = spool(&[(PREFERRED, "{}")]).unwrap();
    assert_eq!(spool.iter().count(), 1);
    let spool = self::spool(&[(OTHER, "{}")]).unwrap();
    assert_eq!(
        (spool.iter().count(), spool.catalog().iter_all().count()),
        (0, 1)
    );
    assert!(spool.catalog().is_empty());
}

#[test]
fn an_archive_without_versions_is_listed() {
    let spool = spool(&[(PLAIN, "{}")]).unwrap();
    let entry = spool.find(&key("pods a/p")).unwrap();
    assert_eq!((entry.version(), entry.preferred()), (None, true));
}

#[test]
fn two_preferred_versions_are_refused() {
    let second = "resources/pods/v2-preferredversion/namespaces/a/p.json";
    let refused = spool(&[(PREFERRED, "{}"), (second, "{}")]);
    assert!(
        matches!(refused, Err(SpoolError::Duplicate(_))),
        "{refused:?}"
    );
    let refused = spool(&[(PLAIN, "{}"), (PREFERRED, "{}"), (second, "{}")]);
    assert!(
        matches!(refused, Err(SpoolError::Duplicate(_))),
        "{refused:?}"
    );
}

#[test]
fn entries_of_another_archive_do_not_read() {
    let (archive, index) = pack(&cluster(), 4096);
    let index = Index::decode(&index, &Limits::default()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::build(archive.as_slice(), dir.path(), &Limits::default()).unwrap();
    let foreign = index.iter().last().unwrap();
    assert!(matches!(
        spool.read(&foreign),
        Err(SpoolError::Changed { .. })
    ));
}

#[test]
fn a_missing_folder_is_named() {
    let missing = std::path::Path::new("/nonexistent-folder");
    let error = Spool::build(&b""[..], missing, &Limits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot make a temporary file in /nonexistent-folder"
    );
}
