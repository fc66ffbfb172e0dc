//! Snapshots of disks, through the snapshot location that knows each.
//!
//! # Guarantees
//! * Every snapshot has the backup's UID as a tag from its first moment on, so that what
//!   an attempt that died has left is found and removed.
//! * Within an attempt one volume has one snapshot, also when an answer was lost. The
//!   next attempt takes new ones: an older instant would be passed off as this one.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use ark_api::label;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;

use super::super::volumes::DiskSource;
use super::super::{BackupError, ValidatedBackup};
use super::{Outcome, UID_TAG, lock, token};
use crate::job::Job;
use crate::port::{DiskError, Snapshot, SnapshotRequest, SnapshotState, Tags};

/// Pause between two looks at unfinished snapshots: the first, and the longest.
const LOOK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// A snapshot that was asked for.
#[derive(Debug, Clone)]
pub(in crate::backup) struct TakenDisk {
    pub source: DiskSource,
    /// What the provider answered, if it did.
    pub snapshot: Option<Snapshot>,
    pub outcome: Outcome,
    pub begun: Timestamp,
    pub ended: Option<Timestamp>,
}

/// By the name of the volume.
pub(in crate::backup) type TakenDisks = BTreeMap<String, TakenDisk>;

/// The snapshots of disks of one attempt.
pub(super) struct DiskSnapshots<'a> {
    job: &'a Job,
    /// What all have.
    tags: Tags,
    /// Distinguishes this attempt from others of the same backup.
    attempt: String,
    uid: String,
    /// Not asked for yet.
    open: Mutex<BTreeMap<String, DiskSource>>,
    taken: Mutex<TakenDisks>,
}

impl<'a> DiskSnapshots<'a> {
    /// None is wanted yet.
    pub(super) fn new(job: &'a Job, backup: &ValidatedBackup, attempt: &str) -> Self {
        let metadata = &backup.backup.metadata;
        let uid = metadata.uid.as_deref().unwrap_or_default();
        let mut tags = metadata.labels.clone().unwrap_or_default();
        tags.insert(
            "velero.io/backup".to_owned(),
            label::valid_value(backup.name()),
        );
        tags.insert(UID_TAG.to_owned(), uid.to_owned());
        Self {
            job,
            tags,
            attempt: attempt.to_owned(),
            uid: uid.to_owned(),
            open: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    /// Notes what is to be taken. If there is anything, what an earlier attempt has left
    /// goes first.
    pub(super) async fn want(&self, wanted: BTreeMap<String, DiskSource>) {
        if !wanted.is_empty() {
            self.sweep().await;
        }
        *lock(&self.open) = wanted;
    }

    /// Removes all snapshots again, since the attempt fails.
    pub(super) async fn take_back(&self) {
        if !lock(&self.taken).is_empty() {
            self.sweep().await;
        }
    }

    /// Deletes every snapshot that has the backup's tag. What stays does no harm to the
    /// next attempt, and `ark orphans` finds it.
    async fn sweep(&self) {
        for (name, disks) in self.job.ports.snapshots.usable() {
            let left = |why: String| {
                let message = format!("snapshots may be left in location `{name}`: {why}");
                self.job.warn(message);
            };
            let found = match disks.find_snapshots(UID_TAG, Some(&self.uid)).await {
                Ok(found) => found,
                Err(error) => {
                    left(error.to_string());
                    continue;
                }
            };
            for snapshot in found {
                let id = &snapshot.id;
                self.job
                    .note(format!("deleting snapshot {id} of an attempt that ended"));
                if let Err(error) = disks.delete_snapshot(id).await {
                    left(error.to_string());
                }
            }
        }
    }

    /// How many are wanted and not begun.
    pub(super) fn open(&self) -> Vec<String> {
        lock(&self.open).keys().cloned().collect()
    }

    /// Begins the snapshots of these volumes, `workers` at once, as far as they are
    /// wanted and not begun. What fails is noted.
    pub(super) async fn take(&self, volumes: &[String], workers: usize) {
        let wanted: Vec<(String, DiskSource)> = {
            let mut open = lock(&self.open);
            let wanted = volumes.iter();
            wanted.filter_map(|name| open.remove_entry(name)).collect()
        };
        stream::iter(wanted)
            .for_each_concurrent(workers.max(1), |(name, source)| self.begin(name, source))
            .await;
    }

    async fn begin(&self, volume: String, source: DiskSource) {
        if self.job.cancel.is_cancelled() {
            return;
        }
        let begun = self.job.ports.clock.now();
        let mut tags = self.tags.clone();
        tags.insert("velero.io/pv".to_owned(), label::valid_value(&volume));
        let request = SnapshotRequest {
            disk: source.disk.clone(),
            token: token(&[&self.attempt, &volume]),
            tags,
        };
        let answer = match self.job.ports.snapshots.get(&source.location) {
            Ok(disks) => {
                let made = disks.create_snapshot(&request).await;
                made.map_err(|error| said(&source, &error))
            }
            Err(why) => Err(why),
        };
        let (snapshot, outcome) = match answer {
            Ok(snapshot) => (Some(snapshot), Outcome::Pending(None)),
            Err(why) => (None, Outcome::Failed(why)),
        };
        let ended = snapshot.is_none().then(|| self.job.ports.clock.now());
        let taken = TakenDisk {
            source,
            snapshot,
            outcome,
            begun,
            ended,
        };
        lock(&self.taken).insert(volume, taken);
    }

    /// Looks at the snapshots until each is completed or has failed, at most for
    /// `timeout`.
    ///
    /// # Errors
    /// [`BackupError::Cancelled`].
    pub(super) async fn wait(&self, timeout: Duration) -> Result<TakenDisks, BackupError> {
        let clock = &self.job.ports.clock;
        let mut taken = lock(&self.taken).clone();
        let mut waited = Duration::ZERO;
        let mut pause = LOOK.0;
        loop {
            if self.job.cancel.is_cancelled() {
                return Err(BackupError::Cancelled);
            }
            look(self.job, &mut taken).await;
            let pending = taken.values().filter(|one| one.is_pending()).count();
            if pending == 0 || waited >= timeout {
                return Ok(taken);
            }
            self.job.stage(format!(
                "{} of {} snapshots are complete",
                taken.len() - pending,
                taken.len()
            ));
            tokio::select! {
                () = clock.sleep(pause) => {}
                () = self.job.cancel.cancelled() => {}
            }
            waited += pause;
            pause = (pause * 2).min(LOOK.1);
        }
    }
}

impl TakenDisk {
    fn is_pending(&self) -> bool {
        matches!(self.outcome, Outcome::Pending(_))
    }
}

/// Looks once, with one call for each location.
async fn look(job: &Job, taken: &mut TakenDisks) {
    let mut by_location: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in taken.values().filter(|one| one.is_pending()) {
        let ids = by_location.entry(one.source.location.clone()).or_default();
        ids.extend(one.snapshot.as_ref().map(|snapshot| snapshot.id.clone()));
    }
    for (location, ids) in by_location {
        let Ok(disks) = job.ports.snapshots.get(&location) else {
            continue;
        };
        let states = disks.snapshot_states(&ids).await;
        let now = job.ports.clock.now();
        let of_it = |one: &&mut TakenDisk| one.is_pending() && one.source.location == location;
        for one in taken.values_mut().filter(of_it) {
            let Some(snapshot) = &one.snapshot else {
                continue;
            };
            one.outcome = match &states {
                Err(error) if error.is_retryable() => continue,
                Err(error) => Outcome::Failed(said(&one.source, error)),
                Ok(states) => match states.get(&snapshot.id) {
                    Some(SnapshotState::Pending(percent)) => Outcome::Pending(*percent),
                    Some(SnapshotState::Completed) => Outcome::Completed,
                    Some(SnapshotState::Failed(why)) => {
                        Outcome::Failed(format!("snapshot {} failed: {why}", snapshot.id))
                    }
                    None => Outcome::Failed(format!("snapshot {} is gone", snapshot.id)),
                },
            };
            one.ended = (!one.is_pending()).then_some(now);
        }
    }
}

fn said(source: &DiskSource, error: &DiskError) -> String {
    format!("snapshot location `{}`: {error}", source.location)
}
