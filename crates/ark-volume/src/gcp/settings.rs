//! Config keys of a snapshot location of Google's.

use ark_cloud::ConfigError;

use crate::location::SnapshotLocation;

const PROJECT: &str = "project";
const STORAGE: &str = "snapshotLocation";
const ENDPOINT: &str = "endpoint";
/// Google's own address.
const GOOGLE: &str = "https://compute.googleapis.com";

/// What a location says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// Where snapshots are, if not in the project of who asks.
    pub(super) project: Option<String>,
    /// Where their data is kept.
    pub(super) storage: Option<String>,
    /// Without a slash at its end.
    pub(super) endpoint: String,
}

impl Settings {
    pub(super) fn of(location: &SnapshotLocation) -> Result<Self, ConfigError> {
        let config = location.config("gcp", &[PROJECT, STORAGE, ENDPOINT])?;
        Ok(Self {
            project: config.text(PROJECT),
            storage: config.text(STORAGE),
            endpoint: config.url(ENDPOINT)?.unwrap_or_else(|| GOOGLE.to_owned()),
        })
    }
}
