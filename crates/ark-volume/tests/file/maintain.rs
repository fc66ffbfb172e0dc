//! Giving space back.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ark_volume::file::{Control, ReadData, Repository, Source};

use crate::store::{Mortal, directory};
use crate::tree::assert_same;
use crate::{copy, noise, options, repository, restore};

/// Bytes in a directory.
fn size(dir: &Path) -> u64 {
    let mut size = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let stat = entry.metadata().unwrap();
        size += if stat.is_dir() {
            self::size(&entry.path())
        } else {
            stat.len()
        };
    }
    size
}

async fn assert_sound(repository: &Repository) {
    let checked = repository
        .check(ReadData::All, &Control::default())
        .await
        .unwrap();
    assert!(checked.sound, "{checked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_snapshot_needs_is_marked_first_and_deleted_later() {
    let (dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let repository = repository(store).await;
    fs::write(from.path().join("kept"), noise(1, 5 << 20)).unwrap();
    fs::write(from.path().join("gone"), noise(2, 30 << 20)).unwrap();
    let first = copy(&repository, from.path()).await;
    fs::remove_file(from.path().join("gone")).unwrap();
    let second = copy(&repository, from.path()).await;
    repository.forget(&[first.snapshot.id]).await.unwrap();
    repository.forget(&[first.snapshot.id]).await.unwrap();

    let before = size(dir.path());
    let marked = repository.prune(&Control::default()).await.unwrap();
    assert!(marked.marked > 20 << 20, "{marked:?}");
    assert_eq!(marked.deleted, 0, "{marked:?}");
    assert!(size(dir.path()) >= before, "something was deleted at once");
    assert_sound(&repository).await;

    let again = repository.prune(&Control::default()).await.unwrap();
    assert_eq!(
        (again.marked, again.deleted),
        (0, 0),
        "nothing new: {again:?}"
    );
    let deleted = repository.prune_at_once(&Control::default()).await.unwrap();
    assert!(deleted.deleted > 20 << 20, "{deleted:?}");
    assert!(
        size(dir.path()) < 7 << 20,
        "{} bytes are left",
        size(dir.path())
    );
    assert_sound(&repository).await;
    restore(&repository, &second, to.path()).await;
    assert_same(from.path(), to.path());
}

/// A copy counts on chunks that are there when it begins; somebody forgets the only
/// snapshot that needs them and prunes before it is done.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_marked_while_a_copy_counts_on_it_is_taken_back() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(from.path().join("data"), noise(1, 30 << 20)).unwrap();
    let held = Mortal::immortal(store.clone());
    let (copying, pruning) = (repository(held.clone()).await, repository(store).await);
    let first = copy(&copying, from.path()).await;
    fs::write(from.path().join("new"), "new").unwrap();

    let go = held.hold("/snapshots/");
    let (source, how, control) = (
        Source::Directory(from.path().to_owned()),
        options(),
        Control::default(),
    );
    let meanwhile = async {
        while !held.is_held() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        pruning.forget(&[first.snapshot.id]).await.unwrap();
        let pruned = pruning.prune(&Control::default()).await.unwrap();
        assert!(
            pruned.marked > 20 << 20,
            "the test tests nothing: {pruned:?}"
        );
        go.notify_one();
    };
    let (copied, ()) = tokio::join!(copying.back_up(&source, &how, &control), meanwhile);
    let copied = copied.unwrap();
    assert!(copied.snapshot.added < 1 << 20, "{copied:?}");
    assert_sound(&copying).await;
    let restored = restore(&copying, &copied, to.path()).await;
    assert_eq!(restored.problems.first, []);
    assert_same(from.path(), to.path());
}
