//! As whom, to which bucket: what works, and what is said when it does not.

use ark_engine::port::{PutMode, StoreErrorKind};
use ark_store::conformance::pattern;
use ark_store::{Credentials, Location};
use ark_testkit::s3::Access;
use bytes::Bytes;

use crate::bucket::{create, location};

fn file(access: &Access) -> String {
    let Access {
        access_key,
        secret_key,
        ..
    } = access;
    format!(
        "[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n\n\
         [backups]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n"
    )
}

async fn kind_of_a_put(location: &Location) -> Option<StoreErrorKind> {
    let store = ark_store::open(location).await.unwrap();
    let put = store.put("k", Bytes::new(), PutMode::Replace).await;
    put.err().map(|error| error.kind)
}

#[tokio::test]
async fn a_profile_of_a_file_and_none_other() {
    let (server, bucket) = create("profile");
    let mut location = location(server.access(), &bucket);
    location.credentials = Credentials::Contents(file(server.access()).into_bytes());
    assert_eq!(kind_of_a_put(&location).await, Some(StoreErrorKind::Denied));
    location
        .config
        .insert("profile".to_owned(), "backups".to_owned());
    assert_eq!(kind_of_a_put(&location).await, None);

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("credentials");
    std::fs::write(&path, file(server.access())).unwrap();
    location.credentials = Credentials::File(path.clone());
    assert_eq!(kind_of_a_put(&location).await, None);

    // The same as a URL of the command line.
    let url = format!(
        "s3://{bucket}/p?region={}&endpoint={}&path_style=true&profile=backups&credentials={}",
        server.access().region,
        server.access().endpoint,
        path.display()
    );
    let store = ark_store::open_url(&url).await.unwrap();
    let body = pattern(1, 10);
    store.put("k", body.clone(), PutMode::Create).await.unwrap();
    location.prefix = String::new();
    let above = ark_store::open(&location).await.unwrap();
    assert_eq!(
        above.read("p/k", 10).await.unwrap(),
        body,
        "the prefix is a folder"
    );
    assert!(
        store.stat("p/k").await.unwrap().is_none(),
        "and nothing outside is seen"
    );
}

#[tokio::test]
async fn wrong_keys_and_none_are_denied_at_once() {
    let (server, bucket) = create("denied");
    let mut location = location(server.access(), &bucket);
    location.credentials = Credentials::Anonymous;
    assert_eq!(kind_of_a_put(&location).await, Some(StoreErrorKind::Denied));
    location.credentials = Credentials::Keys {
        access_key: server.access().access_key.clone(),
        secret_key: "wrong".to_owned(),
        session_token: None,
    };
    let store = ark_store::open(&location).await.unwrap();
    let kinds = [
        store.put("k", Bytes::new(), PutMode::Create).await.err(),
        store.read("k", 1).await.err(),
        store.list_dirs("").await.err(),
        store.delete(&["k".to_owned()]).await.err(),
    ]
    .map(|error| error.map(|error| error.kind));
    assert_eq!(kinds, [Some(StoreErrorKind::Denied); 4]);
}

#[tokio::test]
async fn a_missing_bucket_is_named_never_taken_for_missing_objects() {
    let (server, _) = create("missing");
    let store = ark_store::open(&location(server.access(), "no-such-bucket"))
        .await
        .unwrap();
    let kinds = [
        store.put("k", Bytes::new(), PutMode::Create).await.err(),
        store.read("k", 1).await.err(),
        store.stat("k").await.err(),
        store.stream("k").await.err(),
        store.list_dirs("").await.err(),
    ]
    .map(|error| error.map(|error| error.kind));
    assert_eq!(kinds, [Some(StoreErrorKind::BucketNotFound); 5]);
}

#[tokio::test]
async fn encryption_at_rest() {
    let (server, bucket) = create("encryption");
    let body = pattern(2, 10_000);
    for (number, config) in [
        &[("serverSideEncryption", "AES256")][..],
        &[("kmsKeyId", "some-key")],
        &[("customerKeyEncryptionSecret", "secret/key")],
    ]
    .into_iter()
    .enumerate()
    {
        let mut location = location(server.access(), &bucket);
        location.customer_key = Some(vec![7; 32]);
        for (key, value) in config {
            location
                .config
                .insert((*key).to_owned(), (*value).to_owned());
        }
        let store = ark_store::open(&location).await.unwrap();
        let key = format!("k{number}");
        store
            .put(&key, body.clone(), PutMode::Create)
            .await
            .unwrap();
        assert_eq!(store.read(&key, 1 << 20).await.unwrap(), body, "{config:?}");
        let plain = ark_store::open(&self::location(server.access(), &bucket))
            .await
            .unwrap();
        let without_key = plain.read(&key, 1 << 20).await;
        let customer = config[0].0.starts_with("customer");
        assert_eq!(without_key.is_err(), customer, "{config:?}");
        if customer {
            let minute = std::time::Duration::from_mins(1);
            let error = store.sign(&key, minute).await.unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Unsupported);
        }
    }
}

#[tokio::test]
async fn without_a_region_the_server_is_asked_and_a_default_does() {
    let (server, bucket) = create("region");
    let mut location = location(server.access(), &bucket);
    location.config.remove("region");
    assert_eq!(kind_of_a_put(&location).await, None);
}
