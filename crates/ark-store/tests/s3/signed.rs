//! Signed URLs, fetched by a client that knows nothing else.

use std::time::Duration;

use ark_engine::port::{PutMode, StoreErrorKind};
use ark_store::conformance::pattern;
use ark_testkit::fault::FaultProxy;

use crate::bucket::{create, location};

async fn get(url: &str) -> (u16, Vec<u8>) {
    ark_store::install_tls();
    let answer = reqwest::get(url).await.unwrap();
    (
        answer.status().as_u16(),
        answer.bytes().await.unwrap().to_vec(),
    )
}

#[tokio::test]
async fn they_read_one_object_for_a_while() {
    let (server, bucket) = create("signed");
    let store = ark_store::open(&location(server.access(), &bucket))
        .await
        .unwrap();
    for key in ["plain", "odd ü/a+b?c=d&e#f%2F"] {
        let body = pattern(1, 10_000);
        store.put(key, body.clone(), PutMode::Create).await.unwrap();
        let url = store.sign(key, Duration::from_mins(1)).await.unwrap();
        assert_eq!(get(&url).await, (200, body.to_vec()), "{key}");
        let (unsigned, _) = url.split_once('?').unwrap();
        assert_eq!(get(unsigned).await.0, 403, "{key}: without the signature");
    }
    let url = store.sign("plain", Duration::from_mins(1)).await.unwrap();
    assert_eq!(
        get(&url.replace("/plain?", "/other?")).await.0,
        403,
        "for another object"
    );
    let url = store.sign("plain", Duration::from_secs(1)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(get(&url).await.0, 403, "after its time");
}

#[tokio::test]
async fn they_name_the_public_host_and_last_seven_days_at_most() {
    let (server, bucket) = create("public");
    let mut location = location(server.access(), &bucket);
    let public = FaultProxy::start(&server.access().endpoint).unwrap();
    location.config.insert("publicUrl".to_owned(), public.url());
    let store = ark_store::open(&location).await.unwrap();
    let body = pattern(2, 10);
    store.put("k", body.clone(), PutMode::Create).await.unwrap();
    assert_eq!(public.requests(), [], "own calls go to s3Url");
    let url = store.sign("k", Duration::from_mins(1)).await.unwrap();
    assert!(url.starts_with(&public.url()), "{url}");
    assert_eq!(get(&url).await, (200, body.to_vec()));
    assert_eq!(public.count("GET", "/k"), 1);

    let eight_days = Duration::from_hours(8 * 24);
    let error = store.sign("k", eight_days).await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unsupported);
}
