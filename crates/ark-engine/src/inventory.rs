//! What a backup has outside of its bucket: the snapshots of its volumes, as the files
//! beside the archive list them.

use std::collections::{BTreeSet, HashMap};

use ark_archive::side::{self, BackupVolumeInfo, SideError, VolumeSnapshot};
use ark_archive::{Limits, heptio, layout};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::catalog::{self, CatalogError};
use crate::csi::dispose::Kept;
use crate::csi::source::{self, ClaimSource};
use crate::port::{Store, StoreError, StoreErrorKind};

/// Largest side file that is read, as it is stored.
const MAX_SIDE: u64 = 64 << 20;

/// A side file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is damaged.
    #[error(transparent)]
    Side(#[from] SideError),
    /// The metadata file cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// The snapshots that a backup asked a cloud for, also in Heptio Ark's form.
pub async fn snapshots(
    store: &dyn Store,
    backup: &str,
) -> Result<Vec<VolumeSnapshot>, InventoryError> {
    match list(store, layout::volume_snapshots(backup)).await? {
        Some(snapshots) => Ok(snapshots),
        None => in_status(store, backup).await,
    }
}

/// What became of each volume; `None` for a backup of before such a file was written.
pub async fn volumes(
    store: &dyn Store,
    backup: &str,
) -> Result<Option<Vec<BackupVolumeInfo>>, InventoryError> {
    list(store, layout::volume_info(backup)).await
}

/// The CSI snapshots of a backup of before there was a file about volumes, by namespace
/// and name of their claims.
pub(crate) async fn older_csi_snapshots(
    store: &dyn Store,
    backup: &str,
) -> Result<HashMap<(String, String), ClaimSource>, InventoryError> {
    let snapshots: Option<Vec<Value>> = list(store, layout::csi_volume_snapshots(backup)).await?;
    let contents: Option<Vec<Value>> =
        list(store, layout::csi_volume_snapshot_contents(backup)).await?;
    Ok(source::of_objects(
        &snapshots.unwrap_or_default(),
        &contents.unwrap_or_default(),
    ))
}

/// The CSI snapshots that a backup still has at storage systems, each once.
pub(crate) async fn kept_csi_snapshots(
    store: &dyn Store,
    backup: &str,
) -> Result<Vec<Kept>, InventoryError> {
    let sources: Vec<ClaimSource> = if let Some(infos) = volumes(store, backup).await? {
        infos.iter().filter_map(source::of_info).collect()
    } else {
        let older = older_csi_snapshots(store, backup).await?;
        older.into_values().collect()
    };
    let handles = sources.into_iter().map(|source| Kept {
        driver: source.driver,
        group: source.group,
        handle: source.handle,
    });
    let handles: BTreeSet<Kept> = handles.collect();
    Ok(handles.into_iter().collect())
}

/// Heptio Ark up to 0.9 kept the list of snapshots in the backup's status.
async fn in_status(store: &dyn Store, backup: &str) -> Result<Vec<VolumeSnapshot>, InventoryError> {
    match catalog::read(store, backup).await {
        Ok(document) if heptio::is_converted(&document) => Ok(heptio::volume_snapshots(&document)),
        Ok(_) => Ok(Vec::new()),
        Err(error) if error.is_absent() => Ok(Vec::new()),
        Err(CatalogError::Store(error)) => Err(error.into()),
        Err(error) => Err(error.into()),
    }
}

/// A list, or `None` where the backup has no such file, as older ones.
pub(crate) async fn list<T: DeserializeOwned>(
    store: &dyn Store,
    key: String,
) -> Result<Option<Vec<T>>, InventoryError> {
    match store.read(&key, MAX_SIDE).await {
        Ok(bytes) => {
            let list: Option<Vec<T>> = side::decode(&key, &bytes, Limits::default().side_bytes)?;
            Ok(Some(list.unwrap_or_default()))
        }
        Err(error) if error.kind == StoreErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
