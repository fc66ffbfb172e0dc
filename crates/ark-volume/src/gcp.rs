//! Persistent disks of Compute Engine, through its REST API.
//!
//! | file | concern |
//! |---|---|
//! | `settings.rs` | config keys, the project, where Compute Engine is |
//! | `api.rs` | one call, operations, and what errors mean |
//! | `place.rs` | paths of disks: zonal and regional |
//! | `volume.rs` | a `PersistentVolume` ↔ a disk |
//! | `labels.rs` | what snapshots and disks are labelled and described with |
//!
//! What is made gets a name that comes of its token, so that making it again is refused
//! as a name that is taken, and the thing of that name is the answer. A snapshot's id is
//! its name, as in Velero's lists; one in another project than the location's has its
//! whole path.
//!
//! Source: Compute Engine API, version 1.

mod api;
mod labels;
mod place;
mod settings;
mod volume;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::{
    Disk, DiskError, DiskErrorKind, DiskRequest, Disks, Snapshot, SnapshotRequest, SnapshotState,
    Tagged, Tags,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::location::SnapshotLocation;
use crate::look;
use crate::open::OpenError;
use crate::retry::retry;
use api::{Compute, Failure};
use place::{Place, last, path_of};
use settings::Settings;

/// Looks after which a snapshot that was asked for must be there.
const LATEST: usize = 20;
/// Pause between two looks at a snapshot that holds its disk still: the first, and the
/// longest.
const LOOK: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

pub(crate) async fn open(location: &SnapshotLocation) -> Result<Arc<dyn Disks>, OpenError> {
    let settings = Settings::of(location)?;
    let (api, project) = Compute::new(location, &settings).await?;
    Ok(Arc::new(PersistentDisks {
        api,
        snapshots: settings.project.unwrap_or_else(|| project.clone()),
        project,
        storage: settings.storage,
    }))
}

/// The disks of one project, and those that volumes name in others.
struct PersistentDisks {
    api: Compute,
    /// That of new disks, and of volumes that name none.
    project: String,
    /// That of snapshots whose id is a name.
    snapshots: String,
    /// Where snapshots are kept, if not near their disks.
    storage: Option<String>,
}

#[async_trait]
impl Disks for PersistentDisks {
    fn disk_of(&self, volume: &Value) -> Option<Disk> {
        volume::disk_of(volume, &self.project)
    }

    fn set_disk(&self, volume: &mut Value, disk: &Disk) {
        volume::set_disk(volume, disk);
    }

    async fn create_snapshot(&self, request: &SnapshotRequest) -> Result<Snapshot, DiskError> {
        let place = place(&request.disk.id)?;
        let disk = self.api.get(&request.disk.id, &request.disk.id).await?;
        let mut body = labels::of_snapshot(request, &disk);
        if let Some(storage) = &self.storage {
            body["storageLocations"] = json!([storage]);
        }
        let target = format!("{}/createSnapshot", request.disk.id);
        let path = format!(
            "projects/{}/global/snapshots/{}",
            place.project, request.token
        );
        let call = ("createSnapshot", request.disk.id.as_str());
        let operation = self.make(call, &target, &body).await?;
        let made = self.begun(call, &path, operation).await?;
        if path_of(&made["sourceDisk"]) != request.disk.id {
            let message = format!("snapshot {} is one of another disk", request.token);
            return Err(api::error(
                "createSnapshot",
                &request.disk.id,
                DiskErrorKind::Other,
                message,
            ));
        }
        Ok(Snapshot {
            id: self.id_of(&place.project, &request.token),
            disk_type: last(disk["type"].as_str().unwrap_or_default()).to_owned(),
            zone: zone_of(&disk),
            iops: None,
        })
    }

    async fn snapshot_states(
        &self,
        ids: &[String],
    ) -> Result<BTreeMap<String, SnapshotState>, DiskError> {
        look::states(ids, |id| self.state_of(id)).await
    }

    async fn find_snapshots(
        &self,
        key: &str,
        value: Option<&str>,
    ) -> Result<Vec<Tagged>, DiskError> {
        let mut all = Vec::new();
        // New ones are in the project of their disk, whatever the location says.
        for project in BTreeSet::from([&self.snapshots, &self.project]) {
            let path = format!("projects/{project}/global/snapshots");
            let found = self.api.list(&path, &labels::filter(key, value)).await?;
            let tagged = found.iter().map(|snapshot| Tagged {
                id: self.id_of(project, last(snapshot["name"].as_str().unwrap_or_default())),
                tags: labels::tags(snapshot),
            });
            all.extend(having(tagged, key, value));
        }
        Ok(all)
    }

    async fn find_disks(&self, key: &str, value: Option<&str>) -> Result<Vec<Tagged>, DiskError> {
        let path = format!("projects/{}/aggregated/disks", self.project);
        let found = self.api.list(&path, &labels::filter(key, value)).await?;
        let tagged = found.iter().map(|disk| Tagged {
            id: path_of(&disk["selfLink"]).to_owned(),
            tags: labels::tags(disk),
        });
        Ok(having(tagged, key, value))
    }

    async fn delete_snapshot(&self, id: &str) -> Result<(), DiskError> {
        self.delete(&self.snapshot_path(id), id).await
    }

    async fn create_disk(&self, request: &DiskRequest) -> Result<Disk, DiskError> {
        let id = &request.snapshot;
        let source = self.snapshot_path(id);
        let snapshot = self.api.get(&source, id).await?;
        let Some(place) = Place::of_zone(&self.project, &request.zone) else {
            let message = format!("`{}` is no zone for the disk", request.zone);
            return Err(api::error(
                "disks.insert",
                id,
                DiskErrorKind::Invalid,
                message,
            ));
        };
        let mut body = labels::of_disk(request, &snapshot);
        body["sourceSnapshot"] = source.into();
        if !request.disk_type.is_empty() {
            body["type"] = format!("{}/diskTypes/{}", place.path, request.disk_type).into();
        }
        if place.zones.len() > 1 {
            body["replicaZones"] = place.replica_zones().into();
        }
        let target = format!("{}/disks", place.path);
        let call = ("disks.insert", id.as_str());
        if let Some(operation) = self.make(call, &target, &body).await? {
            self.api.finish(call, operation).await?;
        }
        let made = format!("{target}/{}", request.token);
        let disk = self.api.get(&made, &made).await?;
        Ok(Disk {
            zone: zone_of(&disk),
            id: made,
        })
    }

    async fn delete_disk(&self, disk: &Disk) -> Result<(), DiskError> {
        self.delete(&disk.id, &disk.id).await
    }
}

impl PersistentDisks {
    /// How far a snapshot is.
    async fn state_of(&self, id: String) -> Result<SnapshotState, DiskError> {
        let snapshot = self.api.get(&self.snapshot_path(&id), &id).await?;
        Ok(state(&snapshot))
    }

    fn snapshot_path(&self, id: &str) -> String {
        if id.starts_with("projects/") {
            return id.to_owned();
        }
        format!("projects/{}/global/snapshots/{id}", self.snapshots)
    }

    fn id_of(&self, project: &str, name: &str) -> String {
        if project == self.snapshots {
            return name.to_owned();
        }
        format!("projects/{project}/global/snapshots/{name}")
    }

    /// Asks for something to be made; the operation, or none if it is made already: its
    /// name is taken then.
    async fn make(
        &self,
        call: (&str, &str),
        target: &str,
        body: &Value,
    ) -> Result<Option<Value>, DiskError> {
        let made = retry(async |_| match self.api.post(call, target, body).await {
            Ok(operation) => Ok(Some(operation)),
            Err(Failure::Exists) => Ok(None),
            Err(Failure::Error(error)) => Err(error),
        });
        made.await
    }

    /// A snapshot that shows its disk as it was, whatever is written from now on.
    async fn begun(
        &self,
        call: (&str, &str),
        path: &str,
        mut operation: Option<Value>,
    ) -> Result<Value, DiskError> {
        let (mut pause, mut missing) = (LOOK.0, 0);
        loop {
            if let Some(operation) = &operation {
                api::check(call, operation)?;
            }
            match self.api.get(path, path).await {
                // From the next state on the disk may change.
                Ok(snapshot) if snapshot["status"] == "CREATING" => {}
                Ok(snapshot) => return Ok(snapshot),
                Err(error) if error.kind == DiskErrorKind::NotFound && missing < LATEST => {
                    missing += 1;
                    if let Some(begun) = operation.take() {
                        operation = Some(self.api.look(call, &begun).await?);
                    }
                }
                Err(error) => return Err(error),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOK.1);
        }
    }

    async fn delete(&self, path: &str, what: &str) -> Result<(), DiskError> {
        let ended = retry(async |_| {
            let operation = self.api.delete(path, what).await?;
            self.api.finish(("delete", what), operation).await
        });
        match ended.await {
            Err(error) if error.kind == DiskErrorKind::NotFound => Ok(()),
            ended => ended,
        }
    }
}

fn place(disk: &str) -> Result<Place, DiskError> {
    Place::of_disk(disk).ok_or_else(|| {
        let message = "is no path of a disk".to_owned();
        api::error("disks.get", disk, DiskErrorKind::Invalid, message)
    })
}

/// Those with exactly this tag: a label has only what labels can have of it.
fn having(tagged: impl Iterator<Item = Tagged>, key: &str, value: Option<&str>) -> Vec<Tagged> {
    let wanted = |tags: &Tags| match (tags.get(key), value) {
        (Some(has), Some(value)) => has == value,
        (has, None) => has.is_some(),
        (None, Some(_)) => false,
    };
    tagged.filter(|one| wanted(&one.tags)).collect()
}

fn state(snapshot: &Value) -> SnapshotState {
    match snapshot["status"].as_str() {
        Some("READY") => SnapshotState::Completed,
        Some("FAILED") => SnapshotState::Failed("Compute Engine gives no reason".to_owned()),
        Some("DELETING") => SnapshotState::Failed("it is being deleted".to_owned()),
        _ => SnapshotState::Pending(None),
    }
}

/// A disk's zone, or both of a regional one's.
fn zone_of(disk: &Value) -> String {
    let replicas = disk["replicaZones"].as_array();
    let mut zones: Vec<&str> = replicas
        .into_iter()
        .flatten()
        .filter_map(|zone| zone.as_str().map(last))
        .collect();
    if zones.is_empty() {
        return last(disk["zone"].as_str().unwrap_or_default()).to_owned();
    }
    zones.sort_unstable();
    zones.join("__")
}
