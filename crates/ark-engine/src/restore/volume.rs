//! What a backup holds of volumes besides their objects, and what that means for
//! restoring them. Decisions are pure; [`read`] fetches the side files.
//!
//! | the backup has | `restorePVs` | the volume's object |
//! |---|---|---|
//! | no data | any | by its reclaim policy, see `action/restore/pv.rs` |
//! | a file backup or CSI snapshot | `false` | provisioned anew |
//! | a CSI snapshot | otherwise | provisioned anew, of the snapshot, see [`super::claim`] |
//! | a native snapshot | `false` | by its reclaim policy |
//! | a native snapshot | otherwise | with a new disk, see [`super::disk`], unless one of its name is in use |
//! | other data | otherwise | provisioned anew, and an error: this version cannot bring the data back |
//!
//! A volume with a new disk gets another name where its own is taken by a volume that
//! stays and is another one: that of the namespace which is copied, or one that was
//! released and kept.

use std::collections::{BTreeMap, HashMap, HashSet};

use ark_archive::layout;
use ark_archive::side::{BackupVolumeInfo, VolumeSnapshot, VolumeSnapshotPhase};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::clean::Origin;
use crate::csi::source::{self, ClaimSource, METHOD as CSI};
use crate::inventory::{self, InventoryError};
use crate::object::Object;
use crate::port::{ApiResource, Cluster, ClusterError, ListQuery, Store};

/// The method whose volumes are objects of their own in a cloud.
pub(super) const NATIVE: &str = "NativeSnapshot";
/// A snapshot whose data was moved elsewhere, for people.
const MOVED: &str = "a snapshot that was moved";
/// Volumes a page when those of the cluster are looked at.
const PAGE: u32 = 500;

/// Between the zones of a disk that is in two, as Google's are.
const SEVERAL: &str = "__";

/// What becomes of a persistent volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The reclaim policy decides.
    ByPolicy,
    /// Its storage class makes a new one.
    Anew,
    /// The same, and its data is missed; the text says which.
    DataMissing(String),
    /// It gets a new disk, made of this snapshot.
    FromSnapshot(DiskSource),
}

/// The snapshot that a disk is made of, as the backup lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DiskSource {
    /// The snapshot location; empty where older backups name none.
    pub location: String,
    /// Id of the snapshot.
    pub snapshot: String,
    pub disk_type: String,
    pub zone: String,
    pub iops: Option<i64>,
}

/// Volumes of which the backup has more than the object, by their names.
#[derive(Debug, Default)]
pub(crate) struct VolumeData {
    methods: HashMap<String, String>,
    sources: HashMap<String, DiskSource>,
    /// CSI snapshots by namespace and name of their claims in the backup.
    claims: HashMap<(String, String), ClaimSource>,
    /// The volumes of those claims.
    of_claims: HashSet<String>,
    /// Volumes of the cluster that this restore did not make and that stay.
    standing: HashMap<String, Standing>,
    wanted: bool,
    /// File backups of volumes that no list ties to a volume.
    pub(crate) untied: usize,
}

/// How a volume of the cluster is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Somebody has it or may have it.
    InUse,
    /// Its claim is gone, and it is kept.
    Released,
}

impl VolumeData {
    fn new(infos: Vec<BackupVolumeInfo>, snapshots: Vec<VolumeSnapshot>, wanted: bool) -> Self {
        let (mut claims, mut of_claims) = (HashMap::new(), HashSet::new());
        for info in &infos {
            if let Some(source) = source::of_info(info) {
                let claim = (info.pvc_namespace.clone(), info.pvc_name.clone());
                claims.insert(claim, source);
                of_claims.insert(info.pv_name.clone());
            }
        }
        let by_info = infos
            .into_iter()
            .filter(|info| !info.skipped && !info.backup_method.is_empty())
            .map(|info| {
                let moved = info.snapshot_data_moved;
                (
                    info.pv_name,
                    if moved {
                        MOVED.to_owned()
                    } else {
                        info.backup_method
                    },
                )
            });
        let mut sources = HashMap::new();
        let mut methods = HashMap::new();
        for VolumeSnapshot { spec, status } in snapshots {
            let volume = spec.persistent_volume_name;
            methods.insert(volume.clone(), NATIVE.to_owned());
            let usable = status.phase != Some(VolumeSnapshotPhase::Failed);
            if usable && !status.provider_snapshot_id.is_empty() {
                let source = DiskSource {
                    location: spec.location,
                    snapshot: status.provider_snapshot_id,
                    disk_type: spec.volume_type,
                    zone: spec.volume_az,
                    iops: spec.volume_iops,
                };
                sources.insert(volume, source);
            }
        }
        methods.extend(by_info);
        Self {
            methods,
            sources,
            claims,
            of_claims,
            standing: HashMap::new(),
            wanted,
            untied: 0,
        }
    }

    /// Has new disks made in other zones. A disk that is in several has each of them moved.
    pub(crate) fn move_zones(&mut self, zones: &BTreeMap<String, String>) {
        for source in self.sources.values_mut() {
            let parts = source.zone.split(SEVERAL);
            let parts = parts.map(|zone| zones.get(zone).map_or(zone, String::as_str));
            source.zone = parts.collect::<Vec<_>>().join(SEVERAL);
        }
    }

    /// Decides for one volume.
    pub(crate) fn decide(&self, volume: &str) -> Decision {
        match self.methods.get(volume) {
            None => Decision::ByPolicy,
            Some(method) if self.wanted && method == NATIVE => match self.sources.get(volume) {
                Some(source) => Decision::FromSnapshot(source.clone()),
                None => no_snapshot(),
            },
            Some(method) if method == CSI && self.of_claims.contains(volume) => Decision::Anew,
            Some(method) if self.wanted && method == CSI => no_snapshot(),
            Some(method) if self.wanted => Decision::DataMissing(format!(
                "the backup has the volume's data ({method}), which this version cannot restore: the \
                 claim gets a new, empty volume. Set restorePVs to false to say that this is intended"
            )),
            Some(method) if method == NATIVE => Decision::ByPolicy,
            Some(_) => Decision::Anew,
        }
    }

    /// The snapshot that a claim's volume is made of, by the claim's namespace and name in
    /// the backup.
    pub(crate) fn claim(&self, namespace: &str, name: &str) -> Option<&ClaimSource> {
        if !self.wanted {
            return None;
        }
        self.claims.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Whether disks are to be made, so that [`VolumeData::look`] is worth its requests.
    pub(crate) fn makes_disks(&self) -> bool {
        self.wanted && !self.sources.is_empty()
    }

    /// Notes which volumes of the cluster have names of this backup's, except those that
    /// the restore made itself in an earlier run.
    pub(crate) async fn look(
        &mut self,
        cluster: &dyn Cluster,
        origin: &Origin,
    ) -> Result<(), ClusterError> {
        let query = ListQuery::all(ApiResource::v1(
            "",
            "persistentvolumes",
            "PersistentVolume",
            false,
        ));
        let mut see = |volume: Object| {
            let name = &volume.head().name;
            if self.sources.contains_key(name) && !origin.made(&volume) && !is_leaving(&volume) {
                self.standing.insert(name.clone(), standing(&volume));
            }
        };
        cluster.list_each(&query, PAGE, &mut see).await
    }

    /// The name that a volume with a new disk gets, if not its own. `mapped`: its claim
    /// returns in another namespace. Each restore has one of its own.
    pub(crate) fn new_name(&self, volume: &str, mapped: bool, restore: &str) -> Option<String> {
        let renamed = match self.standing.get(volume)? {
            Standing::InUse => mapped,
            Standing::Released => true,
        };
        let digest = Sha256::digest(format!("{restore} {volume}"));
        renamed.then(|| format!("velero-clone-{}", hex::encode(&digest[..16])))
    }
}

fn no_snapshot() -> Decision {
    let why = "the backup has no usable snapshot of the volume: the claim gets a new, empty \
               volume. Set restorePVs to false to say that this is intended";
    Decision::DataMissing(why.to_owned())
}

/// Whether a volume is being deleted, or will be, since its claim is gone.
pub(super) fn is_leaving(volume: &Object) -> bool {
    let released = || {
        let value = volume.to_value().unwrap_or_default();
        value["status"]["phase"] == "Released"
            && value["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    };
    volume.head().deleting || released()
}

fn standing(volume: &Object) -> Standing {
    let value: Value = volume.to_value().unwrap_or_default();
    match value["status"]["phase"].as_str() {
        Some("Released" | "Failed") => Standing::Released,
        _ => Standing::InUse,
    }
}

/// Reads what the backup says about its volumes; `wanted` unless `restorePVs` is
/// false.
pub(crate) async fn read(
    store: &dyn Store,
    backup: &str,
    wanted: bool,
) -> Result<VolumeData, InventoryError> {
    let infos = inventory::volumes(store, backup).await?;
    let has_infos = infos.is_some();
    let snapshots = inventory::snapshots(store, backup).await?;
    let mut data = VolumeData::new(infos.unwrap_or_default(), snapshots, wanted);
    if !has_infos {
        data.claims = inventory::older_csi_snapshots(store, backup).await?;
    }
    if !has_infos && wanted {
        let files: Option<Vec<serde_json::Value>> =
            inventory::list(store, layout::pod_volume_backups(backup)).await?;
        data.untied = files.unwrap_or_default().len();
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use ark_archive::side;

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
        let Decision::FromSnapshot(source) = data.decide("pv-1") else {
            panic!("{:?}", data.decide("pv-1"));
        };
        assert_eq!((&*source.snapshot, &*source.disk_type), ("snap-1", "gp2"));
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
    fn a_disk_comes_into_the_zone_that_its_own_is_mapped_to() {
        let snapshot = |volume: &str, zone: &str| {
            let mut snapshot = VolumeSnapshot::default();
            snapshot.spec.persistent_volume_name = volume.into();
            snapshot.spec.volume_az = zone.into();
            snapshot.status.provider_snapshot_id = "s".into();
            snapshot
        };
        let snapshots = ["r-a", "r-b", "r-a__r-b", ""].map(|zone| snapshot(zone, zone));
        let mut data = VolumeData::new(Vec::new(), snapshots.into(), true);
        data.move_zones(&[("r-a".to_owned(), "r-c".to_owned())].into());
        for (volume, zone) in [
            ("r-a", "r-c"),
            ("r-b", "r-b"),
            ("r-a__r-b", "r-c__r-b"),
            ("", ""),
        ] {
            let Decision::FromSnapshot(source) = data.decide(volume) else {
                panic!("{volume}");
            };
            assert_eq!(source.zone, zone);
        }
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
