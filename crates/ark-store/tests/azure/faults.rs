//! Behind a proxy that breaks connections: what passes is repeated, and what stays is
//! told.

use std::sync::Arc;

use ark_engine::port::{PutMode, Store, StoreErrorKind};
use ark_store::conformance::pattern;
use ark_testkit::azure::{ACCOUNT, BlobServer};
use ark_testkit::fault::{Fault, FaultProxy, Rule};

use crate::container::location;

async fn broken() -> (FaultProxy, Arc<dyn Store>) {
    let server = BlobServer::shared();
    let proxy = FaultProxy::start(&format!("http://{}", server.authority())).unwrap();
    let container = server.create_unique_container("faults").unwrap();
    let endpoint = format!("{}/{ACCOUNT}", proxy.url());
    let store = ark_store::open(&location(&endpoint, &container)).await;
    (proxy, store.unwrap())
}

#[tokio::test]
async fn passing_faults_are_repeated() {
    let (proxy, store) = broken().await;
    let faults = [
        Fault::Reset,
        Fault::ResetUpload(1 << 19),
        Fault::InternalError,
        Fault::SlowDown,
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let again = || proxy.set([Rule::new("", fault).first(2)]);
        let key = format!("k/{number}");
        let body = pattern(1, 3 << 20);
        again();
        store
            .put(&key, body.clone(), PutMode::Create)
            .await
            .unwrap();
        again();
        assert_eq!(store.read(&key, 4 << 20).await.unwrap(), body, "{fault:?}");
        again();
        let mut upload = store
            .upload(&format!("up/{number}"), PutMode::Create)
            .await
            .unwrap();
        upload.write(body.clone()).await.unwrap();
        upload.finish().await.unwrap();
        again();
        store.delete(&[key]).await.unwrap();
    }
    assert!(proxy.faults() >= 20, "{} faults", proxy.faults());
}

#[tokio::test]
async fn an_answer_that_is_lost_does_not_make_two_writers() {
    let (proxy, store) = broken().await;
    let body = pattern(1, 1000);
    // The server has written it; nobody heard.
    proxy.set([Rule::new("/k", Fault::ResetUpload(u64::MAX))
        .method("PUT")
        .first(1)]);
    store.put("k", body.clone(), PutMode::Create).await.unwrap();
    assert_eq!(proxy.count("PUT", "/k"), 2);
    let again = store.put("k", body.clone(), PutMode::Create).await;
    assert_eq!(again.unwrap_err().kind, StoreErrorKind::AlreadyExists);

    // The same of the list of blocks that makes an upload an object.
    let end = Rule::new("comp=blocklist", Fault::ResetUpload(u64::MAX)).first(1);
    proxy.set([end]);
    let mut upload = store.upload("large", PutMode::Create).await.unwrap();
    upload.write(pattern(1, 3 << 20)).await.unwrap();
    upload.finish().await.unwrap();
    assert_eq!(proxy.count("PUT", "comp=blocklist"), 2);
}

#[tokio::test]
async fn what_does_not_pass_is_told() {
    let (proxy, store) = broken().await;
    proxy.set([Rule::new("", Fault::SlowDown)]);
    let put = store.put("k", pattern(1, 10), PutMode::Create).await;
    assert_eq!(put.unwrap_err().kind, StoreErrorKind::Unavailable);
}
