//! The suite against a directory.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::PutMode;
use ark_store::conformance::{Subject, pattern};
use ark_store::conformance_tests;

async fn open() -> Subject {
    let dir = tempfile::tempdir().unwrap();
    let store = ark_store::open_url(dir.path().to_str().unwrap())
        .await
        .unwrap();
    Subject {
        store,
        part_size: 1 << 20,
        atomic_completion: true,
        forgets_uploads: true,
        keep: Arc::new(dir),
    }
}

conformance_tests!(open);

#[tokio::test]
async fn a_signed_url_is_the_files_address() {
    let subject = open().await;
    let (key, body) = ("a b/ü", pattern(1, 1000));
    subject
        .store
        .put(key, body.clone(), PutMode::Create)
        .await
        .unwrap();
    let url = subject
        .store
        .sign(key, Duration::from_secs(1))
        .await
        .unwrap();
    let path = url::Url::parse(&url).unwrap().to_file_path().unwrap();
    assert_eq!(std::fs::read(path).unwrap(), body);
}
