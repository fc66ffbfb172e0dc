//! Taking a backup or the files of a restore out of a location.

use ark_archive::layout;
use futures::TryStreamExt as _;

use crate::port::{Store, StoreError};

/// Deletes a backup. The metadata file goes first: from then on the backup does
/// not exist, whatever happens to the rest, and deleting again finishes it.
pub async fn backup(store: &dyn Store, name: &str) -> Result<(), StoreError> {
    store
        .delete(&[layout::metadata(name), layout::legacy_metadata(name)])
        .await?;
    below(store, &layout::backup_dir(name)).await
}

/// Deletes the files of a restore.
pub async fn restore(store: &dyn Store, name: &str) -> Result<(), StoreError> {
    below(store, &layout::restore_dir(name)).await
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
