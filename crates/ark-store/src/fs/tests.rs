//! What only a directory can get wrong.

use std::os::unix::fs::symlink;
use std::time::SystemTime;

use futures::TryStreamExt as _;

use super::*;
use crate::key::UNFINISHED;

struct Fixture {
    dir: tempfile::TempDir,
    store: Arc<dyn Store>,
}

async fn fixture(prefix: &str) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let mut location = Location::new("fs", dir.path().to_str().unwrap());
    prefix.clone_into(&mut location.prefix);
    let store = crate::open(&location).await.unwrap();
    Fixture { dir, store }
}

async fn keys(store: &dyn Store, prefix: &str) -> Vec<String> {
    let entries: Vec<_> = store
        .list(prefix)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    entries.into_iter().map(|entry| entry.key).collect()
}

fn body() -> Bytes {
    Bytes::from_static(b"body")
}

#[tokio::test]
async fn a_missing_directory_is_no_empty_one() {
    let Fixture { dir, store } = fixture("p").await;
    store.put("a", body(), PutMode::Create).await.unwrap();
    let path = dir.path().to_owned();
    drop(dir);
    for kind in [
        store.list("").await.err().unwrap().kind,
        store.list_dirs("").await.err().unwrap().kind,
        store.stat("a").await.err().unwrap().kind,
        store.read("a", 9).await.err().unwrap().kind,
        store.delete(&["a".to_owned()]).await.err().unwrap().kind,
        store
            .put("a", body(), PutMode::Replace)
            .await
            .err()
            .unwrap()
            .kind,
    ] {
        assert_eq!(kind, StoreErrorKind::BucketNotFound);
    }
    assert!(!path.exists(), "a write must not make the bucket");
    let error = crate::open_url(path.to_str().unwrap()).await.err().unwrap();
    assert_eq!(error.kind(), StoreErrorKind::BucketNotFound);
    assert!(error.to_string().contains("create it first"));
}

#[tokio::test]
async fn no_config_keys_and_absolute_paths_only() {
    let mut location = Location::new("fs", "relative");
    let error = crate::open(&location).await.err().unwrap().to_string();
    assert!(error.contains("absolute"), "{error}");
    location.config.insert("region".to_owned(), "x".to_owned());
    let error = crate::open(&location).await.err().unwrap().to_string();
    assert!(error.contains("no config key `region`"), "{error}");
}

#[tokio::test]
async fn an_upload_is_never_seen_before_its_end() {
    let Fixture { dir, store } = fixture("").await;
    let mut upload = store
        .upload("backups/x/tar", PutMode::Create)
        .await
        .unwrap();
    upload.write(body()).await.unwrap();
    assert_eq!(keys(&*store, "").await, [""; 0]);
    let hidden = std::fs::read_dir(dir.path().join("backups/x"))
        .unwrap()
        .count();
    assert_eq!(hidden, 1, "beside its target, on the same file system");
    drop(upload);
    let left = std::fs::read_dir(dir.path().join("backups/x"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_a_dead_writer_left_is_hidden_and_goes_after_a_day() {
    let Fixture { dir, store } = fixture("").await;
    let folder = dir.path().join("d");
    std::fs::create_dir(&folder).unwrap();
    let (old, young) = (
        folder.join(format!("{UNFINISHED}1")),
        folder.join(format!("{UNFINISHED}2")),
    );
    for (path, hours) in [(&old, 25), (&young, 23)] {
        let file = File::create(path).unwrap();
        let now = file.metadata().unwrap().modified().unwrap();
        let then: SystemTime = now - Duration::from_secs(hours * 3600);
        file.set_modified(then).unwrap();
    }
    assert_eq!(keys(&*store, "").await, [""; 0]);
    store.put("d/a", body(), PutMode::Create).await.unwrap();
    assert!(!old.exists() && young.exists());
}

#[tokio::test]
async fn links_are_no_objects() {
    let Fixture { dir, store } = fixture("").await;
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    symlink(outside.path().join("secret"), dir.path().join("link")).unwrap();
    symlink(outside.path(), dir.path().join("folder")).unwrap();
    assert_eq!(keys(&*store, "").await, [""; 0]);
    assert_eq!(store.list_dirs("").await.unwrap(), [""; 0]);
    assert_eq!(store.stat("link").await.unwrap(), None);
    assert_eq!(
        store.read("link", 9).await.err().unwrap().kind,
        StoreErrorKind::NotFound
    );
}

#[tokio::test]
async fn empty_folders_go_with_their_last_object_but_never_the_base() {
    let Fixture { dir, store } = fixture("p").await;
    for key in ["a/b/c", "a/d"] {
        store.put(key, body(), PutMode::Create).await.unwrap();
    }
    store.delete(&["a/b/c".to_owned()]).await.unwrap();
    assert!(!dir.path().join("p/a/b").exists() && dir.path().join("p/a").exists());
    store.delete(&["a/d".to_owned()]).await.unwrap();
    assert!(!dir.path().join("p/a").exists() && dir.path().join("p").exists());
}

#[tokio::test]
async fn a_link_to_the_bucket_is_the_bucket() {
    let Fixture { dir, store } = fixture("").await;
    store.put("a", body(), PutMode::Create).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link");
    symlink(dir.path(), &link).unwrap();
    let same = crate::open_url(link.to_str().unwrap()).await.unwrap();
    assert_eq!(keys(&*same, "").await, ["a"]);
}
