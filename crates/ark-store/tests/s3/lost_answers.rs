//! A write that the server carried out, while its answer got lost: the repetition is
//! refused, and the writer must still know that it was the one.

use ark_engine::port::{PutMode, StoreErrorKind};
use ark_store::conformance::pattern;
use ark_testkit::fault::{Fault, Rule};
use bytes::Bytes;

use crate::bucket::{Broken, PART};

/// The whole request is passed on, then the connection is reset.
const LOST: Fault = Fault::ResetUpload(u64::MAX);

#[tokio::test]
async fn of_a_create() {
    let broken = Broken::open().await;
    for body in [pattern(1, 1000), Bytes::new()] {
        let key = format!("k{}", body.len());
        broken
            .proxy
            .set([Rule::new(&key, LOST).method("PUT").first(1)]);
        broken
            .store
            .put(&key, body.clone(), PutMode::Create)
            .await
            .unwrap();
        assert_eq!(broken.proxy.count("PUT", &key), 2, "sent twice");
        assert_eq!(broken.direct.read(&key, 1 << 20).await.unwrap(), body);

        let again = broken
            .store
            .put(&key, body, PutMode::Create)
            .await
            .unwrap_err();
        assert_eq!(
            again.kind,
            StoreErrorKind::AlreadyExists,
            "another write is another's"
        );
    }
}

#[tokio::test]
async fn of_a_create_that_another_won_with_the_same_bytes() {
    let broken = Broken::open().await;
    let body = pattern(2, 1000);
    broken
        .direct
        .put("k", body.clone(), PutMode::Create)
        .await
        .unwrap();
    broken
        .proxy
        .set([Rule::new("/k", LOST).method("PUT").first(1)]);
    let lost = broken
        .store
        .put("k", body, PutMode::Create)
        .await
        .unwrap_err();
    assert_eq!(lost.kind, StoreErrorKind::AlreadyExists);
}

#[tokio::test]
async fn of_a_replace() {
    let broken = Broken::open().await;
    let body = pattern(3, 1000);
    broken
        .proxy
        .set([Rule::new("/k", LOST).method("PUT").first(2)]);
    broken
        .store
        .put("k", body.clone(), PutMode::Replace)
        .await
        .unwrap();
    assert_eq!(broken.direct.read("k", 1 << 20).await.unwrap(), body);
}

#[tokio::test]
async fn of_the_end_of_an_upload() {
    let broken = Broken::open().await;
    for (size, mode) in [
        (PART + 1, PutMode::Create),
        (PART + 1, PutMode::Replace),
        (10, PutMode::Create),
    ] {
        let (key, body) = (format!("k{size}{mode:?}"), pattern(4, size));
        broken.proxy.set([
            Rule::new("uploadId=", LOST).method("POST").first(1),
            Rule::new(&key, LOST).method("PUT").first(1),
        ]);
        let before = broken.proxy.faults();
        let mut upload = broken.store.upload(&key, mode).await.unwrap();
        upload.write(body.clone()).await.unwrap();
        upload.finish().await.unwrap();
        assert!(broken.proxy.faults() > before, "no answer was lost");
        assert_eq!(broken.direct.read(&key, 1 << 30).await.unwrap(), body);
        assert_eq!(broken.open_uploads(), 0);
    }
}

#[tokio::test]
async fn of_the_end_of_an_upload_that_another_won() {
    let broken = Broken::open().await;
    let (own, other) = (pattern(5, PART + 1), pattern(6, 10));
    let mut upload = broken.store.upload("k", PutMode::Create).await.unwrap();
    upload.write(own).await.unwrap();
    broken
        .direct
        .put("k", other.clone(), PutMode::Create)
        .await
        .unwrap();
    broken
        .proxy
        .set([Rule::new("uploadId=", LOST).method("POST").first(1)]);
    let lost = upload.finish().await.unwrap_err();
    assert_eq!(lost.kind, StoreErrorKind::AlreadyExists);
    assert_eq!(broken.direct.read("k", 100).await.unwrap(), other);
    assert_eq!(broken.open_uploads(), 0);
}

#[tokio::test]
async fn of_a_deletion() {
    let broken = Broken::open().await;
    let keys = ["a".to_owned(), "b".to_owned()];
    for key in &keys {
        broken
            .direct
            .put(key, Bytes::new(), PutMode::Create)
            .await
            .unwrap();
    }
    broken.proxy.set([Rule::new("", LOST).first(1)]);
    broken.store.delete(&keys).await.unwrap();
    broken.proxy.set([Rule::new("", LOST).first(1)]);
    broken.store.delete(&keys[..1]).await.unwrap();
    assert!(broken.direct.stat("a").await.unwrap().is_none());
}
