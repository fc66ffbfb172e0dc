//! A bucket of one's own on the server that the tests share.

use std::sync::Arc;
use std::time::Duration;

use ark_store::conformance::Subject;
use ark_store::{Credentials, Location, Tuning};
use ark_testkit::gcs::GcsServer;

/// What the client sends of a session at once.
const CHUNK: usize = 8 << 20;

pub(crate) fn location(endpoint: &str, bucket: &str) -> Location {
    let mut location = Location::new("velero.io/gcp", bucket);
    "folder/of/ark".clone_into(&mut location.prefix);
    location
        .config
        .insert("endpoint".to_owned(), endpoint.to_owned());
    location.credentials = Credentials::Anonymous;
    location.tuning = Tuning {
        part_size: CHUNK,
        retries: 4,
        first_delay: Duration::from_millis(10),
        longest_delay: Duration::from_millis(50),
        ..Tuning::default()
    };
    location
}

/// An empty store for the suite.
pub(crate) async fn subject() -> Subject {
    let server = GcsServer::shared();
    let bucket = server.create_unique_bucket("suite").unwrap();
    let store = ark_store::open(&location(&server.endpoint(), &bucket))
        .await
        .unwrap();
    Subject {
        store,
        part_size: CHUNK,
        atomic_completion: true,
        forgets_uploads: true,
        keep: Arc::new(()),
    }
}
