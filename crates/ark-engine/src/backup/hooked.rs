//! Pods that have hooks: held back while the lists are read, then saved block by
//! block between their hooks.
//!
//! The objects are those of the backup's revision like all others. What hooks
//! bracket is the moment at which a block's volume data is saved; that comes after
//! the lists, since the application holds still only for as long as needed, and
//! since an attempt that starts again because its revision is gone must not run
//! hooks twice.

use std::collections::BTreeMap;
use std::sync::{Mutex as StdMutex, PoisonError};

use ark_archive::ItemKey;
use futures::{StreamExt as _, stream};
use tokio::sync::Mutex;

use super::BackupError;
use super::block::{Block, Name};
use super::keep::Keeper;
use super::snapshot::Snapshots;
use crate::hook::run::{Place, StageEnd, stage};
use crate::hook::{PodHooks, Stage};
use crate::job::Job;
use crate::object::Object;
use crate::outcome::{Issue, Severity};
use crate::port::ApiResource;
use crate::progress::Event;

/// A pod that waits for its hooks.
pub(super) struct Held {
    pub resource: ApiResource,
    pub key: ItemKey,
    pub object: Object,
    pub hooks: PodHooks,
}

/// The blocks' common ground.
struct Blocks<'k, 'a> {
    job: &'a Job,
    snapshots: &'k Snapshots<'k>,
    keeper: Mutex<&'k mut Keeper<'a>>,
    /// The first failure that ends the backup.
    failed: StdMutex<Option<BackupError>>,
}

/// One block with those of its pods that have hooks.
struct Work {
    block: Block,
    pods: Vec<Held>,
}

/// Runs the hooks of all held pods and saves the pods and the data of their volumes,
/// `workers` blocks at once.
///
/// A block that has begun comes to its end, post hooks included, also when another
/// one fails or the job is cancelled: no application stays frozen.
pub(super) async fn save(
    keeper: &mut Keeper<'_>,
    snapshots: &Snapshots<'_>,
    workers: usize,
) -> Result<(), BackupError> {
    let held = std::mem::take(&mut keeper.held);
    if held.is_empty() {
        return Ok(());
    }
    let work = work(keeper, held);
    let job = keeper.job;
    job.stage(format!("running the hooks of {} item blocks", work.len()));
    let blocks = Blocks {
        job,
        snapshots,
        keeper: Mutex::new(keeper),
        failed: StdMutex::default(),
    };
    stream::iter(work)
        .for_each_concurrent(workers.max(1), |work| blocks.run(work))
        .await;
    let failed = blocks.failed.into_inner();
    match failed.unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None if job.cancel.is_cancelled() => Err(BackupError::Cancelled),
        None => Ok(()),
    }
}

fn work(keeper: &Keeper<'_>, mut held: BTreeMap<Name, Held>) -> Vec<Work> {
    let blocks = keeper.links.blocks(held.keys());
    let pods_of = |block: Block| Work {
        pods: block
            .pods
            .iter()
            .filter_map(|pod| held.remove(pod))
            .collect(),
        block,
    };
    blocks.into_iter().map(pods_of).collect()
}

impl Blocks<'_, '_> {
    async fn run(&self, work: Work) {
        if self.is_stopped() {
            return;
        }
        self.job.note(format!("item block: {}", work.block));
        let mut ended = Vec::with_capacity(work.pods.len());
        for pod in work.pods {
            if self.is_stopped() {
                break;
            }
            let end = stage(self.job, pod.place(), Stage::Pre, &pod.hooks.pre).await;
            ended.push((pod, end));
        }
        if !self.is_stopped() {
            let volumes: Vec<String> = work.block.volumes.iter().cloned().collect();
            self.snapshots.take(&volumes, volumes.len()).await;
            if let Err(error) = self.items(&ended).await {
                self.fail(error);
            }
        }
        for (pod, before) in &ended {
            // What never began need not be undone.
            if before.begun || !before.failed {
                stage(self.job, pod.place(), Stage::Post, &pod.hooks.post).await;
            }
        }
    }

    /// Saves the block's pods while their applications hold still.
    async fn items(&self, pods: &[(Held, StageEnd)]) -> Result<(), BackupError> {
        let mut keeper = self.keeper.lock().await;
        for (pod, before) in pods {
            if before.failed {
                let message = "left out, because a pre hook failed that must not fail";
                self.job
                    .issue(Issue::item(Severity::Error, &pod.key, message));
            } else {
                keeper.put(&pod.resource, &pod.key, &pod.object).await?;
            }
        }
        self.job.progress(&Event::Done(keeper.sink.items()));
        Ok(())
    }

    fn fail(&self, error: BackupError) {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
    }

    fn is_stopped(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some() || self.job.cancel.is_cancelled()
    }
}

impl Held {
    fn place(&self) -> Place<'_> {
        Place {
            namespace: self.key.namespace.as_deref().unwrap_or_default(),
            pod: &self.key.name,
        }
    }
}
