//! From a `BackupStorageLocation` to an open store.
//!
//! Fetches the secrets that the location refers to, and keeps the opened store
//! until the location or one of its secrets changes. What is opened for writing is tried
//! out then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ark_api::storage_location::BackupStorageLocationSpec;
use ark_api::{AccessMode, BackupStorageLocation, SecretKeySelector};
use ark_engine::port::{Store, StoreError};
use ark_store::{Credentials, Location, OpenError, Tried, TryError, Tuning};

use crate::secrets::{SecretError, Secrets};

/// Config key: `NAME/KEY` of the secret with the key for SSE-C.
const CUSTOMER_KEY: &str = "customerKeyEncryptionSecret";

/// Why a location has no store, or none that can be used.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LocationError {
    /// A secret that the location names.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Certificates are given twice.
    #[error("objectStorage.caCert and objectStorage.caCertRef cannot both be set")]
    TwoCertificates,
    /// A config key that names a secret is not `NAME/KEY`.
    #[error("config key `{key}` must be NAME/KEY of a secret, not `{value}`")]
    Reference {
        /// The config key.
        key: &'static str,
        /// Its value.
        value: String,
    },
    /// The location as it is written cannot work.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store does not do what nobody can do without.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TryError> for LocationError {
    fn from(error: TryError) -> Self {
        match error {
            TryError::Open(error) => Self::Open(error),
            TryError::Store(error) => Self::Store(error),
        }
    }
}

impl LocationError {
    /// Whether it may pass without anybody changing something.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Secret(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            _ => false,
        }
    }
}

/// A location and the contents of the secrets it names: what a store is made of.
#[derive(Clone, PartialEq)]
struct Source {
    name: String,
    spec: BackupStorageLocationSpec,
    credential: Option<Vec<u8>>,
    certificates: Option<Vec<u8>>,
    customer_key: Option<Vec<u8>>,
}

/// An open store with what it was made of. Whoever opens it holds the lock, so that others
/// wait instead of trying out the same store.
type Slot = Arc<tokio::sync::Mutex<Option<(Source, Tried)>>>;

/// Opens locations, and remembers those that are open.
pub(crate) struct Locations {
    secrets: Secrets,
    /// By the name of the location.
    open: Mutex<HashMap<String, Slot>>,
}

impl Locations {
    /// None open yet.
    pub(crate) fn new(secrets: Secrets) -> Self {
        Self {
            secrets,
            open: Mutex::default(),
        }
    }

    /// The store of a location: the open one when nothing changed since.
    pub(crate) async fn store(
        &self,
        location: &BackupStorageLocation,
    ) -> Result<Arc<dyn Store>, LocationError> {
        Ok(self.tried(location).await?.store)
    }

    /// The same, and what it lacks. A location that is for reading is not tried out.
    pub(crate) async fn tried(
        &self,
        location: &BackupStorageLocation,
    ) -> Result<Tried, LocationError> {
        let source = self.fetch(location).await?;
        let slot = Arc::clone(self.lock().entry(source.name.clone()).or_default());
        let mut slot = slot.lock().await;
        if let Some((known, tried)) = slot.as_ref()
            && *known == source
        {
            return Ok(tried.clone());
        }
        let opened = to_location(&source);
        let tried = if *location.access_mode() == AccessMode::ReadOnly {
            Tried {
                store: ark_store::open(&opened).await?,
                lacks: Vec::new(),
            }
        } else {
            ark_store::open_tried(&opened).await?
        };
        for lack in &tried.lacks {
            tracing::warn!(location = source.name, %lack, "the store cannot do all that is asked of it");
        }
        *slot = Some((source, tried.clone()));
        Ok(tried)
    }

    /// Closes the store of a location that is gone.
    pub(crate) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    async fn fetch(&self, location: &BackupStorageLocation) -> Result<Source, LocationError> {
        let spec = location.spec.clone();
        let storage = &spec.object_storage;
        let inline = storage.ca_cert.as_ref().map(|bytes| bytes.0.clone());
        let certificates = match (inline, &storage.ca_cert_ref) {
            (Some(_), Some(_)) => return Err(LocationError::TwoCertificates),
            (inline, None) => inline,
            (None, Some(reference)) => self.secrets.entry(reference).await?,
        };
        let credential = match &spec.credential {
            Some(reference) => self.secrets.entry(reference).await?,
            None => None,
        };
        let customer_key = match customer_key(&spec)? {
            Some(reference) => self.secrets.entry(&reference).await?,
            None => None,
        };
        let name = location.metadata.name.clone().unwrap_or_default();
        Ok(Source {
            name,
            spec,
            credential,
            certificates,
            customer_key,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Slot>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn customer_key(
    spec: &BackupStorageLocationSpec,
) -> Result<Option<SecretKeySelector>, LocationError> {
    let Some(value) = spec.config.get(CUSTOMER_KEY) else {
        return Ok(None);
    };
    match value.split_once('/') {
        Some((name, key)) if !name.is_empty() && !key.is_empty() => Ok(Some(SecretKeySelector {
            name: name.to_owned(),
            key: key.to_owned(),
            optional: None,
        })),
        _ => Err(LocationError::Reference {
            key: CUSTOMER_KEY,
            value: value.clone(),
        }),
    }
}

/// Without a secret of its own a location uses what the server's surroundings
/// give, which the store's client looks for itself.
fn to_location(source: &Source) -> Location {
    let spec = &source.spec;
    Location {
        name: source.name.clone(),
        provider: spec.provider.clone(),
        bucket: spec.object_storage.bucket.clone(),
        prefix: spec.object_storage.prefix.clone(),
        config: spec.config.clone(),
        ca_cert: source.certificates.clone(),
        credentials: match &source.credential {
            Some(bytes) => Credentials::Contents(bytes.clone()),
            None => Credentials::Ambient,
        },
        customer_key: source.customer_key.clone(),
        tuning: Tuning::default(),
    }
}

#[cfg(test)]
mod tests;
