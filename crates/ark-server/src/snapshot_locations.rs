//! From `VolumeSnapshotLocation`s to open disks.
//!
//! They are opened for each job: what changed since the last one counts at once.

use std::sync::Arc;

use ark_api::VolumeSnapshotLocation;
use ark_engine::port::{ClusterError, Disks, SnapshotLocations};
use ark_kube::{Connection, Custom, CustomError};
use ark_volume::{Credentials, SnapshotLocation};

use crate::secrets::{SecretError, Secrets};

/// Opens locations. One that cannot be used says so when it is needed, since most jobs
/// need none.
///
/// # Errors
/// The API server does not answer for a secret, and may later.
pub(crate) async fn open(
    secrets: &Secrets,
    locations: &[VolumeSnapshotLocation],
) -> Result<SnapshotLocations, ClusterError> {
    let mut opened = Vec::new();
    for location in locations {
        let name = location.metadata.name.clone().unwrap_or_default();
        let disks = match source(secrets, location).await {
            Ok(source) => disks(&source).await,
            Err(SecretError::Cluster(error)) if error.is_retryable() => return Err(error),
            Err(error) => Err(error.to_string()),
        };
        opened.push((name, disks));
    }
    Ok(opened.into_iter().collect())
}

/// Opens all snapshot locations of a namespace, for a look from outside of the server.
///
/// # Errors
/// The API server does not answer.
pub async fn open_all(
    connection: &Connection,
    namespace: &str,
) -> Result<SnapshotLocations, OpenAllError> {
    let locations = Custom::<VolumeSnapshotLocation>::new(connection, namespace);
    let locations = locations.list(None).await?.items;
    let secrets = Secrets::new(Arc::new(connection.clone()), namespace);
    Ok(open(&secrets, &locations).await?)
}

/// The API server could not be asked for locations.
#[derive(Debug, thiserror::Error)]
pub enum OpenAllError {
    /// For the locations themselves.
    #[error(transparent)]
    Locations(#[from] CustomError),
    /// For a secret of one.
    #[error(transparent)]
    Secret(#[from] ClusterError),
}

async fn disks(source: &SnapshotLocation) -> Result<Arc<dyn Disks>, String> {
    let opened = ark_volume::open(source).await;
    opened.map_err(|error| error.to_string())
}

/// Without a secret of its own a location uses what the server's surroundings give.
async fn source(
    secrets: &Secrets,
    location: &VolumeSnapshotLocation,
) -> Result<SnapshotLocation, SecretError> {
    let spec = &location.spec;
    let credential = match &spec.credential {
        Some(reference) => secrets.entry(reference).await?,
        None => None,
    };
    Ok(SnapshotLocation {
        name: location.metadata.name.clone().unwrap_or_default(),
        provider: spec.provider.clone(),
        config: spec.config.clone(),
        credentials: credential.map_or(Credentials::Ambient, Credentials::Contents),
    })
}
