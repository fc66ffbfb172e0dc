//! Bringing a backup back into a cluster.
//!
//! [`validate`] turns a resource into a [`ValidatedRestore`]; [`run`] opens the
//! backup, plans and carries out:
//!
//! ```text
//! archive (index or spool), volume infos ─▶ discovery ─▶ plan ─▶ verify what is needed
//!   ─▶ definitions, wait until served, discovery and plan again
//!   ─▶ namespaces ─▶ wave by wave: prepare ─▶ create or settle ─▶ results, status
//! ```
//!
//! Pure: [`validate`], [`plan()`] with [`order`], `selection`, `mapping`, `clean`,
//! `ownership`, `existing`, `status` and the actions in `action/restore`. They
//! know the archive's catalog, never a cluster.
//!
//! Nothing is changed before the archive is known to be whole. Objects carry
//! labels with the restore's name, so a restore that died is run again as it is:
//! what it made before counts as created.
//!
//! Memory is bounded by the catalog and the plan (names), three batches of
//! objects, the requests in flight, and the names for the resource list.

mod apply;
mod bind;
mod claim;
mod clean;
mod disk;
mod existing;
#[cfg(test)]
mod fixture;
mod flow;
mod mapping;
mod namespaces;
mod open;
pub mod order;
mod ownership;
mod plan;
mod prepare;
mod ready;
mod report;
mod rule;
mod selection;
mod status;
mod validate;
mod volume;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ark_archive::side::SideError;

pub use disk::RESTORE_UID_TAG;
pub use mapping::Mapping;
pub use plan::{PlannedItem, PlannedKind, RestorePlan, Wave, plan};
pub use report::{Counts, Report};
pub use rule::Rule;
pub use selection::NEVER;
pub use validate::{Defaults, Rejected, ValidatedRestore, validate};
use volume::VolumeData;

use crate::archive::{Archive, LoadError};
use crate::inventory::InventoryError;
use crate::job::Job;
use crate::outcome::{Issue, Scope, Severity};
use crate::port::{ClusterError, Discovery, StoreError};
use apply::Applier;
use claim::SnapshotMaker;
use clean::Origin;
use disk::DiskMaker;
use flow::Flow;

use namespaces::Namespaces;
use prepare::{Preparer, Setup};
use ready::Readiness;
use report::Tally;
use selection::Selection;
use status::StatusFilter;

/// How a restore runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// Requests at the same time; the cluster's adapter may allow fewer.
    pub concurrency: usize,
    /// How long a namespace that is being deleted is waited for.
    pub terminating_timeout: Duration,
    /// How long a custom resource definition may take until it is served.
    pub resource_timeout: Duration,
    /// Where an archive without index is unpacked. The file is unnamed and holds
    /// plain objects, secrets too.
    pub spool_dir: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 64,
            terminating_timeout: Duration::from_mins(10),
            resource_timeout: Duration::from_mins(10),
            spool_dir: std::env::temp_dir(),
        }
    }
}

/// Why a restore as a whole failed. Problems with single objects are in the
/// [`Report`] instead.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The archive cannot be read, or is damaged.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// What the backup says about volumes cannot be read.
    #[error(transparent)]
    Volume(#[from] InventoryError),
    /// The cluster could not be asked something without which nothing goes on.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The location could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A result file could not be made.
    #[error("a file with results could not be made")]
    Side(#[from] SideError),
    /// The log could not be compressed.
    #[error("the log could not be compressed")]
    Log(#[source] std::io::Error),
    /// The process is going down.
    #[error("the restore was interrupted")]
    Interrupted,
    /// Somebody asked for it to stop. What was restored stays.
    #[error("the restore was cancelled")]
    Cancelled,
}

impl RestoreError {
    /// Whether running the restore again may help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Load(error) => error.is_retryable(),
            Self::Volume(InventoryError::Store(error)) | Self::Store(error) => error.is_retryable(),
            Self::Cluster(error) => error.is_retryable(),
            Self::Interrupted => true,
            Self::Volume(_) | Self::Side(_) | Self::Log(_) | Self::Cancelled => false,
        }
    }
}

/// Runs the restore.
///
/// # Guarantees
/// * Nothing is changed when the archive is damaged.
/// * Every selected object ends as created, updated, skipped or failed, or is
///   counted under the rule that leaves it out.
/// * Run again, it goes on: what it made before counts as created.
///
/// # Errors
/// [`RestoreError`]; what was restored until then stays, the log is stored.
pub async fn run(
    job: &Job,
    restore: &ValidatedRestore,
    options: &Options,
) -> Result<Report, RestoreError> {
    let result = Box::pin(steps(job, restore, options)).await;
    if let Err(error) = &result {
        job.issue(Issue::job(Severity::Error, reason(error)));
        report::give_up(job, restore.name()).await;
    }
    result
}

/// An error with its causes, in one line.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

async fn steps(
    job: &Job,
    restore: &ValidatedRestore,
    options: &Options,
) -> Result<Report, RestoreError> {
    job.stage(format!(
        "restore `{}`: opening the backup `{}`",
        restore.name(),
        restore.backup_name()
    ));
    let setup = setup(job, restore, options).await?;
    if setup.archive.catalog().is_empty() {
        job.warn("the backup holds no objects: there is nothing to restore");
        return Tally::new(job).finish(restore).await;
    }
    let first = plan(setup.archive.catalog().iter(), &setup.discovery, restore);
    job.stage(format!(
        "{} objects to restore; checking the archive",
        first.total()
    ));
    setup.archive.verify(first.keys()).await?;
    let mut flow = flow(job, restore, options, &setup, &first);
    flow.tally().expect(first.total());
    let (setup, plan) = definitions(&mut flow, Arc::new(setup), first).await?;
    flow.tally().leave_out(&plan.left_out);
    flow.tally().expect(plan.total());
    announce(job, &plan);
    if restore.labels.is_everything() {
        flow.ensure(plan.namespaces.keys().cloned().collect()).await;
    }
    let plan = Arc::new(plan);
    let mut preparer = Preparer::new(setup);
    for index in plan.after_definitions() {
        preparer = flow.wave(preparer, &plan, index).await?;
    }
    flow.bind(restore.name()).await;
    if job.cancel.is_cancelled() {
        return Err(RestoreError::Cancelled);
    }
    flow.into_tally().finish(restore).await
}

fn flow<'a>(
    job: &'a Job,
    restore: &ValidatedRestore,
    options: &'a Options,
    setup: &Setup,
    plan: &RestorePlan,
) -> Flow<'a> {
    let (cluster, clock) = (&job.ports.cluster, &job.ports.clock);
    let applier = Applier {
        cluster: Arc::clone(cluster),
        clock: Arc::clone(clock),
        origin: setup.origin.clone(),
        update: restore.updates(),
        fresh: HashSet::new(),
        disks: DiskMaker {
            locations: job.ports.snapshots.clone(),
            restore: restore.uid().to_owned(),
            patience: options.terminating_timeout,
        },
        snapshots: SnapshotMaker::new(&setup.discovery, (restore.name(), restore.uid())),
    };
    let namespaces = Namespaces::new(
        Arc::clone(cluster),
        Arc::clone(clock),
        plan.namespaces.clone(),
        options.terminating_timeout,
    );
    Flow::new(
        job,
        Arc::clone(&setup.archive),
        applier,
        namespaces,
        options,
    )
}

/// Restores the definitions of custom resources, waits until they are served,
/// and plans the rest against what the cluster serves then.
async fn definitions(
    flow: &mut Flow<'_>,
    setup: Arc<Setup>,
    first: RestorePlan,
) -> Result<(Arc<Setup>, RestorePlan), RestoreError> {
    let Some(resource) = first
        .definitions()
        .and_then(|wave| wave.kinds.first()?.served.first())
    else {
        return Ok((setup, first));
    };
    let resource = resource.clone();
    let first = Arc::new(first);
    flow.wave(Preparer::new(Arc::clone(&setup)), &first, 0)
        .await?;
    let mut names = flow.take_definitions();
    let readiness = Readiness {
        cluster: Arc::clone(&flow.job.ports.cluster),
        clock: Arc::clone(&flow.job.ports.clock),
        timeout: flow.options.resource_timeout,
    };
    for unready in readiness.wait(&resource, &names).await {
        names.retain(|name| *name != unready.name);
        let message = format!(
            "{} {}: {}",
            order::DEFINITIONS,
            unready.name,
            unready.reason
        );
        flow.job.issue(Issue {
            severity: Severity::Error,
            scope: Scope::Cluster,
            message,
        });
    }
    let (discovery, missing) = readiness.discover(&names).await?;
    for name in missing {
        let message = format!("{name}: the definition is restored, but the kind is not served");
        flow.job.issue(Issue {
            severity: Severity::Error,
            scope: Scope::Cluster,
            message,
        });
    }
    flow.applier.fresh = names.into_iter().collect();
    let restore = setup.restore.clone();
    flow.applier.snapshots = SnapshotMaker::new(&discovery, (restore.name(), restore.uid()));
    let mut plan = plan(setup.archive.catalog().iter(), &discovery, &restore);
    plan.give_up_unserved();
    if plan.total() > first.total() {
        setup.archive.verify(plan.keys()).await?;
    }
    let (archive, volumes) = (Arc::clone(&setup.archive), Arc::clone(&setup.volumes));
    Ok((
        Arc::new(setup_for(archive, &restore, volumes, discovery)),
        plan,
    ))
}

fn announce(job: &Job, plan: &RestorePlan) {
    for (rule, count) in &plan.left_out {
        job.note(format!("left out {count} objects: {rule}"));
    }
    for (kind, count) in &plan.unserved {
        let message = format!(
            "{kind}: the cluster does not serve this kind; {count} objects of it are not restored"
        );
        job.issue(Issue {
            severity: Severity::Error,
            scope: Scope::Cluster,
            message,
        });
    }
}

async fn setup(
    job: &Job,
    restore: &ValidatedRestore,
    options: &Options,
) -> Result<Setup, RestoreError> {
    let store = &job.ports.store;
    let backup = restore.backup_name();
    let archive = Archive::open(Arc::clone(store), backup, options.spool_dir.clone()).await?;
    if let Some(remark) = &archive.remark {
        job.note(remark.clone());
    }
    let wanted = restore.restore.spec.restore_pvs != Some(false);
    let mut volumes = volume::read(store.as_ref(), backup, wanted).await?;
    volumes.move_zones(&restore.zones);
    if volumes.makes_disks() {
        let origin = Origin::new(backup, restore.name());
        volumes.look(job.ports.cluster.as_ref(), &origin).await?;
    }
    if volumes.untied > 0 {
        job.issue(Issue::job(
            Severity::Error,
            format!(
                "the backup has {} file backups of volumes, which this version cannot restore. Set \
                 restorePVs to false to say that this is intended",
                volumes.untied
            ),
        ));
    }
    let discovery = job.ports.cluster.discover().await?;
    for failed in &discovery.failed {
        job.warn(format!(
            "{} could not be discovered, objects of it cannot be restored: {}",
            failed.group_version, failed.reason
        ));
    }
    Ok(setup_for(
        Arc::new(archive),
        restore,
        Arc::new(volumes),
        discovery,
    ))
}

fn setup_for(
    archive: Arc<Archive>,
    restore: &ValidatedRestore,
    volumes: Arc<VolumeData>,
    discovery: Discovery,
) -> Setup {
    let spec = &restore.restore.spec;
    Setup {
        archive,
        origin: Origin::new(restore.backup_name(), restore.name()),
        selection: Selection::new(spec, &restore.namespaces, &discovery),
        status: StatusFilter::new(spec, &discovery),
        restore: restore.clone(),
        volumes,
        discovery,
    }
}

#[cfg(test)]
mod tests;
