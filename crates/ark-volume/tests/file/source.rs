//! What is told of a volume that cannot be read as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use ark_volume::file::{Control, FileError, Problem, Source};

use crate::disk::{Disk, Mount};
use crate::store::directory;
use crate::tree::assert_same;
use crate::{copy, noise, options, repository, restore};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_disk_cannot_read_is_named_and_the_others_are_copied() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let disk = Disk::new(64 << 20);
    let mount = Mount::of(&disk, from.path());
    fs::write(from.path().join("first"), noise(1, 1 << 20)).unwrap();
    fs::write(from.path().join("large"), noise(2, 40 << 20)).unwrap();
    rustix::fs::syncfs(fs::File::open(from.path()).unwrap()).unwrap();
    disk.break_behind(30 << 20);
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    let problems = copied.problems.clone();
    assert_eq!(problems.count, 1, "{problems:?}");
    let Problem { path, what } = &problems.first[0];
    assert_eq!(path, Path::new("large"));
    assert!(what.starts_with("cannot read it from byte "), "{what}");
    assert!(what.contains("Input/output error"), "{what}");
    assert_eq!(copied.snapshot.files, 1);
    restore(&repository, &copied, to.path()).await;
    assert_eq!(
        fs::read(to.path().join("first")).unwrap(),
        noise(1, 1 << 20)
    );
    assert!(!to.path().join("large").exists());
    drop(mount);
}

/// Files below `/proc` have no size and some content: the same as one that grew.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_while_it_was_read_is_named() {
    let (_dir, store) = directory().await;
    let repository = repository(store).await;
    let copied = copy(&repository, Path::new("/proc/sys/kernel/random")).await;
    let problems = copied.problems;
    let uuid = problems
        .first
        .iter()
        .find(|one| one.path == Path::new("boot_id"));
    let Problem { what, .. } = uuid.unwrap();
    assert!(
        what.starts_with("it had 0 bytes when it was found and 37 when it was read"),
        "{what}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_file_systems_are_left_out_and_named() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir_all(from.path().join("a/mounted")).unwrap();
    fs::write(from.path().join("a/file"), "here").unwrap();
    let mount = Mount::new(&["-t", "tmpfs", "none"], &from.path().join("a/mounted"));
    fs::write(from.path().join("a/mounted/secret"), "elsewhere").unwrap();
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    assert!(copied.problems.is_empty(), "{copied:?}");
    let named: Vec<_> = copied
        .elsewhere
        .first
        .iter()
        .map(|one| one.path.clone())
        .collect();
    assert_eq!(named, [PathBuf::from("a/mounted")]);
    drop(mount);
    restore(&repository, &copied, to.path()).await;
    assert!(to.path().join("a/mounted").is_dir());
    assert!(!to.path().join("a/mounted/secret").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_before_anything_is_written() {
    let (dir, store) = directory().await;
    let repository = repository(store).await;
    let before = fs::read_dir(dir.path()).unwrap().count();
    for source in [
        Source::Directory("/nowhere/at/all".into()),
        Source::Device("/nowhere/at/all".into()),
        Source::Directory("/etc/hostname".into()),
        Source::Device("/etc".into()),
    ] {
        let failed = repository
            .back_up(&source, &options(), &Control::default())
            .await;
        let failed = failed.unwrap_err();
        assert!(
            matches!(failed, FileError::Local { action: "read", .. }),
            "{failed}"
        );
    }
    assert_eq!(repository.snapshots().await.unwrap(), []);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_volume_is_a_volume() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    assert_eq!((copied.snapshot.files, copied.problems.count), (0, 0));
    assert!(
        restore(&repository, &copied, to.path())
            .await
            .problems
            .is_empty()
    );
    assert_same(from.path(), to.path());
}
