//! A bucket of one's own on the server that all tests share.

use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::Store;
use ark_store::conformance::Subject;
use ark_store::{Credentials, Location, Tuning};
use ark_testkit::fault::FaultProxy;
use ark_testkit::s3::{Access, S3Server};

/// The smallest part that S3 takes.
pub(crate) const PART: usize = 5 << 20;

/// Attempts of a call under [`quick`].
pub(crate) const ATTEMPTS: usize = 5;

/// Few and quick repetitions.
pub(crate) fn quick() -> Tuning {
    Tuning {
        part_size: PART,
        retries: ATTEMPTS - 1,
        first_delay: Duration::from_millis(10),
        longest_delay: Duration::from_millis(50),
        ..Tuning::default()
    }
}

pub(crate) fn location(access: &Access, bucket: &str) -> Location {
    let mut location = Location::new("velero.io/aws", bucket);
    "folder/of/ark".clone_into(&mut location.prefix);
    for (key, value) in [
        ("region", access.region.as_str()),
        ("s3Url", &access.endpoint),
        ("s3ForcePathStyle", "true"),
    ] {
        location.config.insert(key.to_owned(), value.to_owned());
    }
    location.credentials = Credentials::Keys {
        access_key: access.access_key.clone(),
        secret_key: access.secret_key.clone(),
        session_token: None,
    };
    location.tuning = quick();
    location
}

pub(crate) fn create(prefix: &str) -> (&'static S3Server, String) {
    let server = S3Server::shared();
    let bucket = server.create_unique_bucket(prefix).unwrap();
    (server, bucket)
}

/// An empty store for the suite.
pub(crate) async fn subject() -> Subject {
    let (server, bucket) = create("suite");
    let store = ark_store::open(&location(server.access(), &bucket))
        .await
        .unwrap();
    Subject {
        store,
        part_size: PART,
        atomic_completion: false,
        forgets_uploads: true,
        keep: Arc::new(()),
    }
}

/// A store behind a proxy that can break, and the same without it.
pub(crate) struct Broken {
    pub(crate) proxy: FaultProxy,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) direct: Arc<dyn Store>,
    pub(crate) access: Access,
    pub(crate) bucket: String,
}

impl Broken {
    pub(crate) async fn open() -> Self {
        let (server, bucket) = create("faults");
        let access = server.access().clone();
        let proxy = FaultProxy::start(&access.endpoint).unwrap();
        let through = access.through(&proxy.url());
        Self {
            store: ark_store::open(&location(&through, &bucket)).await.unwrap(),
            direct: ark_store::open(&location(&access, &bucket)).await.unwrap(),
            proxy,
            access,
            bucket,
        }
    }

    /// How many uploads were begun and neither completed nor taken back.
    pub(crate) fn open_uploads(&self) -> usize {
        let target = format!("/{}?uploads=", self.bucket);
        let answer = self.access.request("GET", &target, b"").unwrap();
        assert_eq!(answer.status, 200);
        String::from_utf8(answer.body)
            .unwrap()
            .matches("<UploadId>")
            .count()
    }
}
