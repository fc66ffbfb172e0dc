//! Passwords of repositories.

use std::fs;

use ark_testkit::restic::Restic;
use ark_volume::file::{FileError, MasterKey, Password, Repository};
use tokio::task::block_in_place;

use crate::store::{bucket, directory};
use crate::{PASSWORD, PREFIX, copy, repository, restore};

fn opens(result: &Result<Repository, FileError>) -> bool {
    match result {
        Ok(_) => true,
        Err(FileError::WrongPassword { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_and_the_old_one_opens_nothing() {
    let (name, access, store) = bucket().await;
    let repository = repository(store.clone()).await;
    let (old, new) = (Password::new(PASSWORD), Password::new("  new one\n"));
    let open = async |password| Repository::open(store.clone(), PREFIX, password).await;
    repository
        .add_password(&Password::new("for a moment"))
        .await
        .unwrap();
    assert_eq!(repository.keys().await.unwrap().len(), 2);
    assert!(!opens(&open(&new).await));
    repository.rotate_password(&new).await.unwrap();
    assert!(opens(&open(&new).await));
    let refused = open(&old).await;
    assert!(!opens(&refused));
    let said = refused.err().unwrap().to_string();
    assert_eq!(
        said,
        "none of the 1 keys of the repository below `restic/shop/` opens with this password; \
         take the one that the repository was made with or was given since"
    );
    let keys = repository.keys().await.unwrap();
    assert_eq!((keys.len(), keys[0].host.as_deref()), (1, Some("ark")));
    assert!(keys[0].created.is_some());
    block_in_place(|| {
        let prefix = PREFIX.trim_end_matches('/');
        let new = Restic::in_bucket(access, &name, prefix, "new one").unwrap();
        new.run(&["snapshots"]).unwrap();
        let old = Restic::in_bucket(access, &name, prefix, PASSWORD).unwrap();
        let refused = old.run(&["snapshots"]).unwrap_err().to_string();
        assert!(refused.contains("wrong password"), "{refused}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_opens_without_a_password_and_is_never_shown() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(from.path().join("a"), "a").unwrap();
    let first = repository(store.clone()).await;
    let copied = copy(&first, from.path()).await;
    let json = first.master_key().to_json().unwrap();
    let key = MasterKey::from_json(&json).unwrap();
    let again = Repository::open_with_master_key(store.clone(), PREFIX, key)
        .await
        .unwrap();
    restore(&again, &copied, to.path()).await;
    assert_eq!(fs::read(to.path().join("a")).unwrap(), b"a");
    assert_eq!(format!("{:?}", again.master_key()), "MasterKey(…)");
    assert_eq!(format!("{:?}", Password::new(PASSWORD)), "Password(…)");

    let (_other, elsewhere) = directory().await;
    let other = repository(elsewhere).await.master_key().clone();
    assert!(
        Repository::open_with_master_key(store, PREFIX, other)
            .await
            .is_err()
    );
    assert!(MasterKey::from_json("{}").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_make_a_repository_one_does() {
    let (_, _, store) = bucket().await;
    let (one, other) = tokio::join!(repository(store.clone()), repository(store.clone()));
    let key = |repository: &Repository| repository.master_key().to_json().unwrap();
    assert_eq!(key(&one), key(&other));
    assert_eq!(
        one.keys().await.unwrap().len(),
        1,
        "the other's key is gone"
    );
}

/// What somebody leaves who dies between the key and the rest of a repository.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_opens_nothing_does_no_harm() {
    let (dead, elsewhere) = directory().await;
    repository(elsewhere).await;
    let (dir, store) = directory().await;
    let keys = dir.path().join(PREFIX).join("keys");
    fs::create_dir_all(&keys).unwrap();
    for key in fs::read_dir(dead.path().join(PREFIX).join("keys")).unwrap() {
        let key = key.unwrap();
        fs::copy(key.path(), keys.join(key.file_name())).unwrap();
    }
    let missing = Repository::open(store.clone(), PREFIX, &Password::new(PASSWORD)).await;
    assert!(matches!(missing, Err(FileError::NoRepository(prefix)) if prefix == PREFIX));
    let made = repository(store.clone()).await;
    assert_eq!(made.keys().await.unwrap().len(), 2);
    let opened = repository(store).await;
    assert_eq!(
        opened.master_key().to_json().unwrap(),
        made.master_key().to_json().unwrap()
    );
}
