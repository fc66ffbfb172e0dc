//! The JSON files beside a tarball: what they hold, and how they are packed.
//!
//! Each is one JSON document and a newline, in gzip without name or time, so
//! equal content makes equal bytes. Readers take what any Velero wrote: unknown
//! keys are passed over, absent and `null` lists are empty.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::{Compression, GzBuilder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::gunzip::{self, GunzipError};

mod operations;
mod volumes;

pub use operations::{
    BackupOperation, BackupOperationSpec, OperationPhase, OperationStatus, ResourceIdentifier,
    RestoreOperation, RestoreOperationSpec,
};
pub use volumes::{
    BackupVolumeInfo, CsiSnapshotInfo, DataMovementInfo, NativeSnapshotInfo, PersistentVolumeInfo,
    PodVolumeInfo, RestoreVolumeInfo, VolumeSnapshot, VolumeSnapshotPhase, VolumeSnapshotSpec,
    VolumeSnapshotStatus,
};

/// Which objects a backup or restore touched: `apps/v1/Deployment` to sorted
/// `namespace/name`, or `name` for cluster-scoped objects. Restores put what was
/// done behind it: `shop/web(created)`.
pub type ResourceList = BTreeMap<String, Vec<String>>;

/// Why a side file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SideError {
    /// The gzip layer is broken or unpacks to too much.
    #[error("cannot unpack {file}")]
    Unpack {
        /// Which file.
        file: String,
        /// What is wrong.
        #[source]
        source: GunzipError,
    },
    /// It is not the JSON that belongs there.
    #[error("cannot read {file}")]
    Json {
        /// Which file.
        file: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// It could not be written as JSON.
    #[error("cannot write a side file as JSON")]
    Encode(#[source] serde_json::Error),
    /// It could not be packed.
    #[error("cannot pack a side file")]
    Pack(#[source] std::io::Error),
}

/// Packs one document. Lists in a [`ResourceList`] must have been sorted, see
/// [`sort`].
pub fn encode<T: Serialize + ?Sized>(document: &T) -> Result<Vec<u8>, SideError> {
    let mut json = serde_json::to_vec(document).map_err(SideError::Encode)?;
    json.push(b'\n');
    pack(&json)
}

/// Packs bytes that are no JSON document, such as a log: gzip without name or
/// time.
pub fn pack(bytes: &[u8]) -> Result<Vec<u8>, SideError> {
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
    gzip.write_all(bytes)
        .and_then(|()| gzip.finish())
        .map_err(SideError::Pack)
}

/// Unpacks one document of at most `max` bytes. `file` is for the message.
pub fn decode<T: DeserializeOwned>(file: &str, bytes: &[u8], max: u64) -> Result<T, SideError> {
    let json = gunzip::gunzip(bytes, max).map_err(|source| SideError::Unpack {
        file: file.to_owned(),
        source,
    })?;
    serde_json::from_slice(&json).map_err(|source| SideError::Json {
        file: file.to_owned(),
        source,
    })
}

/// Brings the lists into the order that readers expect.
pub fn sort(list: &mut ResourceList) {
    for names in list.values_mut() {
        names.sort_unstable();
    }
}

/// Warnings and errors of a backup or restore.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Results {
    /// What was selected and is missing.
    #[serde(default, deserialize_with = "null_is_default")]
    pub errors: ResultGroup,
    /// What is worth knowing.
    #[serde(default, deserialize_with = "null_is_default")]
    pub warnings: ResultGroup,
}

/// Messages by what they are about. An empty group is `{}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ResultGroupOnDisk")]
pub struct ResultGroup {
    /// About the job itself. Heptio Ark named the key `ark`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub velero: Vec<String>,
    /// About cluster-scoped objects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster: Vec<String>,
    /// About objects in namespaces, by namespace.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct ResultGroupOnDisk {
    #[serde(default, deserialize_with = "null_is_default")]
    velero: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    ark: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    cluster: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    namespaces: BTreeMap<String, Option<Vec<String>>>,
}

impl From<ResultGroupOnDisk> for ResultGroup {
    fn from(disk: ResultGroupOnDisk) -> Self {
        let ResultGroupOnDisk {
            mut velero,
            ark,
            cluster,
            namespaces,
        } = disk;
        velero.extend(ark);
        let namespaces = namespaces
            .into_iter()
            .map(|(name, list)| (name, list.unwrap_or_default()))
            .collect();
        Self {
            velero,
            cluster,
            namespaces,
        }
    }
}

/// Go writes an empty list as `null`.
fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests;
