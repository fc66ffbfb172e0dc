//! The `restic` program and Ark on the same repository.

use std::fs;
use std::path::Path;

use ark_testkit::restic::Restic;
use ark_volume::file::{
    Control, Password, ReadData, Repository, RestoreOptions, SnapshotId, Target,
};
use tokio::task::block_in_place;

use crate::store::bucket;
use crate::tree::{assert_same, fill};
use crate::{PASSWORD, PREFIX, copy, repository, try_restore};

/// All but what this release of restic does not copy, or not as it is: sockets, and links
/// to names that are no UTF-8.
fn fill_for_restic(root: &Path) {
    fill(root);
    fs::remove_file(root.join("socket")).unwrap();
    fs::remove_file(root.join("raw-link")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn restic_finds_nothing_wrong_with_a_copy_and_restores_it() {
    let (name, access, store) = bucket().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill_for_restic(from.path());
    let repository = repository(store).await;
    copy(&repository, from.path()).await;
    fs::write(from.path().join("since"), "the first copy").unwrap();
    let copied = copy(&repository, from.path()).await;
    block_in_place(|| {
        let prefix = PREFIX.trim_end_matches('/');
        let restic = Restic::in_bucket(access, &name, prefix, PASSWORD).unwrap();
        let checked = restic.run(&["check", "--read-data"]).unwrap();
        assert!(checked.contains("no errors were found"), "{checked}");
        let listed = restic
            .run(&["snapshots", "--tag", "backup=nightly"])
            .unwrap();
        assert!(listed.contains("2 snapshots"), "{listed}");
        assert!(listed.contains("/shop/data"), "{listed}");
        let (id, to) = (copied.snapshot.id.to_string(), to.path().to_str().unwrap());
        restic.run(&["restore", &id, "--target", to]).unwrap();
    });
    assert_same(from.path(), &to.path().join("volume"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ark_restores_what_restic_copied_and_goes_on_with_its_repository() {
    let (name, access, store) = bucket().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill_for_restic(from.path());
    let prefix = PREFIX.trim_end_matches('/');
    let restic = block_in_place(|| Restic::in_bucket(access, &name, prefix, PASSWORD)).unwrap();
    block_in_place(|| {
        restic.run(&["init"]).unwrap();
        restic
            .run(&["backup", from.path().to_str().unwrap()])
            .unwrap();
    });
    let password = Password::new(PASSWORD);
    let repository = Repository::open(store, PREFIX, &password).await.unwrap();
    let snapshots = repository.snapshots().await.unwrap();
    assert_eq!(snapshots.len(), 1);
    let how = RestoreOptions {
        from: Some(from.path().to_owned()),
        ..RestoreOptions::default()
    };
    let target = Target::Directory(to.path().to_owned());
    let restored = try_restore(&repository, snapshots[0].id, &target, &how);
    assert_eq!(restored.await.unwrap().problems.first, []);
    assert_same(from.path(), to.path());

    let copied = copy(&repository, from.path()).await;
    assert!(
        copied.snapshot.added < 1 << 20,
        "chunks are cut differently: {copied:?}"
    );
    let checked = repository
        .check(ReadData::All, &Control::default())
        .await
        .unwrap();
    assert!(checked.sound, "{checked:?}");
    let checked = block_in_place(|| restic.run(&["check", "--read-data"])).unwrap();
    assert!(checked.contains("no errors were found"), "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_a_snapshot_is_said() {
    let (_dir, store) = crate::store::directory().await;
    let from = tempfile::tempdir().unwrap();
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    let target = Target::Directory(from.path().to_owned());
    let how = RestoreOptions {
        from: Some(Path::new("/volume/nothing").to_owned()),
        ..RestoreOptions::default()
    };
    let failed = try_restore(&repository, copied.snapshot.id, &target, &how);
    let said = failed.await.unwrap_err().to_string();
    assert_eq!(
        said,
        "the snapshot has no `/volume/nothing`; it has `/volume`"
    );
    let other: SnapshotId = "5".repeat(64).parse().unwrap();
    let how = RestoreOptions::default();
    let failed = try_restore(&repository, other, &target, &how);
    let said = failed.await.unwrap_err().to_string();
    assert_eq!(said, format!("the repository has no snapshot `{other}`"));
    for wrong in ["", "5", "latest", &"g".repeat(64)] {
        assert!(wrong.parse::<SnapshotId>().is_err(), "{wrong:?}");
    }
}
