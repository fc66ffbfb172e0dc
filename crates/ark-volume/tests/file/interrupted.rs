//! Copies and restores that do not get to their end, and those after them.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ark_volume::file::{
    BackupOptions, Control, FileError, Password, ReadData, Repository, RestoreOptions, Source,
    Target,
};

use crate::store::{Mortal, bucket, directory};
use crate::tree::assert_same;
use crate::{PASSWORD, PREFIX, copy, noise, options, repository, restore};

const FILES: u64 = 7;
const SIZE: usize = 10 << 20;
const ALL: u64 = FILES * (SIZE as u64);

/// Three packs.
fn fill(root: &Path) {
    for n in 0..FILES {
        let folder = root.join(format!("folder-{n}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("data"), noise(n, SIZE)).unwrap();
    }
}

fn again() -> BackupOptions {
    BackupOptions {
        resume: true,
        ..options()
    }
}

/// Everybody who copies writes one object after the other, so whoever dies leaves the
/// first few of them: each number of them is tried.
#[tokio::test(flavor = "multi_thread")]
async fn whenever_a_copy_dies_the_repository_is_sound_and_the_next_one_goes_on() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(from.path());
    let source = Source::Directory(from.path().to_owned());
    let mut lives = 0;
    loop {
        let (_dir, store) = directory().await;
        let mortal = Mortal::new(store.clone(), lives);
        let password = Password::new(PASSWORD);
        let attempt = async {
            let repository = Repository::open_or_create(mortal.clone(), PREFIX, &password).await?;
            repository
                .back_up(&source, &options(), &Control::default())
                .await
        };
        let survived = attempt.await.is_ok();
        let repository = repository(store.clone()).await;
        let sound = repository
            .check(ReadData::All, &Control::default())
            .await
            .unwrap();
        assert!(sound.sound, "died after {lives} writes: {sound:?}");
        let left = repository.snapshots().await.unwrap().len();
        assert_eq!(left, usize::from(survived), "died after {lives} writes");

        let counted = Mortal::immortal(store);
        let next = crate::repository(counted.clone()).await;
        let copied = next
            .back_up(&source, &again(), &Control::default())
            .await
            .unwrap();
        assert!(copied.problems.is_empty(), "{copied:?}");
        let sound = repository
            .check(ReadData::All, &Control::default())
            .await
            .unwrap();
        assert!(
            sound.sound,
            "after {lives} writes and a second copy: {sound:?}"
        );
        if survived {
            assert_eq!(counted.writes(), 1, "one more snapshot");
            assert!(
                lives >= 8,
                "fewer packs than this test means to have: {lives}"
            );
            restore(&repository, &copied, to.path()).await;
            assert_same(from.path(), to.path());
            return;
        }
        // What was sent is not sent again: its own objects, and one more index at most.
        let most = 3 + 5;
        assert!(
            counted.writes() + lives.saturating_sub(2) <= most + 2,
            "{} writes after {lives}",
            counted.writes()
        );
        lives += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_cancelled_ends_soon_and_the_next_one_goes_on() {
    let (_, _, store) = bucket().await;
    let from = tempfile::tempdir().unwrap();
    fill(from.path());
    let counted = Mortal::immortal(store);
    let repository = repository(counted.clone()).await;
    let (source, control) = (
        Source::Directory(from.path().to_owned()),
        Control::default(),
    );
    // The key, the configuration, one pack, and the next one is on its way.
    let stop = async {
        while counted.writes() < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        control.cancel.cancel();
    };
    let how = options();
    let (copied, ()) = tokio::join!(repository.back_up(&source, &how, &control), stop);
    let cancelled = copied.unwrap_err();
    assert!(matches!(cancelled, FileError::Cancelled), "{cancelled}");
    assert!(cancelled.is_retryable());
    assert_eq!(repository.snapshots().await.unwrap(), []);
    let sound = repository
        .check(ReadData::All, &Control::default())
        .await
        .unwrap();
    assert!(sound.sound, "{sound:?}");

    let copied = repository
        .back_up(&source, &again(), &Control::default())
        .await
        .unwrap();
    assert!(
        copied.snapshot.added < ALL - (20 << 20),
        "all was sent again: {copied:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_future_that_is_dropped_does_nothing_more() {
    let (_dir, store) = directory().await;
    let from = tempfile::tempdir().unwrap();
    fill(from.path());
    let held = Mortal::immortal(store.clone());
    let repository = repository(held.clone()).await;
    let go = held.hold("/snapshots/");
    let (source, control, how) = (
        Source::Directory(from.path().to_owned()),
        Control::default(),
        options(),
    );
    let until = async {
        while !held.is_held() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = repository.back_up(&source, &how, &control) => panic!("it is held"),
        () = until => {}
    }
    assert!(
        !control.cancel.is_cancelled(),
        "the caller's own is not touched"
    );
    // What is held hears of it first.
    tokio::time::sleep(Duration::from_millis(300)).await;
    go.notify_one();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(repository.snapshots().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_cancelled_goes_on_where_it_was() {
    let (_, _, store) = bucket().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(from.path());
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    let target = Target::Directory(to.path().to_owned());
    let (how, control) = (RestoreOptions::default(), Control::default());
    let stop = async {
        while control.progress.done() < 40 << 20 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        control.cancel.cancel();
    };
    let restored = repository.restore(copied.snapshot.id, &target, &how, &control);
    let (cancelled, ()) = tokio::join!(restored, stop);
    assert!(
        matches!(cancelled, Err(FileError::Cancelled)),
        "{cancelled:?}"
    );
    let again = restore(&repository, &copied, to.path()).await;
    assert!(again.problems.is_empty(), "{again:?}");
    assert!(again.kept >= 30 << 20, "begins from the start: {again:?}");
    assert_eq!(again.kept + again.written, ALL);
    assert_same(from.path(), to.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_copies_at_a_time_are_all_complete() {
    let (_, _, store) = bucket().await;
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    for (n, folder) in folders.iter().enumerate() {
        // Most of it is in all of them.
        fs::write(folder.path().join("same"), noise(1, 20 << 20)).unwrap();
        fs::write(folder.path().join("own"), noise(n as u64 + 2, 3 << 20)).unwrap();
    }
    let repository = repository(store).await;
    let copies = folders.iter().enumerate().map(|(n, folder)| {
        let (repository, source) = (repository.clone(), Source::Directory(folder.path().into()));
        let name = format!("/shop/data-{n}");
        let how = BackupOptions { name, ..options() };
        async move {
            repository
                .back_up(&source, &how, &Control::default())
                .await
                .unwrap()
        }
    });
    let copies = futures::future::join_all(copies).await;
    let sound = repository
        .check(ReadData::All, &Control::default())
        .await
        .unwrap();
    assert!(sound.sound, "{sound:?}");
    for (copied, folder) in copies.iter().zip(&folders) {
        let to = tempfile::tempdir().unwrap();
        assert!(
            restore(&repository, copied, to.path())
                .await
                .problems
                .is_empty()
        );
        assert_same(folder.path(), to.path());
    }
}
