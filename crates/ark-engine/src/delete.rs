//! Taking a backup or the files of a restore out of a location.

use ark_api::label;
use ark_archive::layout;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::backup::UID_TAG;
use crate::catalog::{self, CatalogError};
use crate::csi::dispose;
use crate::inventory::{self, InventoryError};
use crate::port::{Clock, Cluster, SnapshotLocations, Store, StoreError};

/// Snapshots that are deleted at the same time.
const AT_ONCE: usize = 8;

/// Why a backup, or something of it, is still there.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// What it has outside of the bucket cannot be known; nothing is deleted.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// Some of its snapshots could not be deleted, so its files stay to tell of them.
    #[error("{}", .0.join("; "))]
    Snapshots(Vec<String>),
    /// Some of its files remain.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The outside world of a deletion.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The location of the backup.
    pub store: &'a dyn Store,
    /// All snapshot locations.
    pub snapshots: &'a SnapshotLocations,
    /// The cluster, whose CSI drivers delete their snapshots.
    pub cluster: &'a dyn Cluster,
    /// Time.
    pub clock: &'a dyn Clock,
}

/// Deletes a backup: its snapshots first, while its files still tell of them. Of the
/// files the metadata goes first: from then on the backup does not exist, whatever
/// happens to the rest, and deleting again finishes it.
///
/// # Errors
/// [`DeleteError`]; what was deleted until then stays deleted, and deleting again goes on.
pub async fn backup(world: World<'_>, name: &str) -> Result<(), DeleteError> {
    let store = world.store;
    let mut problems = snapshots(store, world.snapshots, name).await?;
    problems.extend(of_claims(world, name).await?);
    if !problems.is_empty() {
        return Err(DeleteError::Snapshots(problems));
    }
    let metadata = [layout::metadata(name), layout::legacy_metadata(name)];
    store.delete(&metadata).await?;
    Ok(below(store, &layout::backup_dir(name)).await?)
}

/// Deletes the files of a restore.
pub async fn restore(store: &dyn Store, name: &str) -> Result<(), StoreError> {
    below(store, &layout::restore_dir(name)).await
}

/// Deletes the snapshots that the backup lists, and if there are any, those with its tag
/// in the locations that it used; answers why some remain.
async fn snapshots(
    store: &dyn Store,
    locations: &SnapshotLocations,
    name: &str,
) -> Result<Vec<String>, InventoryError> {
    let mut doomed: Vec<(String, String)> = Vec::new();
    for snapshot in inventory::snapshots(store, name).await? {
        let id = snapshot.status.provider_snapshot_id;
        if !id.is_empty() {
            doomed.push((snapshot.spec.location, id));
        }
    }
    if doomed.is_empty() {
        return Ok(Vec::new());
    }
    let mut problems = tagged(store, locations, name, &mut doomed).await?;
    doomed.sort();
    doomed.dedup();
    let deletions = doomed.into_iter().map(async |(location, id)| {
        let disks = locations.get(&location);
        let disks = disks.map_err(|why| format!("snapshot {id}: {why}"))?;
        let deleted = disks.delete_snapshot(&id).await;
        deleted.map_err(|error| format!("snapshot location `{location}`: {error}"))
    });
    let ended: Vec<Result<(), String>> = stream::iter(deletions)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    problems.extend(ended.into_iter().filter_map(Result::err));
    problems.sort();
    Ok(problems)
}

/// Deletes the CSI snapshots that the backup lists; answers why some remain.
async fn of_claims(world: World<'_>, name: &str) -> Result<Vec<String>, InventoryError> {
    let handles = inventory::kept_csi_snapshots(world.store, name).await?;
    if handles.is_empty() {
        return Ok(Vec::new());
    }
    let labels = [(label::BACKUP_NAME.to_owned(), label::valid_value(name))].into();
    Ok(dispose::all(world.cluster, world.clock, handles, &labels).await)
}

/// Adds the snapshots that have the backup's tag, which are those whose making was
/// never answered.
async fn tagged(
    store: &dyn Store,
    locations: &SnapshotLocations,
    name: &str,
    doomed: &mut Vec<(String, String)>,
) -> Result<Vec<String>, InventoryError> {
    let document = match catalog::read(store, name).await {
        Ok(document) => document,
        // What is damaged or half deleted can be deleted, too.
        Err(CatalogError::Damaged { .. }) => return Ok(Vec::new()),
        Err(error) if error.is_absent() => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let uid = document["metadata"]["uid"].as_str().unwrap_or_default();
    let used = document["spec"]["volumeSnapshotLocations"].as_array();
    let used = used.into_iter().flatten().filter_map(|name| name.as_str());
    let mut problems = Vec::new();
    for location in used.filter(|_| !uid.is_empty()) {
        // One that is gone, or was never of use, took no snapshots that are not listed.
        let Ok(disks) = locations.get(location) else {
            continue;
        };
        match disks.find_snapshots(UID_TAG, Some(uid)).await {
            Ok(found) => {
                let found = found.into_iter().map(|one| (location.to_owned(), one.id));
                doomed.extend(found);
            }
            Err(error) => problems.push(format!("snapshot location `{location}`: {error}")),
        }
    }
    Ok(problems)
}

async fn below(store: &dyn Store, prefix: &str) -> Result<(), StoreError> {
    let entries: Vec<_> = store.list(prefix).await?.try_collect().await?;
    let keys: Vec<String> = entries.into_iter().map(|entry| entry.key).collect();
    if keys.is_empty() {
        Ok(())
    } else {
        store.delete(&keys).await
    }
}
