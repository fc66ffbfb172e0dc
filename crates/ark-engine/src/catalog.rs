//! Which backups a location holds, and their metadata.

use ark_archive::layout;
use ark_archive::metadata::{self, MetadataError};
use serde_json::Value;

use crate::port::{Store, StoreError, StoreErrorKind};

/// Metadata files larger than this are not ours.
const MAX_METADATA: u64 = 16 << 20;

/// A metadata file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The store refused, or there is no such backup.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is not a backup's metadata.
    #[error("`{key}` is damaged")]
    Damaged {
        /// Its key.
        key: String,
        /// What is wrong with it.
        #[source]
        source: MetadataError,
    },
}

impl CatalogError {
    /// Whether there simply is no such backup.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Store(error) if error.kind == StoreErrorKind::NotFound)
    }
}

/// Names of the directories that hold a committed backup, sorted.
pub async fn list(store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for name in store.list_dirs(layout::BACKUPS_DIR).await? {
        if is_committed(store, &name).await? {
            names.push(name);
        }
    }
    Ok(names)
}

/// Whether the backup's metadata file exists, in today's form or Heptio Ark's.
pub async fn is_committed(store: &dyn Store, name: &str) -> Result<bool, StoreError> {
    Ok(store.stat(&layout::metadata(name)).await?.is_some()
        || store.stat(&layout::legacy_metadata(name)).await?.is_some())
}

/// The `Backup` document of a backup. One that Heptio Ark wrote is converted.
pub async fn read(store: &dyn Store, name: &str) -> Result<Value, CatalogError> {
    match read_key(store, layout::metadata(name)).await {
        Err(error) if error.is_absent() => read_key(store, layout::legacy_metadata(name)).await,
        other => other,
    }
}

async fn read_key(store: &dyn Store, key: String) -> Result<Value, CatalogError> {
    let bytes = store.read(&key, MAX_METADATA).await?;
    match metadata::decode_backup(&bytes, MAX_METADATA) {
        Ok(document) => Ok(document.backup),
        Err(source) => Err(CatalogError::Damaged { key, source }),
    }
}
