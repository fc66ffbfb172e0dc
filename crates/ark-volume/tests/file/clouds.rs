//! From one cloud to another: a repository in each of them, and one that moved.

use std::sync::Arc;

use ark_engine::port::{PutMode, Store};
use ark_store::{Credentials, Location, open};
use ark_testkit::azure::{ACCOUNT, BlobServer, KEY};
use ark_testkit::gcs::GcsServer;
use ark_volume::file::{Control, ReadData};
use futures::TryStreamExt as _;
use tokio::task::block_in_place;

use crate::store::bucket;
use crate::tree::{assert_same, fill};
use crate::{PREFIX, copy, repository, restore};

async fn google() -> Arc<dyn Store> {
    let (bucket, endpoint) = block_in_place(|| {
        let server = GcsServer::shared();
        (
            server.create_unique_bucket("files").unwrap(),
            server.endpoint(),
        )
    });
    let mut location = Location::new("gcp", &bucket);
    location.config.insert("endpoint".to_owned(), endpoint);
    location.credentials = Credentials::Anonymous;
    open(&location).await.unwrap()
}

async fn azure() -> Arc<dyn Store> {
    let (container, endpoint) = block_in_place(|| {
        let server = BlobServer::shared();
        let container = server.create_unique_container("files").unwrap();
        (container, server.endpoint())
    });
    let mut location = Location::new("azure", &container);
    for (key, value) in [
        ("resourceGroup", "backups"),
        ("storageAccount", ACCOUNT),
        ("storageAccountURI", &endpoint),
        ("storageAccountKeyEnvVar", "THE_KEY"),
    ] {
        location.config.insert(key.to_owned(), value.to_owned());
    }
    location.credentials = Credentials::Contents(format!("THE_KEY={KEY}\n").into_bytes());
    open(&location).await.unwrap()
}

/// Carries a repository over, object by object, as any tool for buckets does.
async fn carry(from: &dyn Store, to: &dyn Store) {
    let entries: Vec<_> = from
        .list(PREFIX)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    for entry in entries {
        let bytes = from.read(&entry.key, entry.size).await.unwrap();
        to.put(&entry.key, bytes, PutMode::Create).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_in_one_cloud_is_restored_in_another() {
    let from = tempfile::tempdir().unwrap();
    fill(from.path());
    let (_, _, amazon) = bucket().await;
    let (google, azure) = (google().await, azure().await);
    let first = repository(amazon.clone()).await;
    let copied = copy(&first, from.path()).await;
    for (name, store) in [("google", google), ("azure", azure)] {
        carry(&*amazon, &*store).await;
        let moved = repository(store).await;
        let to = tempfile::tempdir().unwrap();
        let restored = restore(&moved, &copied, to.path()).await;
        assert_eq!(restored.problems.first, [], "{name}");
        assert_same(from.path(), to.path());
        // And goes on there.
        std::fs::write(to.path().join(name), name).unwrap();
        let next = copy(&moved, to.path()).await;
        assert!(
            next.problems.is_empty() && next.snapshot.added < 1 << 20,
            "{next:?}"
        );
        let control = Control::default();
        let checked = moved.check(ReadData::All, &control).await.unwrap();
        assert!(checked.sound, "{name}: {checked:?}");
        moved.forget(&[copied.snapshot.id]).await.unwrap();
        moved.prune_at_once(&control).await.unwrap();
        assert!(
            moved.check(ReadData::All, &control).await.unwrap().sound,
            "{name}"
        );
    }
}
