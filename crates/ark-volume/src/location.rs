//! What a snapshot location is. Plain values and rules over them: no I/O.

use std::collections::BTreeMap;

use ark_cloud::{Config, ConfigError, Credentials};

use crate::open::OpenError;

/// Whose disks: what a `VolumeSnapshotLocation` says, with its secret already fetched
/// by the caller.
#[derive(Debug, Clone)]
pub struct SnapshotLocation {
    /// What messages call it.
    pub name: String,
    /// `aws`, `gcp` or `azure`, with or without `velero.io/` before it.
    pub provider: String,
    /// `spec.config`, with the keys of Velero's plugin for the provider.
    pub config: BTreeMap<String, String>,
    /// As whom.
    pub credentials: Credentials,
}

/// The clouds, after the provider's name was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    Aws,
    Gcp,
    Azure,
}

impl SnapshotLocation {
    /// The config, if all its keys are among `keys`.
    pub(crate) fn config(
        &self,
        provider: &'static str,
        keys: &[&str],
    ) -> Result<Config<'_>, ConfigError> {
        Config::new(&self.name, &self.config, provider, keys)
    }

    pub(crate) fn provider(&self) -> Result<Provider, OpenError> {
        let name = self.provider.strip_prefix("velero.io/");
        match name.unwrap_or(&self.provider) {
            "aws" => Ok(Provider::Aws),
            "gcp" => Ok(Provider::Gcp),
            "azure" => Ok(Provider::Azure),
            _ => Err(OpenError::Provider {
                location: self.name.clone(),
                provider: self.provider.clone(),
            }),
        }
    }
}
