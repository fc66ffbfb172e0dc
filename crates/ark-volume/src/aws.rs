//! Amazon EBS, through EC2's query API.
//!
//! | file | concern |
//! |---|---|
//! | `settings.rs` | config keys, and where EC2 is |
//! | `api.rs` | one signed call, and what its errors mean |
//! | `answer.rs` | the parts of answers that are read |
//! | `volume.rs` | a `PersistentVolume` ↔ a disk |
//! | `tags.rs` | what snapshots and disks are tagged with |
//!
//! EC2 has a client token for disks and none for snapshots, so both get a tag with the
//! token, and before one is made it is looked for by that.
//!
//! Source: Amazon EC2 API Reference, version 2016-11-15.

mod answer;
mod api;
mod settings;
mod tags;
mod volume;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::{
    Disk, DiskError, DiskErrorKind, DiskRequest, Disks, Snapshot, SnapshotRequest, SnapshotState,
    Tagged,
};
use async_trait::async_trait;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::location::SnapshotLocation;
use crate::open::OpenError;
use crate::retry::retry;
use answer::{Created, SnapshotItem, Snapshots, VolumeItem, Volumes};
use api::{Call, Ec2};
use settings::Settings;
use tags::{THROUGHPUT, TOKEN};

/// Values that one filter may have.
const FILTER_VALUES: usize = 200;
/// Entries a page.
const PAGE: usize = 1000;
/// How long a disk may take until it can be attached.
const DISK_PATIENCE: Duration = Duration::from_mins(10);
/// Pause between two looks at a disk that is being made.
const LOOK: Duration = Duration::from_secs(1);

pub(crate) async fn open(location: &SnapshotLocation) -> Result<Arc<dyn Disks>, OpenError> {
    let settings = Settings::of(location)?;
    let api = Ec2::new(location, &settings).await?;
    Ok(Arc::new(Ebs {
        api,
        key: settings.key,
        cluster: settings.cluster,
    }))
}

/// The disks of one account in one region.
struct Ebs {
    api: Ec2,
    /// The key of KMS that new disks are encrypted with; without one they are as their
    /// snapshots are.
    key: Option<String>,
    /// The name of this cluster, if disks shall be tagged with it.
    cluster: Option<String>,
}

#[async_trait]
impl Disks for Ebs {
    fn disk_of(&self, volume: &Value) -> Option<Disk> {
        volume::disk_of(volume)
    }

    fn set_disk(&self, volume: &mut Value, disk: &Disk) {
        volume::set_disk(volume, disk);
    }

    async fn create_snapshot(&self, request: &SnapshotRequest) -> Result<Snapshot, DiskError> {
        let id = &request.disk.id;
        let disk = retry(|_| self.disk(id)).await?;
        let tags = tags::of_snapshot(request, &disk);
        let found = retry(async |_| {
            // EC2 has no token for this call: a lost answer shows in the tag.
            if let Some(made) = self.snapshot_of(&request.token).await? {
                return Ok(made.snapshot_id);
            }
            let description = format!("Ark: {id}, {}", request.token);
            let call = Call::new("CreateSnapshot", id)
                .with("VolumeId", id)
                .with("Description", description)
                .tagged("snapshot", &tags);
            let made: Created = self.api.call(call).await?;
            Ok(made.snapshot_id)
        });
        Ok(Snapshot {
            id: found.await?,
            disk_type: disk.volume_type,
            zone: disk.availability_zone,
            iops: disk.iops,
        })
    }

    async fn snapshot_states(
        &self,
        ids: &[String],
    ) -> Result<BTreeMap<String, SnapshotState>, DiskError> {
        let mut states = BTreeMap::new();
        for ids in ids.chunks(FILTER_VALUES) {
            let what = format!("{} snapshots", ids.len());
            let found = self.snapshots(&what, "snapshot-id", ids).await?;
            states.extend(found.into_iter().map(SnapshotItem::state));
        }
        Ok(states)
    }

    async fn find_snapshots(
        &self,
        key: &str,
        value: Option<&str>,
    ) -> Result<Vec<Tagged>, DiskError> {
        let (filter, wanted) = by_tag(key, value);
        let found = self.snapshots(&filter, &filter, &[wanted]).await?;
        let tagged = found.into_iter().map(|one| Tagged {
            id: one.snapshot_id,
            tags: one.tag_set.into(),
        });
        Ok(tagged.collect())
    }

    async fn find_disks(&self, key: &str, value: Option<&str>) -> Result<Vec<Tagged>, DiskError> {
        let (filter, wanted) = by_tag(key, value);
        let found = self.volumes(&filter, &filter, &wanted).await?;
        let there = found.into_iter().filter(|one| !one.is_leaving());
        let tagged = there.map(|one| Tagged {
            id: one.volume_id,
            tags: one.tag_set.into(),
        });
        Ok(tagged.collect())
    }

    async fn delete_snapshot(&self, id: &str) -> Result<(), DiskError> {
        let call = Call::new("DeleteSnapshot", id).with("SnapshotId", id);
        self.delete(call).await
    }

    async fn create_disk(&self, request: &DiskRequest) -> Result<Disk, DiskError> {
        let id = &request.snapshot;
        if request.zone.is_empty() {
            return Err(DiskError {
                kind: DiskErrorKind::Invalid,
                operation: format!("CreateVolume of {id}"),
                message: "it is not known in which zone the disk shall be".to_owned(),
                retry_after: None,
            });
        }
        let snapshot = self.snapshot(id).await?;
        let call = self.creation(request, &snapshot);
        let made = retry(async |_| {
            // The client token would do, were it kept for longer than a day.
            match self.disk_made_by(&request.token).await? {
                Some(made) => Ok(made),
                None => self.api.call(call.clone()).await,
            }
        });
        self.available(made.await?).await
    }

    async fn delete_disk(&self, disk: &Disk) -> Result<(), DiskError> {
        let call = Call::new("DeleteVolume", &disk.id).with("VolumeId", &disk.id);
        self.delete(call).await
    }
}

impl Ebs {
    async fn disk(&self, id: &str) -> Result<VolumeItem, DiskError> {
        let call = Call::new("DescribeVolumes", id).with("VolumeId.1", id);
        let gone = call.error(DiskErrorKind::NotFound, "there is no such disk");
        let found: Volumes = self.api.call(call).await?;
        let mut found = found.volume_set.item.into_iter();
        found.find(|one| !one.is_leaving()).ok_or(gone)
    }

    async fn snapshot(&self, id: &str) -> Result<SnapshotItem, DiskError> {
        let call = Call::new("DescribeSnapshots", id).with("SnapshotId.1", id);
        let gone = call.error(DiskErrorKind::NotFound, "there is no such snapshot");
        let found: Snapshots = retry(|_| self.api.call(call.clone())).await?;
        found.snapshot_set.item.into_iter().next().ok_or(gone)
    }

    async fn snapshot_of(&self, token: &str) -> Result<Option<SnapshotItem>, DiskError> {
        let (filter, wanted) = by_tag(TOKEN, Some(token));
        let mut found = self.snapshots(token, &filter, &[wanted]).await?;
        Ok(found.pop())
    }

    async fn disk_made_by(&self, token: &str) -> Result<Option<VolumeItem>, DiskError> {
        let (filter, wanted) = by_tag(TOKEN, Some(token));
        let found = self.volumes(token, &filter, &wanted).await?;
        Ok(found.into_iter().find(|one| !one.is_leaving()))
    }

    /// All snapshots of this account that a filter lets through.
    async fn snapshots(
        &self,
        what: &str,
        filter: &str,
        values: &[String],
    ) -> Result<Vec<SnapshotItem>, DiskError> {
        let mut call = Call::new("DescribeSnapshots", what)
            .with("Owner.1", "self")
            .with("MaxResults", PAGE)
            .with("Filter.1.Name", filter);
        for (number, value) in (1..).zip(values) {
            call = call.with(&format!("Filter.1.Value.{number}"), value);
        }
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let call = call.clone().page(token.as_deref());
            let page: Snapshots = retry(|_| self.api.call(call.clone())).await?;
            all.extend(page.snapshot_set.item);
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    /// All disks that a filter lets through.
    async fn volumes(
        &self,
        what: &str,
        filter: &str,
        value: &str,
    ) -> Result<Vec<VolumeItem>, DiskError> {
        let call = Call::new("DescribeVolumes", what)
            .with("MaxResults", PAGE)
            .with("Filter.1.Name", filter)
            .with("Filter.1.Value.1", value);
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let call = call.clone().page(token.as_deref());
            let page: Volumes = retry(|_| self.api.call(call.clone())).await?;
            all.extend(page.volume_set.item);
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    fn creation(&self, request: &DiskRequest, snapshot: &SnapshotItem) -> Call {
        let tags = tags::of_disk(request, &snapshot.tag_set, self.cluster.as_deref());
        let mut call = Call::new("CreateVolume", &request.snapshot)
            .with("SnapshotId", &request.snapshot)
            .with("AvailabilityZone", &request.zone)
            .with("ClientToken", &request.token)
            .tagged("volume", &tags);
        if !request.disk_type.is_empty() {
            call = call.with("VolumeType", &request.disk_type);
        }
        let kind = request.disk_type.as_str();
        // The other types have a rate by their size, and refuse to be given one.
        if let ("gp3" | "io1" | "io2", Some(iops)) = (kind, request.iops) {
            call = call.with("Iops", iops);
        }
        if let ("gp3", Some(throughput)) = (kind, snapshot.tag_set.get(THROUGHPUT)) {
            call = call.with("Throughput", throughput);
        }
        if let Some(key) = &self.key {
            call = call.with("Encrypted", true).with("KmsKeyId", key);
        }
        call
    }

    /// Waits until a disk can be attached.
    async fn available(&self, mut disk: VolumeItem) -> Result<Disk, DiskError> {
        let begun = Instant::now();
        loop {
            let id = &disk.volume_id;
            match disk.status.as_str() {
                "available" | "in-use" => {
                    return Ok(Disk {
                        id: disk.volume_id,
                        zone: disk.availability_zone,
                    });
                }
                "creating" if begun.elapsed() < DISK_PATIENCE => sleep(LOOK).await,
                state => {
                    let message = format!("disk {id} is {state}");
                    let call = Call::new("CreateVolume", id);
                    return Err(call.error(DiskErrorKind::Other, &message));
                }
            }
            disk = retry(|_| self.disk(id)).await?;
        }
    }

    async fn delete(&self, call: Call) -> Result<(), DiskError> {
        let ended = retry(|_| self.api.order(call.clone())).await;
        match ended {
            Err(error) if error.kind == DiskErrorKind::NotFound => Ok(()),
            ended => ended,
        }
    }
}

/// Name and value of a filter.
fn by_tag(key: &str, value: Option<&str>) -> (String, String) {
    match value {
        Some(value) => (format!("tag:{key}"), value.to_owned()),
        None => ("tag-key".to_owned(), key.to_owned()),
    }
}
