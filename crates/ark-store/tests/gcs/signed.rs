//! Signed URLs. The emulator takes any signature, so what it answers shows that the
//! URL names the object; the signature itself is checked by its parts.

use std::time::Duration;

use ark_engine::port::{PutMode, StoreErrorKind};
use ark_store::conformance::pattern;
use ark_testkit::gcs::GcsServer;
use ark_testkit::tokens::TokenServer;

use crate::bucket::location;
use crate::credentials::account;

#[tokio::test]
async fn they_read_one_object() {
    let server = GcsServer::shared();
    let tokens = TokenServer::start("t").unwrap();
    let bucket = server.create_unique_bucket("signed").unwrap();
    let mut location = location(&server.endpoint(), &bucket);
    location.credentials = account(&tokens);
    let store = ark_store::open(&location).await.unwrap();
    for key in ["plain", "odd ü/a+b#f%2F"] {
        let body = pattern(1, 10_000);
        store.put(key, body.clone(), PutMode::Create).await.unwrap();
        let url = store.sign(key, Duration::from_mins(1)).await.unwrap();
        for part in [
            "X-Goog-Algorithm=GOOG4-RSA-SHA256",
            "X-Goog-Credential=ark%40project.iam.gserviceaccount.com",
            "X-Goog-Expires=60",
            "X-Goog-Signature=",
        ] {
            assert!(url.contains(part), "{part} in {url}");
        }
        let answer = reqwest::get(&url).await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
        assert_eq!(answer.bytes().await.unwrap(), body, "{key}");
    }
}

#[tokio::test]
async fn nobody_signs_for_nobody() {
    let location = location("http://127.0.0.1:1", "bucket");
    let store = ark_store::open(&location).await.unwrap();
    let refused = store.sign("k", Duration::from_mins(1)).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Unsupported);
}
