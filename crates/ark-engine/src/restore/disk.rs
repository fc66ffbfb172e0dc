//! New disks for volumes whose data is in a snapshot.
//!
//! A disk is made when nothing stands in the way of the volume's object, and taken back
//! when that cannot be made after all. Its token is that of the restore and the volume:
//! a restore that died and runs again finds the disk that it made.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::apply::{ATTEMPTS, Action, Applier, Outcome, being_deleted, failed, target};
use super::prepare::Prepared;
use super::volume::{DiskSource, is_leaving};
use crate::backup::token;
use crate::object::Object;
use crate::outcome::{Issue, Severity};
use crate::port::{ClusterError, ClusterErrorKind, Disk, DiskRequest, Disks, SnapshotLocations};

/// The tag by which what a restore made is found.
pub const RESTORE_UID_TAG: &str = "ark.heptio.com/restore-uid";
/// Pause between two looks at a volume that is going away.
const LOOK: Duration = Duration::from_secs(1);

/// What it takes to make disks.
pub(super) struct DiskMaker {
    pub locations: SnapshotLocations,
    /// UID of the restore.
    pub restore: String,
    /// How long a volume may take to go away.
    pub patience: Duration,
}

impl DiskMaker {
    fn location(&self, name: &str) -> Result<&dyn Disks, String> {
        if !name.is_empty() {
            return self.locations.get(name);
        }
        let mut usable = self.locations.usable();
        match (usable.next(), usable.next()) {
            (Some((_, disks)), None) => Ok(disks),
            _ => Err(
                "the backup names no snapshot location for the volume, so there must be exactly one"
                    .to_owned(),
            ),
        }
    }

    async fn make(
        &self,
        disks: &dyn Disks,
        volume: &str,
        source: &DiskSource,
    ) -> Result<Disk, String> {
        let tag = (RESTORE_UID_TAG.to_owned(), self.restore.clone());
        let request = DiskRequest {
            snapshot: source.snapshot.clone(),
            disk_type: source.disk_type.clone(),
            zone: source.zone.clone(),
            iops: source.iops,
            token: token(&[&self.restore, volume]),
            tags: [tag].into(),
        };
        let made = disks.create_disk(&request).await;
        made.map_err(|error| format!("its disk could not be made: {error}"))
    }
}

impl Applier {
    /// Brings a volume into the cluster that gets a new disk. One that exists and is in
    /// use is left with the disk that it has.
    ///
    /// # Errors
    /// As [`Applier::apply`].
    pub(super) async fn apply_with_disk(
        &self,
        item: &Prepared,
        source: &DiskSource,
    ) -> Result<Outcome, ClusterError> {
        match self.vacated(item).await? {
            Ok(None) => {}
            Ok(Some(live)) => return Ok(self.settle(item, &live).await),
            Err(problem) => return Ok(failed(item, problem)),
        }
        let disks = match self.disks.location(&source.location) {
            Ok(disks) => disks,
            Err(problem) => return Ok(failed(item, problem)),
        };
        let disk = match self.disks.make(disks, &item.key.name, source).await {
            Ok(disk) => disk,
            Err(problem) => return Ok(failed(item, problem)),
        };
        let posted = self.post(&with_disk(item, disks, &disk)).await;
        let made = matches!(&posted, Ok(outcome) if outcome.action == Action::Created);
        if made {
            return posted;
        }
        let left = self.take_back(item, disks, &disk).await;
        let mut outcome = posted?;
        outcome.issues.extend(left);
        Ok(outcome)
    }

    /// The volume of this name that stays; waits for one that goes away.
    async fn vacated(
        &self,
        item: &Prepared,
    ) -> Result<Result<Option<Object>, String>, ClusterError> {
        let (mut waited, mut attempt) = (Duration::ZERO, 1);
        loop {
            match self.cluster.get(target(item)).await {
                Ok(Some(live)) if !is_leaving(&live) => return Ok(Ok(Some(live))),
                Ok(Some(live)) if waited >= self.disks.patience => {
                    return Ok(Err(being_deleted(&live)));
                }
                Ok(Some(_)) => {
                    self.clock.sleep(LOOK).await;
                    waited += LOOK;
                }
                Ok(None) => return Ok(Ok(None)),
                Err(error) if error.kind == ClusterErrorKind::Unauthorized => return Err(error),
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    self.wait(attempt, &error).await;
                    attempt += 1;
                }
                Err(error) => return Ok(Err(error.to_string())),
            }
        }
    }

    /// Deletes a disk that no volume has; what may be left of it.
    async fn take_back(&self, item: &Prepared, disks: &dyn Disks, disk: &Disk) -> Option<Issue> {
        let why = match self.cluster.get(target(item)).await {
            Ok(live) => {
                let value = live.and_then(|live| live.to_value().ok());
                let used = value.and_then(|value| disks.disk_of(&value));
                if used.is_some_and(|used| used.id == disk.id) {
                    return None;
                }
                disks.delete_disk(disk).await.err()?.to_string()
            }
            Err(error) => error.to_string(),
        };
        let message = format!(
            "disk {} may be left behind without a volume: {why}",
            disk.id
        );
        Some(Issue::item(Severity::Warning, &item.key, message))
    }
}

/// The same request for a volume with this disk.
fn with_disk(item: &Prepared, disks: &dyn Disks, disk: &Disk) -> Prepared {
    let mut volume: Value = serde_json::from_slice(&item.body).unwrap_or_default();
    disks.set_disk(&mut volume, disk);
    Prepared {
        body: Bytes::from(volume.to_string()),
        ..item.clone()
    }
}
