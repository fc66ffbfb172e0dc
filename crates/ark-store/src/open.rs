//! A location or a URL → a store.
//!
//! Everything that can be wrong with a location without asking the store is found
//! here, and named with the location, the key and what is allowed.

use std::sync::Arc;

use ark_cloud::ConfigError;
use ark_engine::port::{Store, StoreErrorKind};

use crate::heptio::{self, AtRoot};
use crate::location::{Location, Provider};
use crate::tuning::Tuning;
use crate::{azure, fs, gcs, s3, tls};

/// A location that cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No such backend.
    #[error(
        "location `{location}`: there is no provider `{provider}`; Ark has `aws` (S3 and what speaks its protocol), `gcp` (Google Cloud Storage), `azure` (Azure Blob Storage) and `fs` (a directory)"
    )]
    Provider {
        /// The location's name.
        location: String,
        /// What it asked for.
        provider: String,
    },
    /// Config keys that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A bucket's name that cannot be one.
    #[error("location `{location}`: bucket `{bucket}` {reason}")]
    Bucket {
        /// The location's name.
        location: String,
        /// The bucket.
        bucket: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A prefix that cannot be one.
    #[error("location `{location}`: prefix `{prefix}` {reason}")]
    Prefix {
        /// The location's name.
        location: String,
        /// The prefix.
        prefix: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The directory is not there or is none.
    #[error("location `{location}`: {path}: {reason}")]
    Directory {
        /// The location's name.
        location: String,
        /// The directory.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Credentials that cannot be used.
    #[error("location `{location}`: credentials: {reason}")]
    Credentials {
        /// The location's name.
        location: String,
        /// What is wrong with them.
        reason: String,
    },
    /// Certificates that cannot be used, or no client can be made.
    #[error("location `{location}`: HTTP client: {reason}")]
    Client {
        /// The location's name.
        location: String,
        /// The client's words.
        reason: String,
    },
    /// A URL or path that names no location.
    #[error("`{url}` {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
}

impl OpenError {
    pub(crate) fn credentials(location: &Location, reason: impl Into<String>) -> Self {
        Self::Credentials {
            location: location.name.clone(),
            reason: reason.into(),
        }
    }

    /// What can be done about it.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            Self::Directory { .. } => StoreErrorKind::BucketNotFound,
            Self::Credentials { .. } => StoreErrorKind::Denied,
            _ => StoreErrorKind::Config,
        }
    }
}

/// Opens a location. Nothing is asked of a bucket yet, with one exception: without a
/// configured region an S3 endpoint is asked for it.
///
/// # Errors
/// [`OpenError`]: the location as it is written cannot work.
pub async fn open(location: &Location) -> Result<Arc<dyn Store>, OpenError> {
    let (store, _) = connect(location).await?;
    Ok(store)
}

/// The store of a location, and of one that takes objects in parts how large they are.
pub(crate) async fn connect(
    location: &Location,
) -> Result<(Arc<dyn Store>, Option<Tuning>), OpenError> {
    tls::install_tls();
    let at_root = heptio::is_wanted(&location.name, &location.config)?;
    let remote = match location.provider()? {
        Provider::Directory => None,
        Provider::S3 => Some(s3::open(location).await?),
        Provider::Gcs => Some(gcs::open(location).await?),
        Provider::Azure => Some(azure::open(location).await?),
    };
    let tuning = remote.as_ref().map(|remote| remote.tuning.clone());
    let store: Arc<dyn Store> = match remote {
        Some(remote) => Arc::new(remote),
        None => fs::open(location).await?,
    };
    let store = if at_root {
        Arc::new(AtRoot(store))
    } else {
        store
    };
    Ok((store, tuning))
}

/// Opens what the command line names: `s3://BUCKET/PREFIX?…`, `gs://…`, `azblob://…`, `file:///DIR` or a
/// directory, as [`Location::from_url`] reads it.
///
/// # Errors
/// As [`open`] and [`Location::from_url`].
pub async fn open_url(url: &str) -> Result<Arc<dyn Store>, OpenError> {
    open(&Location::from_url(url)?).await
}
