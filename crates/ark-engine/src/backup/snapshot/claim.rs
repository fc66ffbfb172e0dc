//! CSI snapshots of claims: all are asked for first, then awaited on one watch.
//!
//! ```text
//! VolumeSnapshot ─▶ cut: its content is kept (Retain) and has the backup's labels
//!   ─▶ claim, snapshot and content into the archive ─▶ ready ─▶ commit ─▶ both objects go
//! ```
//!
//! # Guarantees
//! * Until the backup is committed, what the storage system has can be found through
//!   objects with the backup's UID: an attempt that died is cleared away with its
//!   snapshots. From then on the archive tells of them.
//! * Nothing stays in the cluster. The objects have no labels of the claim, by which a
//!   tool that keeps a cluster in step with a repository would take them for its own.

mod awaited;
mod document;
mod grouped;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use ark_api::{GoDuration, label};
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::Value;

use super::{Outcome, digest, lock};
use crate::backup::keep::Keeper;
use crate::backup::volumes::ClaimSource;
use crate::backup::{BackupError, ValidatedBackup};
use crate::csi::body::{self, Named, Policy};
use crate::csi::class::{self, Asked, Class};
use crate::csi::{Kinds, clear, group};
use crate::job::Job;
use crate::object::Object;
use crate::port::{ApiResource, ClusterErrorKind, CreateOptions, Discovery, ListQuery};
use awaited::Goal;
use document::Documents;

/// How long a snapshot may take to be cut, unless the backup says otherwise.
const CUT_TIMEOUT: Duration = Duration::from_mins(10);
/// Attempts to make one object, and the pause after the first; it doubles.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_secs(1);
/// Classes a page.
const PAGE: u32 = 100;
/// Longest part of a snapshot's name that is the claim's.
const NAME: usize = 40;

/// A snapshot that was asked for.
#[derive(Debug, Clone)]
pub(in crate::backup) struct TakenClaim {
    pub source: ClaimSource,
    /// Its class.
    pub class: String,
    /// Name of the `VolumeSnapshot`.
    pub snapshot: String,
    /// Name of the `VolumeGroupSnapshot` that it is taken with, if it is.
    pub group: Option<String>,
    /// What the storage system has, once it has it.
    pub cut: Option<Cut>,
    pub outcome: Outcome,
    pub begun: Timestamp,
    pub ended: Option<Timestamp>,
    /// What the driver said last.
    complaint: Option<String>,
    /// Since when it has been refusing.
    refused: Option<Timestamp>,
}

/// A snapshot that the storage system has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::backup) struct Cut {
    /// Name of the `VolumeSnapshotContent`.
    pub content: String,
    /// The storage system's handle.
    pub handle: String,
    /// Bytes that a volume made of it needs.
    pub bytes: i64,
    /// The handle of the group that it was taken with; empty if it was taken alone.
    pub group: String,
}

/// By the name of the volume.
pub(in crate::backup) type TakenClaims = BTreeMap<String, TakenClaim>;

/// What the cluster has for taking snapshots.
struct World {
    kinds: Kinds,
    classes: Vec<Class>,
    group_classes: Vec<group::Class>,
    /// The classes as they are.
    objects: Vec<Object>,
}

/// The snapshots of claims of one attempt.
pub(super) struct ClaimSnapshots<'a> {
    job: &'a Job,
    uid: String,
    attempt: String,
    /// What every object has that is made.
    labels: BTreeMap<String, String>,
    /// The backup's own.
    annotations: BTreeMap<String, String>,
    /// The label that puts claims in groups.
    group_key: String,
    timeout: Duration,
    world: OnceLock<World>,
    open: Mutex<BTreeMap<String, ClaimSource>>,
    taken: Mutex<TakenClaims>,
    /// Snapshots and contents as they were when they were cut, for the archive.
    documents: Mutex<Documents>,
}

impl<'a> ClaimSnapshots<'a> {
    /// None is wanted yet.
    pub(super) fn new(job: &'a Job, backup: &ValidatedBackup, attempt: &str) -> Self {
        let metadata = &backup.backup.metadata;
        let uid = metadata.uid.clone().unwrap_or_default();
        let timeout = backup.backup.spec.csi_snapshot_timeout;
        Self {
            job,
            attempt: attempt.to_owned(),
            labels: [
                (
                    label::BACKUP_NAME.to_owned(),
                    label::valid_value(backup.name()),
                ),
                (label::BACKUP_UID.to_owned(), uid.clone()),
            ]
            .into(),
            annotations: metadata.annotations.clone().unwrap_or_default(),
            group_key: backup.volume_group_key().to_owned(),
            timeout: GoDuration::or_default(timeout, CUT_TIMEOUT),
            uid,
            world: OnceLock::new(),
            open: Mutex::default(),
            taken: Mutex::default(),
            documents: Mutex::default(),
        }
    }

    /// Learns which classes there are, if the cluster serves CSI snapshots.
    pub(super) async fn learn(&self, discovery: &Discovery) {
        let Some(kinds) = Kinds::of(discovery) else {
            return;
        };
        let query = every(&kinds.classes, None);
        let objects = match self.job.ports.cluster.list_all(&query, PAGE).await {
            Ok(objects) => objects,
            Err(error) => {
                self.job
                    .warn(format!("no CSI snapshots can be taken: {error}"));
                return;
            }
        };
        let objects = objects.iter().map(Object::detached);
        let objects: Vec<Object> = objects.collect();
        let values = objects.iter().filter_map(|class| class.to_value().ok());
        let classes = values.map(|class| Class::read(&class)).collect();
        let world = World {
            group_classes: self.group_classes(&kinds).await,
            kinds,
            classes,
            objects,
        };
        // Once an attempt.
        let _ = self.world.set(world);
    }

    /// Whether snapshots can be taken at all.
    pub(super) fn are_possible(&self) -> bool {
        let world = self.world.get();
        world.is_some_and(|world| !world.classes.is_empty() || !world.group_classes.is_empty())
    }

    /// Notes what is to be taken. What an earlier attempt has left goes first.
    pub(super) async fn want(&self, wanted: BTreeMap<String, ClaimSource>) {
        self.clear(Policy::Delete).await;
        *lock(&self.open) = wanted;
    }

    /// Removes all snapshots again, since the attempt fails.
    pub(super) async fn take_back(&self) {
        if !lock(&self.taken).is_empty() {
            self.clear(Policy::Delete).await;
        }
    }

    async fn clear(&self, policy: Policy) {
        if let Some(world) = self.world.get() {
            let problems = clear::all(
                self.job.ports.cluster.as_ref(),
                &world.kinds,
                &self.uid,
                policy,
            );
            tell(self.job, problems.await);
        }
    }

    /// Which are wanted and not begun.
    pub(super) fn open(&self) -> Vec<String> {
        lock(&self.open).keys().cloned().collect()
    }

    /// Takes the snapshots of these volumes as far as they are wanted and not begun, and
    /// waits until each shows its moment or has failed.
    pub(super) async fn take(&self, volumes: &[String], workers: usize) {
        let wanted = self.take_open(volumes);
        if wanted.is_empty() || self.job.cancel.is_cancelled() {
            return;
        }
        let names: BTreeSet<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
        let (groups, single) = self.split(wanted);
        stream::iter(single)
            .for_each_concurrent(workers.max(1), |(name, source)| self.begin(name, source))
            .await;
        stream::iter(groups)
            .for_each_concurrent(workers.max(1), |group| self.begin_group(group))
            .await;
        // Boxed, or the compiler cannot tell that what holds this can be sent.
        self.await_both(&names, Goal::Cut, self.timeout)
            .boxed()
            .await;
    }

    /// Those of these volumes that are wanted and not begun, and with each all others of its
    /// group: they are taken together or not at the same instant.
    fn take_open(&self, volumes: &[String]) -> Vec<(String, ClaimSource)> {
        let mut open = lock(&self.open);
        let wanted = volumes.iter();
        let mut wanted: Vec<_> = wanted.filter_map(|name| open.remove_entry(name)).collect();
        let group = |source: &ClaimSource| {
            let group = source.group.as_ref()?;
            Some((source.claim.0.clone(), group.clone()))
        };
        let groups: BTreeSet<_> = wanted.iter().filter_map(|(_, one)| group(one)).collect();
        wanted.extend(open.extract_if(.., |_, one| {
            group(one).is_some_and(|group| groups.contains(&group))
        }));
        wanted
    }

    /// Waits until each snapshot can be used or has failed, at most for `timeout`.
    ///
    /// # Errors
    /// [`BackupError::Cancelled`].
    pub(super) async fn wait(&self, timeout: Duration) -> Result<TakenClaims, BackupError> {
        let names = lock(&self.taken).keys().cloned().collect();
        self.await_both(&names, Goal::Ready, timeout).await;
        if self.job.cancel.is_cancelled() {
            return Err(BackupError::Cancelled);
        }
        Ok(lock(&self.taken).clone())
    }

    /// Puts the claims that were held back in the archive, with the objects that tell of
    /// their snapshots.
    pub(super) async fn keep(&self, keeper: &mut Keeper<'_>) -> Result<(), BackupError> {
        let documents = std::mem::take(&mut *lock(&self.documents));
        let taken = lock(&self.taken).clone();
        let by_claim = taken.values().map(|one| (one.source.claim.clone(), one));
        let by_claim = by_claim.collect();
        let classes = document::keep(keeper, &by_claim, documents, &self.labels).await?;
        let Some(World { kinds, objects, .. }) = self.world.get() else {
            return Ok(());
        };
        for class in objects
            .iter()
            .filter(|one| classes.contains(&one.head().name))
        {
            keeper.keep(&kinds.classes, class.clone()).await?;
        }
        Ok(())
    }

    async fn begin(&self, volume: String, source: ClaimSource) {
        let begun = self.job.ports.clock.now();
        let (namespace, claim) = &source.claim;
        let name = self.name_for(namespace, claim);
        let made = match self.class_for(&source) {
            Ok(class) => self
                .make(&source, &name, class)
                .await
                .map(|()| class.name.clone()),
            Err(why) => Err(why),
        };
        let (class, outcome) = match made {
            Ok(class) => (class, Outcome::Pending(None)),
            Err(why) => (String::new(), Outcome::Failed(why)),
        };
        let failed = matches!(outcome, Outcome::Failed(_));
        let taken = TakenClaim {
            source,
            class,
            snapshot: name,
            group: None,
            cut: None,
            outcome,
            begun,
            ended: failed.then(|| self.job.ports.clock.now()),
            complaint: None,
            refused: None,
        };
        lock(&self.taken).insert(volume, taken);
    }

    /// A name that only this attempt has, for a snapshot of a claim or of a group. Values of
    /// labels may have letters that names must not.
    fn name_for(&self, namespace: &str, of: &str) -> String {
        let readable = of[..of.floor_char_boundary(NAME)].to_lowercase();
        let readable = readable.replace('_', "-");
        format!(
            "velero-{}-{}",
            readable.trim_matches(['-', '.']),
            &digest(&[&self.attempt, namespace, of])[..10]
        )
    }

    fn class_for(&self, source: &ClaimSource) -> Result<&Class, String> {
        let Some(world) = self.world.get() else {
            return Err(
                "no snapshot location of the backup knows its disk, and the cluster does not serve CSI \
                 snapshots (snapshot.storage.k8s.io). Install the snapshot controller, leave the \
                 volume out by a volume policy, or set snapshotVolumes to false"
                    .to_owned(),
            );
        };
        let asked = Asked {
            by_claim: source.class.as_deref(),
            backup: &self.annotations,
        };
        let (class, passed_over) = class::choose(&world.classes, &source.driver, asked)?;
        let (namespace, claim) = &source.claim;
        for problem in passed_over {
            self.job
                .warn(format!("claim {namespace}/{claim}: {problem}"));
        }
        Ok(class)
    }

    async fn make(&self, source: &ClaimSource, name: &str, class: &Class) -> Result<(), String> {
        let Some(World { kinds, .. }) = self.world.get() else {
            return Ok(());
        };
        let (namespace, claim) = &source.claim;
        let named = Named {
            namespace,
            name,
            labels: &self.labels,
        };
        let resource = &kinds.snapshots;
        let body = body::of_claim(&resource.version, named, claim, &class.name);
        self.post(resource, namespace, &body).await
    }

    /// Makes an object. That it exists means that an answer was lost: its name is that of
    /// this attempt.
    async fn post(
        &self,
        resource: &ApiResource,
        namespace: &str,
        body: &Value,
    ) -> Result<(), String> {
        let body = Bytes::from(body.to_string());
        let mut pause = PAUSE;
        for attempt in 1.. {
            let options = CreateOptions::default();
            let cluster = &self.job.ports.cluster;
            let made = cluster.create(resource, Some(namespace), body.clone(), options);
            match made.await {
                Ok(_) => break,
                Err(error) if error.kind == ClusterErrorKind::AlreadyExists => break,
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    self.job.ports.clock.sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }
}

/// All objects of a kind, or those of one backup.
fn every(resource: &ApiResource, uid: Option<&str>) -> ListQuery {
    ListQuery {
        label_selector: uid.map(|uid| label::selector(label::BACKUP_UID, uid)),
        ..ListQuery::all(resource.clone())
    }
}

fn tell(job: &Job, problems: Vec<String>) {
    for problem in problems {
        job.warn(format!("a CSI snapshot may be left: {problem}"));
    }
}

/// Takes the objects of a committed backup's snapshots out of the cluster. The archive
/// tells of what the storage system keeps.
pub(in crate::backup) async fn release(job: &Job, discovery: &Discovery, uid: &str) {
    if let Some(kinds) = Kinds::of(discovery) {
        let problems = clear::all(job.ports.cluster.as_ref(), &kinds, uid, Policy::Retain).await;
        for problem in problems {
            job.note(format!(
                "an object of a CSI snapshot may be left: {problem}"
            ));
        }
    }
}
