//! Snapshots of volumes: begun while the application holds still if it has hooks, all
//! others after the lists, many at once; then awaited together.

mod claim;
mod disk;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::keep::Keeper;
use super::volumes::{Choice, Source, Subject};
use super::{BackupError, ValidatedBackup};
use crate::job::Job;
use crate::policy::Method;
use crate::port::Discovery;
use claim::ClaimSnapshots;
pub(super) use claim::{TakenClaim, TakenClaims, release};
use disk::DiskSnapshots;
pub(super) use disk::{TakenDisk, TakenDisks};

/// The tag by which everything that a backup made is found.
pub const UID_TAG: &str = "ark.heptio.com/backup-uid";

/// What became of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is being made; percent, if that is known.
    Pending(Option<u8>),
    /// A volume can be made of it.
    Completed,
    /// There is none, or none of use.
    Failed(String),
}

/// The snapshots of one attempt, by the names of their volumes.
pub(super) struct Snapshots<'a> {
    pub(super) job: &'a Job,
    disks: DiskSnapshots<'a>,
    claims: ClaimSnapshots<'a>,
}

impl<'a> Snapshots<'a> {
    /// None is wanted yet.
    pub(super) fn new(job: &'a Job, backup: &ValidatedBackup) -> Self {
        let uid = backup.backup.metadata.uid.as_deref().unwrap_or_default();
        // Distinguishes this attempt from others of the same backup.
        let attempt = format!("{uid} {}", job.ports.clock.now());
        Self {
            job,
            disks: DiskSnapshots::new(job, backup, &attempt),
            claims: ClaimSnapshots::new(job, backup, &attempt),
        }
    }

    /// Learns how the cluster takes snapshots of claims.
    pub(super) async fn learn(&self, discovery: &Discovery) {
        self.claims.learn(discovery).await;
    }

    /// Whether snapshots of claims can be taken at all.
    pub(super) fn of_claims(&self) -> bool {
        self.claims.are_possible()
    }

    /// Notes all that `choices` want. If there are any, what an earlier attempt has left
    /// goes first.
    pub(super) async fn want(&self, choices: &[Choice]) {
        let (mut disks, mut claims) = (BTreeMap::new(), BTreeMap::new());
        for choice in choices {
            let Subject::Volume { name, .. } = &choice.subject else {
                continue;
            };
            match &choice.source {
                Some(Source::Disk(disk)) if choice.method == Method::Snapshot => {
                    disks.insert(name.clone(), disk.clone());
                }
                Some(Source::Claim(claim)) if choice.method == Method::Snapshot => {
                    claims.insert(name.clone(), claim.clone());
                }
                _ => {}
            }
        }
        self.disks.want(disks).await;
        self.claims.want(claims).await;
    }

    /// Removes all snapshots again, since the attempt fails.
    pub(super) async fn take_back(&self) {
        self.disks.take_back().await;
        self.claims.take_back().await;
    }

    /// Takes the snapshots of these volumes, `workers` at once, as far as they are wanted
    /// and not begun. When this returns they show their moment, or have failed.
    pub(super) async fn take(&self, volumes: &[String], workers: usize) {
        futures::join!(
            self.disks.take(volumes, workers),
            self.claims.take(volumes, workers)
        );
    }

    /// Takes all that are left.
    pub(super) async fn take_rest(&self, workers: usize) {
        let mut rest = self.disks.open();
        rest.extend(self.claims.open());
        if !rest.is_empty() {
            self.job
                .stage(format!("{} snapshots of volumes", rest.len()));
        }
        self.take(&rest, workers).await;
    }

    /// Puts the claims in the archive that were held back, and what tells of their
    /// snapshots.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub(super) async fn keep_claims(&self, keeper: &mut Keeper<'_>) -> Result<(), BackupError> {
        self.claims.keep(keeper).await
    }

    /// Waits until each is completed or has failed, at most for `timeout`.
    ///
    /// # Errors
    /// [`BackupError::Cancelled`].
    pub(super) async fn wait(
        &self,
        timeout: Duration,
    ) -> Result<(TakenDisks, TakenClaims), BackupError> {
        let (disks, claims) = futures::join!(self.disks.wait(timeout), self.claims.wait(timeout));
        Ok((disks?, claims?))
    }
}

/// The name of a deed: the same for the same parts, and nothing else has it.
pub(crate) fn token(parts: &[&str]) -> String {
    format!("ark-{}", digest(parts))
}

/// 32 hexadecimal digits that only these parts have.
fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hex::encode(&hasher.finalize()[..16])
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
