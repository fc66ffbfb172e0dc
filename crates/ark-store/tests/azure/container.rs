//! A container of one's own on the server that the tests share.

use std::sync::Arc;
use std::time::Duration;

use ark_store::conformance::Subject;
use ark_store::{Credentials, Location, Tuning};
use ark_testkit::azure::{ACCOUNT, BlobServer, KEY};

/// The smallest block that a location may ask for.
const BLOCK: usize = 1 << 20;

/// The container at the account's address, with the account's key.
pub(crate) fn location(endpoint: &str, container: &str) -> Location {
    let mut location = Location::new("velero.io/azure", container);
    "folder/of/ark".clone_into(&mut location.prefix);
    for (key, value) in [
        ("resourceGroup", "backups"),
        ("storageAccount", ACCOUNT),
        ("storageAccountURI", endpoint),
        ("storageAccountKeyEnvVar", "THE_KEY"),
        ("blockSizeInBytes", "1048576"),
    ] {
        location.config.insert(key.to_owned(), value.to_owned());
    }
    location.credentials = Credentials::Contents(format!("THE_KEY={KEY}\n").into_bytes());
    location.tuning = Tuning {
        retries: 4,
        first_delay: Duration::from_millis(10),
        longest_delay: Duration::from_millis(50),
        ..Tuning::default()
    };
    location
}

/// An empty store for the suite.
pub(crate) async fn subject() -> Subject {
    let server = BlobServer::shared();
    let container = server.create_unique_container("suite").unwrap();
    let store = ark_store::open(&location(&server.endpoint(), &container))
        .await
        .unwrap();
    Subject {
        store,
        part_size: BLOCK,
        atomic_completion: true,
        forgets_uploads: false,
        keep: Arc::new(()),
    }
}
