//! A server that says when to come back is listened to.

use std::time::{Duration, Instant};

use ark_engine::port::PutMode;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::bucket::{create, location};

const OVERLOADED: &str =
    "HTTP/1.1 503 Slow Down\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const DONE: &str =
    "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn it_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        for answer in [OVERLOADED, DONE] {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut head = [0; 8192];
            let _ = client.read(&mut head).await.unwrap();
            client.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let (shared, bucket) = create("retry-after");
    let access = shared.access().through(&format!("http://{address}"));
    let store = ark_store::open(&location(&access, &bucket)).await.unwrap();
    let started = Instant::now();
    store.put("k", Bytes::new(), PutMode::Create).await.unwrap();
    assert!(
        started.elapsed() >= Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    server.await.unwrap();
}
