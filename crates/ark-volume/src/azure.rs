//! Managed disks of Azure, through Azure Resource Manager.
//!
//! | file | concern |
//! |---|---|
//! | `settings.rs` | config keys; subscriptions and groups |
//! | `api.rs` | one call, operations, and what errors mean |
//! | `id.rs` | ids, however they are written |
//! | `document.rs` | disks and snapshots as Azure writes them |
//! | `volume.rs` | a `PersistentVolume` ↔ a disk |
//! | `tags.rs` | what snapshots and disks are tagged with |
//!
//! What is made gets its token as its name, and is looked for before it is made. Ids are
//! whole, as in Velero's lists.
//!
//! Source: Disk Resource Provider REST API.

mod api;
mod document;
mod id;
mod settings;
mod tags;
mod volume;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ark_cloud::Credentials;
use ark_cloud::azure::{File, Owner, Tokens};
use ark_engine::port::{
    Disk, DiskError, DiskErrorKind, DiskRequest, Disks, Snapshot, SnapshotRequest, SnapshotState,
    Tagged,
};
use async_trait::async_trait;
use serde_json::Value;

use crate::location::SnapshotLocation;
use crate::look;
use crate::open::OpenError;
use crate::retry::retry;
use api::{Call, Manager};
use document::{RATED, copy_of, describe, rate, state, text, zone_of};
use id::{Id, Kind};
use settings::Settings;

pub(crate) async fn open(location: &SnapshotLocation) -> Result<Arc<dyn Disks>, OpenError> {
    let file = File::of(&location.credentials).await;
    let file = file.map_err(|reason| OpenError::credentials(location, reason))?;
    let settings = Settings::of(location, &file)?;
    let client = ark_cloud::tls::client(None, true);
    let client = client.map_err(|reason| OpenError::client(location, reason))?;
    let tokens = (!matches!(location.credentials, Credentials::Anonymous)).then(|| {
        let owner = Owner::of(&file);
        Tokens::new(&client, owner, &settings.authority, settings.management)
    });
    let manager = Manager {
        client,
        tokens,
        endpoint: settings.endpoint.clone(),
        timeout: settings.timeout,
    };
    Ok(Arc::new(ManagedDisks { manager, settings }))
}

/// The disks that somebody may use.
struct ManagedDisks {
    manager: Manager,
    settings: Settings,
}

#[async_trait]
impl Disks for ManagedDisks {
    fn disk_of(&self, volume: &Value) -> Option<Disk> {
        volume::disk_of(volume)
    }

    fn set_disk(&self, volume: &mut Value, disk: &Disk) {
        volume::set_disk(volume, disk);
    }

    async fn create_snapshot(&self, request: &SnapshotRequest) -> Result<Snapshot, DiskError> {
        let source = id_of(Kind::Disk, &request.disk.id)?;
        let disk = self.manager.get(&source).await?;
        let group = self.settings.snapshots.as_ref().unwrap_or(&source.group);
        let id = Id::new(group, Kind::Snapshot, &request.token);
        let mut body = copy_of(&source, &disk);
        let disk_type = text(&disk, "/sku/name");
        let incremental = self.settings.incremental || RATED.contains(&disk_type);
        body["properties"]["incremental"] = incremental.into();
        let throughput = rate(&disk, "diskMBpsReadWrite");
        body["tags"] = tags::of_snapshot(request, &self.settings.tags, &disk, throughput);
        self.make(&id, &source, &body).await?;
        Ok(Snapshot {
            id: id.to_string(),
            zone: zone_of(&disk),
            iops: rate(&disk, "diskIOPSReadWrite"),
            disk_type: disk_type.to_owned(),
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
        // Where they are now, and where they are without `resourceGroup`.
        let places = [
            self.settings.snapshot_subscription.as_str(),
            self.settings.subscription.as_str(),
        ];
        let mut all = Vec::new();
        for subscription in BTreeSet::from(places) {
            all.extend(
                self.find(subscription, Kind::Snapshot, (key, value))
                    .await?,
            );
        }
        Ok(all)
    }

    async fn find_disks(&self, key: &str, value: Option<&str>) -> Result<Vec<Tagged>, DiskError> {
        let subscription = &self.settings.subscription;
        self.find(subscription, Kind::Disk, (key, value)).await
    }

    async fn delete_snapshot(&self, id: &str) -> Result<(), DiskError> {
        self.manager.delete(&id_of(Kind::Snapshot, id)?).await
    }

    async fn create_disk(&self, request: &DiskRequest) -> Result<Disk, DiskError> {
        let source = id_of(Kind::Snapshot, &request.snapshot)?;
        let snapshot = self.manager.get(&source).await?;
        let group = if let Some(group) = &self.settings.disks {
            group.clone()
        } else {
            // Where the old disk was.
            let old = text(&snapshot, "/properties/creationData/sourceResourceId");
            id_of(Kind::Disk, old)?.group
        };
        let id = Id::new(&group, Kind::Disk, &request.token);
        let mut body = copy_of(&source, &snapshot);
        body["tags"] = tags::of_disk(request, &snapshot);
        describe(&mut body, request, &snapshot)?;
        let disk = self.make(&id, &source, &body).await?;
        Ok(Disk {
            zone: zone_of(&disk),
            id: id.to_string(),
        })
    }

    async fn delete_disk(&self, disk: &Disk) -> Result<(), DiskError> {
        self.manager.delete(&id_of(Kind::Disk, &disk.id)?).await
    }
}

impl ManagedDisks {
    /// Makes something that is a copy of `source`, if it is not there yet.
    async fn make(&self, id: &Id, source: &Id, body: &Value) -> Result<Value, DiskError> {
        let what = id.to_string();
        let call = Call {
            deed: "put",
            what: &what,
        };
        let made = retry(async |_| match self.manager.settled(id).await {
            Ok(thing) => {
                let copied = text(&thing, "/properties/creationData/sourceResourceId");
                if source.is(copied) {
                    return Ok(thing);
                }
                let message = format!("is there already, and a copy of {copied}");
                Err(call.error(DiskErrorKind::Other, message))
            }
            Err(error) if error.kind == DiskErrorKind::NotFound => {
                let made = self.manager.put(id, body).await;
                if let Err(error) = &made
                    && !error.is_retryable()
                {
                    // What began and failed stays there otherwise; the first error counts.
                    let _ = self.manager.delete(id).await;
                }
                made?;
                self.manager.settled(id).await
            }
            Err(error) => Err(error),
        });
        made.await
    }

    async fn find(
        &self,
        subscription: &str,
        kind: Kind,
        (key, value): (&str, Option<&str>),
    ) -> Result<Vec<Tagged>, DiskError> {
        let all = self.manager.list(subscription, kind).await?;
        let tagged = all.iter().filter_map(|thing| {
            let tags = tags::tags(thing);
            let has = tags.get(key)?;
            let id = Id::parse(kind, text(thing, "/id"))?.to_string();
            value
                .is_none_or(|value| value == has)
                .then_some(Tagged { id, tags })
        });
        Ok(tagged.collect())
    }

    /// How far a snapshot is.
    async fn state_of(&self, id: String) -> Result<SnapshotState, DiskError> {
        let snapshot = self.manager.get(&id_of(Kind::Snapshot, &id)?).await?;
        Ok(state(&snapshot))
    }
}

fn id_of(kind: Kind, id: &str) -> Result<Id, DiskError> {
    Id::parse(kind, id).ok_or_else(|| {
        let call = Call {
            deed: "get",
            what: id,
        };
        let message = format!("is no id of one of Azure's {}", kind.folder());
        call.error(DiskErrorKind::Invalid, message)
    })
}
