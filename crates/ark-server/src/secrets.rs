//! Entries of the secrets that locations refer to.

use std::sync::Arc;

use ark_api::SecretKeySelector;
use ark_engine::port::{ApiResource, Cluster, ClusterError, Target};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Why an entry cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum SecretError {
    /// The API server was asked for the secret and did not answer it.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The secret does not exist.
    #[error("secret `{name}` does not exist in namespace `{namespace}`")]
    NoSecret {
        /// Its name.
        name: String,
        /// The server's namespace.
        namespace: String,
    },
    /// The secret has no such entry.
    #[error("secret `{name}` has no key `{key}`")]
    NoKey {
        /// Its name.
        name: String,
        /// The key that it lacks.
        key: String,
    },
    /// The secret's entry is not base64, or the secret has not a secret's shape.
    #[error("secret `{name}` cannot be read: {reason}")]
    Malformed {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

impl SecretError {
    /// Whether it may pass without anybody changing something.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_retryable())
    }
}

/// The secrets of a namespace.
#[derive(Clone)]
pub(crate) struct Secrets {
    cluster: Arc<dyn Cluster>,
    namespace: String,
}

impl Secrets {
    pub(crate) fn new(cluster: Arc<dyn Cluster>, namespace: &str) -> Self {
        Self {
            cluster,
            namespace: namespace.to_owned(),
        }
    }

    /// One entry of a secret; `None` only when it is optional and missing.
    pub(crate) async fn entry(
        &self,
        reference: &SecretKeySelector,
    ) -> Result<Option<Vec<u8>>, SecretError> {
        let name = &reference.name;
        let resource = ApiResource::v1("", "secrets", "Secret", true);
        let target = Target {
            resource: &resource,
            namespace: Some(&self.namespace),
            name,
        };
        let optional = reference.optional == Some(true);
        let Some(object) = self.cluster.get(target).await? else {
            let error = SecretError::NoSecret {
                name: name.clone(),
                namespace: self.namespace.clone(),
            };
            return if optional { Ok(None) } else { Err(error) };
        };
        let malformed = |reason: String| SecretError::Malformed {
            name: name.clone(),
            reason,
        };
        let value = object
            .to_value()
            .map_err(|error| malformed(error.to_string()))?;
        let Some(text) = value["data"][reference.key.as_str()].as_str() else {
            let error = SecretError::NoKey {
                name: name.clone(),
                key: reference.key.clone(),
            };
            return if optional { Ok(None) } else { Err(error) };
        };
        BASE64
            .decode(text)
            .map(Some)
            .map_err(|error| malformed(error.to_string()))
    }
}
