//! From a `BackupStorageLocation` to an open store.
//!
//! Fetches the secrets that the location refers to, and keeps the opened store
//! until the location or one of its secrets changes. Asks nothing of the bucket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ark_api::storage_location::BackupStorageLocationSpec;
use ark_api::{BackupStorageLocation, SecretKeySelector};
use ark_engine::port::Store;
use ark_store::{Credentials, Location, OpenError, Tuning};

use crate::secrets::{SecretError, Secrets};

/// Config key: `NAME/KEY` of the secret with the key for SSE-C.
const CUSTOMER_KEY: &str = "customerKeyEncryptionSecret";

/// Why a location has no store.
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
}

impl LocationError {
    /// Whether it may pass without anybody changing something.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self, Self::Secret(error) if error.is_retryable())
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

/// Open stores by the name of their location, with what each was made of.
type Opened = HashMap<String, (Source, Arc<dyn Store>)>;

/// Opens locations, and remembers those that are open.
pub(crate) struct Locations {
    secrets: Secrets,
    open: Mutex<Opened>,
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
        let source = self.fetch(location).await?;
        if let Some((known, store)) = self.lock().get(&source.name)
            && *known == source
        {
            return Ok(Arc::clone(store));
        }
        let store = ark_store::open(&to_location(&source)).await?;
        self.lock()
            .insert(source.name.clone(), (source, Arc::clone(&store)));
        Ok(store)
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

    fn lock(&self) -> std::sync::MutexGuard<'_, Opened> {
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
