//! Signed URLs, fetched by a client that knows nothing else.

use std::time::Duration;

use ark_engine::port::PutMode;
use ark_store::conformance::pattern;
use ark_testkit::azure::{ACCOUNT, BlobServer};

use crate::container::location;

/// Asks for the URL at the emulator's address: its host is a name that only the
/// emulator knows.
async fn get(url: &str) -> (u16, Vec<u8>) {
    ark_store::install_tls();
    let url = reqwest::Url::parse(url).unwrap();
    let address = BlobServer::shared().authority().parse().unwrap();
    let client = reqwest::Client::builder()
        .resolve(url.host_str().unwrap(), address)
        .build()
        .unwrap();
    let answer = client.get(url).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn they_read_one_object_for_a_while() {
    let server = BlobServer::shared();
    let container = server.create_unique_container("signed").unwrap();
    let writer = ark_store::open(&location(&server.endpoint(), &container))
        .await
        .unwrap();
    // As Azure has it: the account is in the host. With the account in the path, as
    // emulators have it too, a signature is for another path than theirs.
    let (_, port) = server.authority().split_once(':').unwrap();
    let host = format!("http://{ACCOUNT}.blob.localhost:{port}");
    let signer = ark_store::open(&location(&host, &container)).await.unwrap();
    for key in ["plain", "odd ü/a+b#f%2F"] {
        let body = pattern(1, 10_000);
        writer
            .put(key, body.clone(), PutMode::Create)
            .await
            .unwrap();
        let url = signer.sign(key, Duration::from_mins(1)).await.unwrap();
        assert_eq!(get(&url).await, (200, body.to_vec()), "{url}");
        let (unsigned, _) = url.split_once('?').unwrap();
        assert_ne!(get(unsigned).await.0, 200, "{key}: without the signature");
    }
    let url = signer.sign("plain", Duration::from_mins(1)).await.unwrap();
    let other = url.replace("/plain?", "/other?");
    assert_eq!(get(&other).await.0, 403, "for another object");
    let url = signer.sign("plain", Duration::from_secs(1)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(get(&url).await.0, 403, "after its time");
}
