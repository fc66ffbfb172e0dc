//! Repositories that lost something.

use std::fs;
use std::path::{Path, PathBuf};

use ark_volume::file::{Control, Copied, ReadData, Repository};
use tempfile::TempDir;

use crate::store::directory;
use crate::{PREFIX, copy, noise, repository, restore};

/// A repository in a directory with a copy of two files, each in packs of its own.
async fn two_files() -> (TempDir, Repository, Copied) {
    let (dir, store) = directory().await;
    let from = tempfile::tempdir().unwrap();
    let repository = repository(store).await;
    fs::write(from.path().join("one"), noise(1, 25 << 20)).unwrap();
    copy(&repository, from.path()).await;
    fs::write(from.path().join("other"), noise(2, 2 << 20)).unwrap();
    let copied = copy(&repository, from.path()).await;
    (dir, repository, copied)
}

/// The packs with data of a repository, the largest first.
fn packs(dir: &TempDir) -> Vec<PathBuf> {
    let root = dir.path().join(PREFIX).join("data");
    let mut packs = Vec::new();
    for folder in fs::read_dir(root).unwrap() {
        for pack in fs::read_dir(folder.unwrap().path()).unwrap() {
            packs.push(pack.unwrap().path());
        }
    }
    packs.sort_by_key(|pack| std::cmp::Reverse(fs::metadata(pack).unwrap().len()));
    packs
}

fn change(path: &Path, how: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    how(&mut bytes);
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

async fn check(repository: &Repository, read: ReadData) -> (bool, String) {
    let checked = repository.check(read, &Control::default()).await.unwrap();
    (checked.sound, checked.findings.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_that_flipped_is_found_and_costs_only_the_file_that_it_is_in() {
    let (dir, repository, copied) = two_files().await;
    let to = tempfile::tempdir().unwrap();
    assert!(check(&repository, ReadData::All).await.0);
    change(&packs(&dir)[0], |bytes| bytes[10 << 20] ^= 1);
    assert!(
        check(&repository, ReadData::None).await.0,
        "all packs are there"
    );
    let (sound, said) = check(&repository, ReadData::All).await;
    assert!(!sound, "{said}");

    let restored = restore(&repository, &copied, to.path()).await;
    let problems = restored.problems;
    assert_eq!(problems.count, 1, "{problems:?}");
    assert_eq!(problems.first[0].path, Path::new("one"));
    assert!(
        problems.first[0].what.starts_with("it is not complete"),
        "{problems:?}"
    );
    assert_eq!(
        fs::read(to.path().join("other")).unwrap(),
        noise(2, 2 << 20)
    );
    // All but the chunk with the bit in it.
    let (is, was) = (fs::read(to.path().join("one")).unwrap(), noise(1, 25 << 20));
    let lost = is.iter().zip(&was).filter(|(is, was)| is != was).count();
    assert!(
        is.len() == was.len() && lost > 0 && lost <= 8 << 20,
        "{lost} bytes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_is_gone_or_cut_short_is_found_without_reading() {
    for cut in [None, Some(1 << 20)] {
        let (dir, repository, copied) = two_files().await;
        let to = tempfile::tempdir().unwrap();
        let pack = &packs(&dir)[0];
        match cut {
            None => fs::remove_file(pack).unwrap(),
            Some(length) => change(pack, |bytes| bytes.truncate(length)),
        }
        let (sound, said) = check(&repository, ReadData::None).await;
        assert!(!sound, "{said}");
        let restored = restore(&repository, &copied, to.path()).await;
        let named: Vec<_> = restored
            .problems
            .first
            .iter()
            .map(|one| &*one.path)
            .collect();
        assert_eq!(named, [Path::new("one")]);
        assert_eq!(
            fs::read(to.path().join("other")).unwrap(),
            noise(2, 2 << 20)
        );
    }
}

/// A copy of what was lost makes the older snapshots whole again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_lost_is_sent_again_when_it_is_still_there() {
    let (dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let repository = repository(store).await;
    fs::write(from.path().join("one"), noise(1, 5 << 20)).unwrap();
    let first = copy(&repository, from.path()).await;
    fs::remove_file(&packs(&dir)[0]).unwrap();
    let (source, control) = (
        ark_volume::file::Source::Directory(from.path().to_owned()),
        Control::default(),
    );
    let how = ark_volume::file::BackupOptions {
        resume: true,
        ..crate::options()
    };
    repository.back_up(&source, &how, &control).await.unwrap();
    assert!(check(&repository, ReadData::All).await.0);
    assert!(
        restore(&repository, &first, to.path())
            .await
            .problems
            .is_empty()
    );
    assert_eq!(fs::read(to.path().join("one")).unwrap(), noise(1, 5 << 20));
}
