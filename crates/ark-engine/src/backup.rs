//! Making a backup: one instant of the cluster, in one archive.
//!
//! [`validate`] turns a resource into a [`ValidatedBackup`]; [`run`] plans,
//! collects and commits it:
//!
//! ```text
//! discovery, revision R, namespaces ─▶ plan ─▶ collect (lists at R, many at once)
//!   ─▶ keep (select, act) ─▶ sink (tar, gzip members, upload) ─▶ relate (what kept objects need)
//!   ─▶ hooked (pods with hooks, block by block between them, with their volumes' snapshots)
//!   ─▶ snapshot (of all other volumes; then all are awaited)
//!   ─▶ commit (index, side files, and last velero-backup.json)
//! ```
//!
//! Memory is bounded by pages in flight, members being compressed, parts being
//! uploaded, and the index: 16 bytes a key to know what is in, the names for the
//! resource list, and the entries of the index. Pods with hooks stay in memory until
//! the lists are read.

mod block;
mod by_label;
mod collect;
mod commit;
mod filters;
mod hooked;
mod keep;
mod ordered;
mod plan;
mod reach;
mod relate;
mod remap;
mod sink;
mod snapshot;
mod surroundings;
mod validate;
mod volume_record;
mod volumes;

use std::collections::BTreeMap;
use std::time::Duration;

use ark_api::{BackupStatus, GoDuration};
use ark_archive::layout;

pub use commit::{Exception, Instant, REVISION_ANNOTATION, annotations, discard};
pub use plan::{BackupPlan, PlannedKind, Versions, plan};
pub use reach::reach;
pub use snapshot::UID_TAG;
pub(crate) use snapshot::token;
pub use surroundings::Surroundings;
pub use validate::{Defaults, FORMAT_VERSION, Rejected, ValidatedBackup, validate};

use crate::job::Job;
use crate::outcome::{Issue, Issues, Scope, Severity};
use crate::port::{
    ApiResource, ClusterError, ClusterErrorKind, Discovery, ListQuery, Revision, ServerVersion,
    StoreError, stamp,
};
use crate::progress::{Event, Part};
use collect::{Batch, Fence};
use keep::Keeper;
use sink::{Sink, Written};
use snapshot::Snapshots;
use volume_record::VolumeRecord;
use volumes::Choice;

/// How often a backup starts again because its revision was compacted away.
const ATTEMPTS: u32 = 3;
/// Namespaces a page when they are listed for planning.
const NAMESPACES_PAGE: u32 = 500;

/// How a backup runs. The defaults suit a server with two cores.
#[derive(Debug, Clone)]
pub struct Options {
    /// Lists at the same time.
    pub list_concurrency: usize,
    /// Size that a page of a list shall have, in bytes.
    pub page_bytes: usize,
    /// Objects that a page may have at most.
    pub max_page_items: u32,
    /// Level of gzip, 0 to 9.
    pub compression_level: u32,
    /// Size of a gzip member before compression, in bytes.
    pub member_bytes: usize,
    /// Members that are compressed at the same time.
    pub compress_workers: usize,
    /// Whether all lists are read at one revision.
    pub fence: bool,
    /// Which versions of a kind are saved.
    pub versions: Versions,
    /// Item blocks whose hooks are run at the same time.
    pub block_workers: usize,
    /// Snapshots of volumes that are begun at the same time.
    pub snapshot_workers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            list_concurrency: 4,
            page_bytes: 1 << 20,
            max_page_items: 1000,
            // Measured: half the work of level 6 for an eighth more bytes.
            compression_level: 1,
            member_bytes: 1 << 20,
            compress_workers: 2,
            fence: true,
            versions: Versions::Preferred,
            block_workers: 1,
            snapshot_workers: 10,
        }
    }
}

/// What a backup came to.
#[derive(Debug, Clone)]
pub struct Report {
    /// The final status, as it stands in the store.
    pub status: BackupStatus,
    /// All problems.
    pub issues: Issues,
    /// Size of the archive in bytes.
    pub bytes: u64,
    /// Which instant it shows.
    pub instant: Instant,
    /// The cluster's version.
    pub version: ServerVersion,
}

/// Why there is no backup. Nothing is committed when one of these is returned.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The name is taken.
    #[error("a backup named `{name}` already exists in object storage")]
    Exists {
        /// The name.
        name: String,
    },
    /// The cluster could not be asked something without which there is no backup.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The location could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the location has under this name cannot be read.
    #[error(transparent)]
    Catalog(#[from] crate::catalog::CatalogError),
    /// The archive could not be written.
    #[error(transparent)]
    Archive(#[from] ark_archive::write::WriteError),
    /// A member could not be compressed.
    #[error("a part of the archive could not be compressed")]
    Compress(#[source] std::io::Error),
    /// An object of the cluster is not one.
    #[error(transparent)]
    Object(#[from] crate::object::ObjectError),
    /// A side file could not be made.
    #[error("a file beside the archive could not be made")]
    Side(#[source] ark_archive::side::SideError),
    /// The metadata could not be written.
    #[error("the backup's metadata could not be written")]
    Document(#[source] ark_archive::metadata::MetadataError),
    /// The status or the manifest is not what it must be.
    #[error("the backup's metadata is not valid")]
    Metadata(#[source] serde_json::Error),
    /// The log could not be compressed.
    #[error("the log could not be compressed")]
    Log(#[source] std::io::Error),
    /// The revision vanished while it was read, again and again.
    #[error("the cluster forgot the revision while it was being read: {0}")]
    Expired(ClusterError),
    /// The process is going down.
    #[error("the backup was interrupted")]
    Interrupted,
    /// Somebody asked for it to stop.
    #[error("the backup was cancelled")]
    Cancelled,
}

/// Makes the backup and commits it.
///
/// # Guarantees
/// * On success the metadata file exists and the status is final.
/// * On failure no backup of this name is listed; its log stays for reading.
/// * Run again after a crash, it starts afresh, or answers what is committed.
///
/// # Errors
/// [`BackupError`]; problems with single objects are in the report instead.
pub async fn run(
    job: &Job,
    backup: &ValidatedBackup,
    options: &Options,
) -> Result<Report, BackupError> {
    let store = job.ports.store.as_ref();
    if let Some(status) = commit::committed(store, backup).await? {
        let discovery = job.ports.cluster.discover().await?;
        snapshot::release(job, &discovery, backup.uid()).await;
        return Ok(Report {
            status,
            issues: Issues::default(),
            bytes: 0,
            instant: Instant::default(),
            version: job.ports.cluster.version().await?,
        });
    }
    commit::clear(store, backup.name()).await?;
    for (name, why) in job.ports.snapshots.unusable() {
        job.warn(format!("snapshot location `{name}` cannot be used: {why}"));
    }
    let result = attempts(job, backup, options).await;
    if let Err(error) = &result {
        job.issue(Issue::job(Severity::Error, error.to_string()));
        commit::give_up(job, backup.name()).await;
    }
    result
}

async fn attempts(
    job: &Job,
    backup: &ValidatedBackup,
    options: &Options,
) -> Result<Report, BackupError> {
    let mut attempt = 1;
    loop {
        match once(job, backup, options, attempt == ATTEMPTS).await {
            Err(BackupError::Expired(error)) if attempt < ATTEMPTS => {
                job.forget_issues();
                job.note(format!("starting again with a newer revision: {error}"));
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// One attempt; of one that fails no snapshot stays.
async fn once(
    job: &Job,
    backup: &ValidatedBackup,
    options: &Options,
    lenient: bool,
) -> Result<Report, BackupError> {
    let snapshots = Snapshots::new(job, backup);
    let result = Box::pin(attempt(&snapshots, backup, options, lenient)).await;
    if result.is_err() {
        snapshots.take_back().await;
    }
    result
}

async fn attempt(
    snapshots: &Snapshots<'_>,
    backup: &ValidatedBackup,
    options: &Options,
    lenient: bool,
) -> Result<Report, BackupError> {
    let job = snapshots.job;
    let cluster = job.ports.cluster.as_ref();
    job.stage(format!(
        "backup `{}`: asking the cluster what it serves",
        backup.name()
    ));
    // The revision comes after: what is served was there at it.
    let (version, discovery) = futures::join!(cluster.version(), cluster.discover());
    let (version, discovery) = (version?, discovery?);
    let at = if options.fence {
        Some(cluster.revision().await?)
    } else {
        None
    };
    snapshots.learn(&discovery).await;
    let mut instant = Instant::at(at.as_ref(), stamp(job.ports.clock.now()));
    let namespaces = list_namespaces(job, &discovery, at.as_ref()).await?;
    let plan = plan(backup, &discovery, &namespaces, options.versions);
    drop(namespaces);
    announce(job, &plan, at.as_ref());

    let key = layout::contents(backup.name());
    let mtime = job.ports.clock.now().as_second();
    let sink = Sink::start(job.ports.store.as_ref(), &key, mtime, options).await?;
    let keeper = Keeper::new(job, &plan, &discovery, sink, snapshots.of_claims());
    let fence = Fence { at, lenient };
    let (mut written, choices) =
        collect(keeper, snapshots, (backup, options), &fence, &mut instant).await?;
    written.volumes = settle(snapshots, backup, choices).await?;
    job.progress(&Event::Total(written.items));
    job.stage(format!(
        "{} objects in {} bytes; committing",
        written.items, written.bytes
    ));
    let status = commit::commit(job, backup, &written, &instant, &version).await?;
    snapshot::release(job, &discovery, backup.uid()).await;
    Ok(Report {
        status,
        issues: job.issues(),
        bytes: written.bytes,
        instant,
        version,
    })
}

fn announce(job: &Job, plan: &BackupPlan, at: Option<&Revision>) {
    for issue in &plan.issues {
        job.issue(issue.clone());
    }
    let revision = at.map_or_else(
        || "no common revision".to_owned(),
        |r| format!("revision {r}"),
    );
    job.stage(format!(
        "collecting {} kinds in {} namespaces at {revision}",
        plan.kinds.len(),
        plan.namespaces.len()
    ));
}

/// Runs lists, keeper and sink to the end; the archive, and how its volumes are saved.
async fn collect(
    mut keeper: Keeper<'_>,
    snapshots: &Snapshots<'_>,
    (backup, options): (&ValidatedBackup, &Options),
    fence: &Fence,
    instant: &mut Instant,
) -> Result<(Written, Vec<Choice>), BackupError> {
    let result = match drain(&mut keeper, fence, options, instant).await {
        Ok(()) => fill(&mut keeper, snapshots, (backup, options), fence).await,
        Err(error) => Err(error),
    };
    let Keeper { sink, .. } = keeper;
    match result {
        Ok(choices) => Ok((sink.finish().await?, choices)),
        Err(error) => {
            sink.abort().await;
            Err(error)
        }
    }
}

/// Adds what no list brought, and begins the snapshots.
async fn fill(
    keeper: &mut Keeper<'_>,
    snapshots: &Snapshots<'_>,
    (backup, options): (&ValidatedBackup, &Options),
    fence: &Fence,
) -> Result<Vec<Choice>, BackupError> {
    relate::follow(keeper, fence.at.as_ref()).await?;
    let wanted = backup.backup.spec.snapshot_volumes;
    let group_key = backup.volume_group_key();
    let choices = keeper
        .volumes
        .decide(&keeper.plan.policies, wanted, group_key);
    snapshots.want(&choices).await;
    hooked::save(keeper, snapshots, options.block_workers).await?;
    snapshots.take_rest(options.snapshot_workers).await;
    if keeper.job.cancel.is_cancelled() {
        return Err(BackupError::Cancelled);
    }
    snapshots.keep_claims(keeper).await?;
    // The definitions of what came with the claims.
    relate::follow(keeper, fence.at.as_ref()).await?;
    Ok(choices)
}

/// Waits for the snapshots, and tells what became of each volume.
async fn settle(
    snapshots: &Snapshots<'_>,
    backup: &ValidatedBackup,
    choices: Vec<Choice>,
) -> Result<VolumeRecord, BackupError> {
    let job = snapshots.job;
    let spec = &backup.backup.spec;
    let timeout = GoDuration::or_default(spec.item_operation_timeout, Duration::ZERO);
    let any = choices.iter().any(|choice| choice.source.is_some());
    if any {
        job.enter(Part::Waiting);
    }
    let taken = snapshots.wait(timeout).await?;
    let mut record = VolumeRecord::new(choices, taken, (backup.name(), backup.uid()));
    for note in std::mem::take(&mut record.notes) {
        job.note(note);
    }
    for issue in std::mem::take(&mut record.issues) {
        job.issue(issue);
    }
    if any {
        job.enter(Part::Finalizing);
    }
    Ok(record)
}

async fn drain(
    keeper: &mut Keeper<'_>,
    fence: &Fence,
    options: &Options,
    instant: &mut Instant,
) -> Result<(), BackupError> {
    let job = keeper.job;
    ordered::keep(keeper, fence).await?;
    let cluster = &job.ports.cluster;
    let (mut batches, mut listers) =
        collect::start(cluster, keeper.plan, fence, options, &job.cancel);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut total = 0;
    while let Some(batch) = batches.recv().await {
        match batch {
            Batch::Page {
                resource,
                items,
                announced,
            } => {
                *counts.entry(resource.group_resource()).or_default() += items.len();
                total += announced;
                job.progress(&Event::Total(total));
                keeper.page(&resource, items).await?;
            }
            Batch::Failed {
                resource,
                namespace,
                error,
            } => {
                let scope = namespace.map_or(Scope::Job, Scope::Namespace);
                let message = format!("{} could not be listed: {error}", resource.group_resource());
                job.issue(Issue {
                    severity: Severity::Error,
                    scope,
                    message,
                });
            }
            Batch::Unfenced {
                resource,
                revision,
                reason,
            } => {
                except(job, instant, &resource, &revision, reason);
            }
            Batch::Expired(error) => return Err(BackupError::Expired(error)),
        }
    }
    while listers.join_next().await.is_some() {}
    if job.cancel.is_cancelled() {
        return Err(BackupError::Cancelled);
    }
    for (kind, count) in counts {
        job.note(format!("listed {count} {kind}"));
    }
    Ok(())
}

fn except(
    job: &Job,
    instant: &mut Instant,
    resource: &ApiResource,
    revision: &Revision,
    reason: String,
) {
    let resource = resource.group_resource();
    job.note(format!(
        "{resource}: read at revision {revision} instead: {reason}"
    ));
    instant.exceptions.push(Exception {
        resource,
        revision: revision.0.clone(),
        reason,
    });
}

async fn list_namespaces(
    job: &Job,
    discovery: &Discovery,
    at: Option<&Revision>,
) -> Result<Vec<crate::object::Object>, BackupError> {
    let Some(resource) = discovery.preferred("namespaces", "") else {
        return Ok(Vec::new());
    };
    let query = ListQuery {
        resource: resource.clone(),
        namespace: None,
        label_selector: None,
        field_selector: None,
        at: at.cloned(),
    };
    let all = job.ports.cluster.list_all(&query, NAMESPACES_PAGE).await;
    all.map_err(|error| match error.kind {
        ClusterErrorKind::Expired => BackupError::Expired(error),
        _ => BackupError::Cluster(error),
    })
}
