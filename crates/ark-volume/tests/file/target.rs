//! Restoring to places where something is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use ark_volume::file::{FileError, RestoreOptions, Target};
use rustix::fs::{XattrFlags, setxattr};

use crate::disk::Mount;
use crate::store::directory;
use crate::tree::{assert_same, fill, look};
use crate::{copy, noise, repository, restore, try_restore};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_gives_way_and_nothing_outside_is_touched() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let outside = tempfile::tempdir().unwrap();
    fill(from.path());
    fs::write(outside.path().join("file-1"), "outside").unwrap();
    let before = look(outside.path());
    // A folder, a file and a file with several names that lead out.
    symlink(outside.path(), to.path().join("many")).unwrap();
    symlink(outside.path().join("file-1"), to.path().join("empty")).unwrap();
    fs::hard_link(outside.path().join("file-1"), to.path().join("large")).unwrap();
    // A folder in the place of a file and the other way round.
    fs::create_dir(to.path().join("hello")).unwrap();
    fs::write(to.path().join("owned"), "a file").unwrap();
    fs::write(to.path().join("tagged"), "other content").unwrap();
    setxattr(
        to.path().join("tagged"),
        "user.old",
        b"1",
        XattrFlags::empty(),
    )
    .unwrap();
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    let restored = restore(&repository, &copied, to.path()).await;
    assert_eq!(restored.problems.first, []);
    assert_same(from.path(), to.path());
    assert_eq!(
        look(outside.path()),
        before,
        "something outside was written to"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_snapshot_stays_and_what_differs_is_set_right() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(from.path().join("folder")).unwrap();
    fs::write(from.path().join("folder/data"), noise(1, 12 << 20)).unwrap();
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    let first = restore(&repository, &copied, to.path()).await;
    assert_eq!((first.written, first.kept), (12 << 20, 0));

    // One byte differs, and nothing tells of it.
    let path = to.path().join("folder/data");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let mut bytes = noise(1, 12 << 20);
    bytes[5 << 20] ^= 1;
    fs::write(&path, bytes).unwrap();
    fs::File::open(&path)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    fs::write(to.path().join("folder/new"), "since").unwrap();
    // A folder with something in it is not taken away.
    let second = restore(&repository, &copied, to.path()).await;
    assert!(second.written <= 8 << 20, "{second:?}");
    assert_eq!(second.written + second.kept, 12 << 20);
    assert!(fs::read(&path).unwrap() == noise(1, 12 << 20));
    assert_eq!(fs::read(to.path().join("folder/new")).unwrap(), b"since");
    let third = restore(&repository, &copied, to.path()).await;
    assert_eq!((third.written, third.kept), (0, 12 << 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_restore() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(from.path().join("data"), noise(1, 12 << 20)).unwrap();
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    let mount = Mount::new(&["-t", "tmpfs", "-o", "size=4m", "none"], to.path());
    let (target, how) = (
        Target::Directory(to.path().to_owned()),
        RestoreOptions::default(),
    );
    let failed = try_restore(&repository, copied.snapshot.id, &target, &how);
    let failed = failed.await.unwrap_err();
    assert!(
        matches!(
            failed,
            FileError::Local {
                action: "write to",
                ..
            }
        ),
        "{failed}"
    );
    assert!(
        failed.to_string().contains("No space left on device"),
        "{failed}"
    );
    drop(mount);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_file_system_cannot_hold_is_named() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(from.path().join("plain"), "plain").unwrap();
    fs::write(from.path().join("tagged"), "tagged").unwrap();
    setxattr(
        from.path().join("tagged"),
        "user.color",
        b"red",
        XattrFlags::empty(),
    )
    .unwrap();
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    // It knows no extended attributes.
    let mount = Mount::new(&["-t", "ramfs", "none"], to.path());
    let restored = restore(&repository, &copied, to.path()).await;
    let told: Vec<_> = restored
        .problems
        .first
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        ["`tagged`: cannot set user.color: Operation not supported (os error 95)"]
    );
    assert_eq!(fs::read(to.path().join("tagged")).unwrap(), b"tagged");
    drop(mount);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_must_be_there() {
    let (_dir, store) = directory().await;
    let from = tempfile::tempdir().unwrap();
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    let how = RestoreOptions::default();
    for path in ["/nowhere/at/all", "/etc/hostname"] {
        let target = Target::Directory(Path::new(path).to_owned());
        let failed = try_restore(&repository, copied.snapshot.id, &target, &how);
        let failed = failed.await.unwrap_err();
        assert!(
            matches!(
                failed,
                FileError::Local {
                    action: "write to",
                    ..
                }
            ),
            "{failed}"
        );
    }
}
