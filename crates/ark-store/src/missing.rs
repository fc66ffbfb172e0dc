//! A bucket that is not there, told from an object that is not.
//!
//! Many answers say only "not found": those to HEAD have no body, and not every store
//! names the bucket in it. Nobody shall take a lost bucket for lost backups, so the
//! bucket is asked for one entry, which none that exists calls not found.

use ark_engine::port::{StoreError, StoreErrorKind};
use futures::TryStreamExt as _;
use opendal::options::ListOptions;
use opendal::{ErrorKind, Operator};

use crate::classify::classify;

/// The error, or if it says "not found" for want of a bucket, one that says so.
pub(crate) async fn explain(client: &Operator, error: StoreError) -> StoreError {
    if error.kind != StoreErrorKind::NotFound {
        return error;
    }
    match bucket_error(client, error.operation, &error.key).await {
        Some(missing) => missing,
        None => error,
    }
}

/// Why there is no bucket, if there is none. One that may not be listed is there.
pub(crate) async fn bucket_error(
    client: &Operator,
    operation: &'static str,
    key: &str,
) -> Option<StoreError> {
    let options = ListOptions {
        recursive: true,
        limit: Some(1),
        ..ListOptions::default()
    };
    let first = async {
        let mut entries = client.lister_options("/", options).await?;
        entries.try_next().await
    };
    let error = first.await.err()?;
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConfigInvalid => {
            Some(unlisted(classify(operation, key, &error)))
        }
        _ => None,
    }
}

/// What a listing calls not found is the bucket.
pub(crate) fn unlisted(error: StoreError) -> StoreError {
    match error.kind {
        StoreErrorKind::NotFound => StoreError {
            kind: StoreErrorKind::BucketNotFound,
            ..error
        },
        _ => error,
    }
}
