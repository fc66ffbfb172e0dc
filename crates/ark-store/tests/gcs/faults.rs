//! Behind a proxy that breaks connections: what passes is repeated, what was begun
//! goes on where it stood, and what stays is told.

use std::sync::Arc;

use ark_engine::port::{PutMode, Store, StoreErrorKind};
use ark_store::conformance::pattern;
use ark_testkit::fault::{Fault, FaultProxy, Rule};
use ark_testkit::gcs::GcsServer;

use crate::bucket::location;

/// A store behind a proxy; uploads go on straight at the server, which tells its own
/// address for them.
async fn broken() -> (FaultProxy, Arc<dyn Store>) {
    let server = GcsServer::shared();
    let proxy = FaultProxy::start(&server.endpoint()).unwrap();
    let bucket = server.create_unique_bucket("faults").unwrap();
    let store = ark_store::open(&location(&proxy.url(), &bucket)).await;
    (proxy, store.unwrap())
}

#[tokio::test]
async fn passing_faults_are_repeated() {
    let (proxy, store) = broken().await;
    for (number, fault) in [
        Fault::Reset,
        Fault::ResetUpload(1 << 20),
        Fault::InternalError,
        Fault::SlowDown,
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("k/{number}");
        let body = pattern(1, 100_000);
        proxy.set([Rule::new("", fault).first(2)]);
        store
            .put(&key, body.clone(), PutMode::Create)
            .await
            .unwrap();
        proxy.set([Rule::new("", fault).first(2)]);
        assert_eq!(store.read(&key, 1 << 20).await.unwrap(), body, "{fault:?}");
        proxy.set([Rule::new("", fault).first(2)]);
        let mut upload = store
            .upload(&format!("up/{number}"), PutMode::Create)
            .await
            .unwrap();
        upload.write(body.clone()).await.unwrap();
        upload.finish().await.unwrap();
        proxy.set([Rule::new("", fault).first(2)]);
        store.delete(&[key]).await.unwrap();
    }
    assert!(proxy.faults() >= 20, "{} faults", proxy.faults());
}

#[tokio::test]
async fn an_answer_that_is_lost_does_not_make_two_writers() {
    let (proxy, store) = broken().await;
    let body = pattern(1, 1000);
    // The server has written it; nobody heard.
    proxy.set([Rule::new("uploadType", Fault::ResetDownload(0)).first(1)]);
    store.put("k", body.clone(), PutMode::Create).await.unwrap();
    assert_eq!(proxy.count("POST", "uploadType"), 2);
    let again = store.put("k", body, PutMode::Create).await.unwrap_err();
    assert_eq!(again.kind, StoreErrorKind::AlreadyExists);
}

#[tokio::test]
async fn a_download_that_breaks_off_is_resumed() {
    let (proxy, store) = broken().await;
    let body = pattern(1, 3 << 20);
    store.put("k", body.clone(), PutMode::Create).await.unwrap();
    proxy.set([Rule::new("alt=media", Fault::Truncate(1 << 20)).first(1)]);
    assert_eq!(store.read("k", 4 << 20).await.unwrap(), body);
    assert!(proxy.faults() > 0);
}

#[tokio::test]
async fn what_does_not_pass_is_told() {
    let (proxy, store) = broken().await;
    proxy.set([Rule::new("", Fault::SlowDown)]);
    let put = store.put("k", pattern(1, 10), PutMode::Create).await;
    assert_eq!(put.unwrap_err().kind, StoreErrorKind::Unavailable);
}
