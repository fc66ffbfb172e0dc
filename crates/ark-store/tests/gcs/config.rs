//! The config keys, and what else can be wrong with a location.

use ark_engine::port::{PutMode, StoreErrorKind};
use ark_store::conformance::pattern;
use ark_testkit::fault::FaultProxy;
use ark_testkit::gcs::GcsServer;
use bytes::Bytes;

use crate::bucket::location;

const KEY: &str = "projects/p/locations/eu/keyRings/r/cryptoKeys/k";

/// The emulator looks at no keys of KMS, so the requests are looked at.
#[tokio::test]
async fn every_object_is_written_under_the_key() {
    let server = GcsServer::shared();
    let proxy = FaultProxy::start(&server.endpoint()).unwrap();
    let bucket = server.create_unique_bucket("kms").unwrap();
    let mut location = location(&proxy.url(), &bucket);
    location
        .config
        .insert("kmsKeyName".to_owned(), KEY.to_owned());
    let store = ark_store::open(&location).await.unwrap();
    store
        .put("small", Bytes::new(), PutMode::Create)
        .await
        .unwrap();
    let mut upload = store.upload("large", PutMode::Create).await.unwrap();
    upload.write(pattern(1, 9 << 20)).await.unwrap();
    upload.finish().await.unwrap();
    let begun: Vec<_> = proxy
        .requests()
        .into_iter()
        .filter(|request| request.method == "POST")
        .collect();
    assert_eq!(begun.len(), 2, "{begun:?}");
    let named = "kmsKeyName=projects%2Fp%2Flocations%2Feu%2FkeyRings%2Fr%2FcryptoKeys%2Fk";
    assert!(begun.iter().all(|request| request.target.contains(named)));
    assert_eq!(store.read("small", 1).await.unwrap(), "");
}

#[tokio::test]
async fn wrong_keys_are_refused_with_what_is_right() {
    for (key, value, told) in [
        ("kmsKeyName", "k", "cryptoKeys/K"),
        ("endpoint", "storage", "not a URL"),
        ("region", "eu", "kmsKeyName"),
    ] {
        let mut location = location("http://127.0.0.1:1", "bucket");
        location.config.insert(key.to_owned(), value.to_owned());
        let refused = ark_store::open(&location).await.err().unwrap();
        assert_eq!(refused.kind(), StoreErrorKind::Config);
        let text = refused.to_string();
        assert!(text.contains(key) && text.contains(told), "{text}");
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told() {
    let location = location(&GcsServer::shared().endpoint(), "no-such-bucket");
    let store = ark_store::open(&location).await.unwrap();
    let put = store.put("k", Bytes::new(), PutMode::Create).await;
    assert_eq!(put.unwrap_err().kind, StoreErrorKind::BucketNotFound);
    let listed = store.list_dirs("backups").await;
    assert_eq!(listed.unwrap_err().kind, StoreErrorKind::BucketNotFound);
    let read = store.stat("k").await;
    assert_eq!(read.unwrap_err().kind, StoreErrorKind::BucketNotFound);
}
