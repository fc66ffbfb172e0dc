//! Tags on what is written.

use ark_engine::port::{PutMode, Store};
use ark_testkit::http;
use bytes::Bytes;

use crate::bucket::{PART, create, location};
use crate::quirks::LookAlike;

async fn write(store: &dyn Store) {
    store
        .put("small", Bytes::from("x"), PutMode::Create)
        .await
        .unwrap();
    let mut upload = store.upload("parts", PutMode::Create).await.unwrap();
    upload.write(Bytes::from(vec![7; PART + 1])).await.unwrap();
    upload.finish().await.unwrap();
}

#[tokio::test]
async fn a_server_that_checks_signatures_takes_them() {
    let (server, bucket) = create("tagged");
    let mut location = location(server.access(), &bucket);
    location
        .config
        .insert("tagging".to_owned(), "team=shop&cost=a b".to_owned());
    let store = ark_store::open(&location).await.unwrap();
    write(store.as_ref()).await;
    assert_eq!(store.read("small", 9).await.unwrap(), "x");
    let parts = store.stat("parts").await.unwrap().unwrap();
    assert_eq!(parts.size, PART as u64 + 1);
}

#[tokio::test]
async fn each_object_has_them() {
    let mut server = LookAlike::new([]);
    server
        .location
        .config
        .insert("tagging".to_owned(), "team=shop&cost=a b".to_owned());
    let store = ark_store::open(&server.location).await.unwrap();
    write(store.as_ref()).await;
    let endpoint = server.proxy.url();
    let authority = endpoint.strip_prefix("http://").unwrap();
    // Somebody's, whom the server believes.
    let signature = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, \
                     SignedHeaders=host, Signature=0";
    let headers = [("Host", authority), ("Authorization", signature)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for key in ["small", "parts"] {
        let target = format!("/{}/{key}?tagging", server.location.bucket);
        let answer = http::request(authority, "GET", &target, &headers, b"").unwrap();
        let text = String::from_utf8(answer.body).unwrap();
        let squeezed: String = text.lines().map(str::trim).collect();
        for tag in [
            "<Key>team</Key><Value>shop</Value>",
            "<Key>cost</Key><Value>a b</Value>",
        ] {
            assert!(squeezed.contains(tag), "{key}: {text}");
        }
    }
}
