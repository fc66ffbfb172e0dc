//! Servers that speak S3's protocol, but not all of it.

use std::sync::OnceLock;

use ark_engine::port::{PutMode, Store, StoreErrorKind};
use ark_store::{Credentials, Lack, Location, Tried, open_tried};
use ark_testkit::aws::AwsServer;
use ark_testkit::fault::{Fault, FaultProxy, Rule};
use ark_testkit::{http, unique_name};
use bytes::Bytes;
use futures::TryStreamExt as _;

use crate::bucket::{PART, quick};

const MIB: usize = 1 << 20;

/// A server that checks no signatures, so that the requests to it can be changed.
pub(crate) struct LookAlike {
    pub(crate) proxy: FaultProxy,
    pub(crate) location: Location,
}

impl LookAlike {
    pub(crate) fn new(quirks: impl IntoIterator<Item = Rule>) -> Self {
        static SERVER: OnceLock<AwsServer> = OnceLock::new();
        let server = SERVER.get_or_init(|| AwsServer::start_unchecked().unwrap());
        let bucket = unique_name("quirks");
        let endpoint = server.endpoint();
        let authority = endpoint.strip_prefix("http://").unwrap();
        let path = format!("/{bucket}");
        let made = http::request(authority, "PUT", &path, &[], b"").unwrap();
        assert_eq!(made.status, 200);
        let proxy = FaultProxy::start(&endpoint).unwrap();
        proxy.set(quirks);
        let mut location = Location::new("aws", &bucket);
        location.config = [
            ("region", "us-east-1"),
            ("s3Url", &proxy.url()),
            ("s3ForcePathStyle", "true"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        location.credentials = Credentials::Keys {
            access_key: "k".to_owned(),
            secret_key: "s".to_owned(),
            session_token: None,
        };
        location.tuning = quick();
        Self { proxy, location }
    }

    async fn tried(&self) -> Tried {
        open_tried(&self.location).await.unwrap()
    }

    /// What is there, past all quirks.
    async fn keys(&self) -> Vec<String> {
        self.proxy.set([]);
        let store = ark_store::open(&self.location).await.unwrap();
        let entries = store.list("").await.unwrap();
        let keys = entries.map_ok(|entry| entry.key).try_collect();
        keys.await.unwrap()
    }
}

async fn create(store: &dyn Store, key: &str, size: usize) -> Option<StoreErrorKind> {
    let sent = async {
        let mut upload = store.upload(key, PutMode::Create).await?;
        for _ in 0..size / MIB {
            upload.write(Bytes::from(vec![7; MIB])).await?;
        }
        upload.finish().await
    };
    sent.await.err().map(|error| error.kind)
}

#[tokio::test]
async fn a_server_without_quirks_lacks_nothing() {
    let server = LookAlike::new([]);
    assert_eq!(server.tried().await.lacks, []);
    assert_eq!(server.keys().await, [""; 0]);
}

#[tokio::test]
async fn one_that_does_not_know_conditions_is_looked_at_first() {
    let server = LookAlike::new([Rule::new("", Fault::Without("if-none-match"))]);
    let Tried { store, lacks } = server.tried().await;
    assert_eq!(lacks, [Lack::ConditionalCreate]);
    let put = |body: &'static str| store.put("k", Bytes::from(body), PutMode::Create);
    put("one").await.unwrap();
    let error = put("two").await.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::AlreadyExists);
    assert_eq!(
        create(store.as_ref(), "k", MIB).await,
        Some(StoreErrorKind::AlreadyExists)
    );
    assert_eq!(store.read("k", 9).await.unwrap(), "one");
    assert_eq!(create(store.as_ref(), "large", 7 * MIB).await, None);
    assert_eq!(
        create(store.as_ref(), "large", 7 * MIB).await,
        Some(StoreErrorKind::AlreadyExists)
    );
    assert_eq!(server.keys().await, ["k", "large"]);
}

#[tokio::test]
async fn one_that_does_not_know_ranges_is_read_from_the_start() {
    let server = LookAlike::new([Rule::new("", Fault::Without("range"))]);
    let Tried { store, lacks } = server.tried().await;
    assert_eq!(lacks, [Lack::RangedReads]);
    let body: Bytes = (0..MIB).map(|n| n.to_le_bytes()[1]).collect();
    store
        .put("k", body.clone(), PutMode::Replace)
        .await
        .unwrap();
    for range in [0..10, 1000..300_000, MIB - 1..MIB, 5..5] {
        let asked = range.start as u64..range.end as u64;
        let found = store.read_range("k", asked).await.unwrap();
        assert_eq!(found, body[range]);
    }
    let beyond = store.read_range("k", 0..MIB as u64 + 1).await.unwrap_err();
    assert_eq!(beyond.kind, StoreErrorKind::Truncated);
}

#[tokio::test]
async fn one_that_takes_no_parts_gets_objects_at_once() {
    let server = LookAlike::new([Rule::new("uploads", Fault::NotImplemented)]);
    let Tried { store, lacks } = server.tried().await;
    let [Lack::Multipart { reason, most }] = lacks.as_slice() else {
        panic!("{lacks:?}");
    };
    assert!(reason.contains("NotImplemented"), "{reason}");
    assert_eq!(*most, PART * quick().parts_in_memory());
    assert_eq!(create(store.as_ref(), "large", *most).await, None);
    let larger = create(store.as_ref(), "larger", *most + MIB).await;
    assert_eq!(larger, Some(StoreErrorKind::Unsupported));
    let again = create(store.as_ref(), "large", MIB).await;
    assert_eq!(again, Some(StoreErrorKind::AlreadyExists));
    assert_eq!(server.keys().await, ["large"]);
}

#[tokio::test]
async fn one_that_deletes_one_object_a_call_is_asked_so() {
    let server = LookAlike::new([Rule::new("delete", Fault::NotImplemented).method("POST")]);
    let Tried { store, lacks } = server.tried().await;
    assert_eq!(lacks, [Lack::BatchDeletes]);
    let keys = ["a", "b", "c"].map(str::to_owned);
    for key in &keys {
        store
            .put(key, Bytes::new(), PutMode::Replace)
            .await
            .unwrap();
    }
    store.delete(&keys).await.unwrap();
    assert_eq!(server.keys().await, [""; 0]);
}

#[tokio::test]
async fn one_that_deletes_nothing_says_so_and_gets_nothing_large() {
    let server = LookAlike::new([
        Rule::new("delete", Fault::AccessDenied).method("POST"),
        Rule::new("", Fault::AccessDenied).method("DELETE"),
    ]);
    let lacks = server.tried().await.lacks;
    let [Lack::Deletes(reason)] = lacks.as_slice() else {
        panic!("{lacks:?}");
    };
    assert!(reason.contains("AccessDenied"), "{reason}");
    let keys = server.keys().await;
    assert_eq!(keys.len(), 2, "{keys:?}");
    assert!(keys[0].starts_with("metadata/ark-probe-"), "{keys:?}");
}

#[tokio::test]
async fn one_that_cannot_be_written_cannot_be_used() {
    let server = LookAlike::new([Rule::new("", Fault::AccessDenied).method("PUT")]);
    let refused = open_tried(&server.location).await.err().unwrap();
    let text = refused.to_string();
    assert!(
        text.starts_with("cannot write `metadata/ark-probe-"),
        "{text}"
    );
    assert!(text.contains("AccessDenied"), "{text}");
}
