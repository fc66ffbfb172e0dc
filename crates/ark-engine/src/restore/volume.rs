//! What a backup holds of volumes besides their objects, and what that means for
//! restoring them. Decisions are pure; [`read`] fetches the side files.
//!
//! | the backup has | `restorePVs` | the volume's object |
//! |---|---|---|
//! | no data | any | by its reclaim policy, see `action/restore/pv.rs` |
//! | a file backup or CSI snapshot | `false` | provisioned anew |
//! | a native snapshot | `false` | by its reclaim policy |
//! | any data | otherwise | provisioned anew, and an error: this version cannot bring the data back |

use std::collections::HashMap;

use ark_archive::side::{self, BackupVolumeInfo, SideError, VolumeSnapshot};
use ark_archive::{Limits, heptio, layout};
use serde::de::DeserializeOwned;

use crate::catalog::{self, CatalogError};
use crate::port::{Store, StoreError, StoreErrorKind};

/// Largest side file that is read, as it is stored.
const MAX_SIDE: u64 = 64 << 20;
/// The method whose volumes are objects of their own in a cloud.
const NATIVE: &str = "NativeSnapshot";

/// A side file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
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

/// What becomes of a persistent volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The reclaim policy decides.
    ByPolicy,
    /// Its storage class makes a new one.
    Anew,
    /// The same, and its data is missed; the text says which.
    DataMissing(String),
}

/// Volumes of which the backup has more than the object, by their names.
#[derive(Debug, Default)]
pub(crate) struct VolumeData {
    methods: HashMap<String, String>,
    wanted: bool,
    /// File backups of volumes that no list ties to a volume.
    pub(crate) untied: usize,
}

impl VolumeData {
    fn new(infos: Vec<BackupVolumeInfo>, snapshots: Vec<VolumeSnapshot>, wanted: bool) -> Self {
        let by_info = infos
            .into_iter()
            .filter(|info| !info.skipped && !info.backup_method.is_empty())
            .map(|info| (info.pv_name, info.backup_method));
        let by_snapshot = snapshots
            .into_iter()
            .map(|snapshot| (snapshot.spec.persistent_volume_name, NATIVE.to_owned()));
        Self {
            methods: by_snapshot.chain(by_info).collect(),
            wanted,
            untied: 0,
        }
    }

    /// Decides for one volume.
    pub(crate) fn decide(&self, volume: &str) -> Decision {
        match self.methods.get(volume) {
            None => Decision::ByPolicy,
            Some(method) if self.wanted => Decision::DataMissing(format!(
                "the backup has the volume's data ({method}), which this version cannot restore: the \
                 claim gets a new, empty volume. Set restorePVs to false to say that this is intended"
            )),
            Some(method) if method == NATIVE => Decision::ByPolicy,
            Some(_) => Decision::Anew,
        }
    }
}

/// Reads what the backup says about its volumes; `wanted` unless `restorePVs` is
/// false.
pub(crate) async fn read(
    store: &dyn Store,
    backup: &str,
    wanted: bool,
) -> Result<VolumeData, VolumeError> {
    let infos = fetch(store, layout::volume_info(backup)).await?;
    let has_infos = infos.is_some();
    let snapshots = match fetch(store, layout::volume_snapshots(backup)).await? {
        Some(snapshots) => snapshots,
        None => in_status(store, backup).await?,
    };
    let mut data = VolumeData::new(infos.unwrap_or_default(), snapshots, wanted);
    if !has_infos && wanted {
        let files: Option<Vec<serde_json::Value>> =
            fetch(store, layout::pod_volume_backups(backup)).await?;
        data.untied = files.unwrap_or_default().len();
    }
    Ok(data)
}

/// Heptio Ark up to 0.9 kept the list of snapshots in the backup's status.
async fn in_status(store: &dyn Store, backup: &str) -> Result<Vec<VolumeSnapshot>, VolumeError> {
    match catalog::read(store, backup).await {
        Ok(document) if heptio::is_converted(&document) => Ok(heptio::volume_snapshots(&document)),
        Ok(_) => Ok(Vec::new()),
        Err(error) if error.is_absent() => Ok(Vec::new()),
        Err(CatalogError::Store(error)) => Err(error.into()),
        Err(error) => Err(error.into()),
    }
}

/// A list, or `None` where the backup has no such file, as older ones.
async fn fetch<T: DeserializeOwned>(
    store: &dyn Store,
    key: String,
) -> Result<Option<Vec<T>>, VolumeError> {
    match store.read(&key, MAX_SIDE).await {
        Ok(bytes) => {
            let list: Option<Vec<T>> = side::decode(&key, &bytes, Limits::default().side_bytes)?;
            Ok(Some(list.unwrap_or_default()))
        }
        Err(error) if error.kind == StoreErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restore::fixture::MemoryStore;

    fn data(wanted: bool) -> VolumeData {
        let info = |name: &str, method: &str, skipped| BackupVolumeInfo {
            pv_name: name.into(),
            backup_method: method.into(),
            skipped,
            ..BackupVolumeInfo::default()
        };
        let mut snapshot = VolumeSnapshot::default();
        snapshot.spec.persistent_volume_name = "old".into();
        let infos = vec![
            info("files", "PodVolumeBackup", false),
            info("cloud", NATIVE, false),
            info("passed", "", true),
        ];
        VolumeData::new(infos, vec![snapshot], wanted)
    }

    #[tokio::test]
    async fn snapshots_of_heptio_ark_are_known_from_its_status() {
        let store = MemoryStore::default();
        let document = serde_json::json!({
            "apiVersion": "ark.heptio.com/v1", "kind": "Backup", "metadata": {"name": "b"},
            "status": {"volumeBackups": {"pv-1": {"snapshotID": "snap-1", "type": "gp2"}}},
        });
        let key = layout::legacy_metadata("b");
        let put = |key, text: String| store.0.lock().unwrap().insert(key, text.into());
        put(key, document.to_string());
        let data = read(&store, "b", true).await.unwrap();
        assert!(matches!(data.decide("pv-1"), Decision::DataMissing(_)));
        assert_eq!(data.decide("pv-2"), Decision::ByPolicy);
        // Where there is a file, it counts.
        let none = side::encode(&serde_json::Value::Null).unwrap();
        let files = &store.0;
        files
            .lock()
            .unwrap()
            .insert(layout::volume_snapshots("b"), none.into());
        let data = read(&store, "b", true).await.unwrap();
        assert_eq!(data.decide("pv-1"), Decision::ByPolicy);
    }

    #[test]
    fn data_that_cannot_come_back_is_missed_unless_it_is_not_wanted() {
        for volume in ["files", "cloud", "old"] {
            assert!(
                matches!(data(true).decide(volume), Decision::DataMissing(_)),
                "{volume}"
            );
        }
        assert_eq!(data(false).decide("files"), Decision::Anew);
        assert_eq!(data(false).decide("cloud"), Decision::ByPolicy);
        assert_eq!(data(true).decide("passed"), Decision::ByPolicy);
        assert_eq!(data(true).decide("unknown"), Decision::ByPolicy);
    }
}
