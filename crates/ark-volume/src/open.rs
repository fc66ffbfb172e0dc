//! A snapshot location → its disks.
//!
//! What can be wrong with a location without asking the cloud is found here, and named
//! with the location, the key and what is allowed.

use std::sync::Arc;

use ark_cloud::{ConfigError, install_tls};
use ark_engine::port::Disks;

use crate::location::{Provider, SnapshotLocation};
use crate::{aws, azure, gcp};

/// A location that cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No such cloud.
    #[error(
        "snapshot location `{location}`: there is no provider `{provider}`; this version has `aws` (Amazon EBS), `gcp` (persistent disks) and `azure` (managed disks)"
    )]
    Provider {
        /// The location's name.
        location: String,
        /// What it asked for.
        provider: String,
    },
    /// Config keys that cannot be used.
    #[error("snapshot {0}")]
    Config(#[from] ConfigError),
    /// Credentials that cannot be used.
    #[error("snapshot location `{location}`: credentials: {reason}")]
    Credentials {
        /// The location's name.
        location: String,
        /// What is wrong with them; nothing of their content.
        reason: String,
    },
    /// No HTTP client can be made.
    #[error("snapshot location `{location}`: HTTP client: {reason}")]
    Client {
        /// The location's name.
        location: String,
        /// The client's words.
        reason: String,
    },
}

impl OpenError {
    pub(crate) fn credentials(location: &SnapshotLocation, reason: impl Into<String>) -> Self {
        Self::Credentials {
            location: location.name.clone(),
            reason: reason.into(),
        }
    }

    pub(crate) fn client(location: &SnapshotLocation, reason: impl Into<String>) -> Self {
        Self::Client {
            location: location.name.clone(),
            reason: reason.into(),
        }
    }
}

/// Opens a location. Nothing is asked of the cloud's disks yet.
///
/// # Errors
/// [`OpenError`]: the location as it is written cannot work.
pub async fn open(location: &SnapshotLocation) -> Result<Arc<dyn Disks>, OpenError> {
    install_tls();
    match location.provider()? {
        Provider::Aws => aws::open(location).await,
        Provider::Gcp => gcp::open(location).await,
        Provider::Azure => azure::open(location).await,
    }
}
