//! Carrying out a plan: waves one after the other, each with many requests in
//! flight.
//!
//! ```text
//! prepare (a task of its own, one batch ahead) ─▶ namespaces ─▶ needed objects ─▶ apply × concurrency ─▶ tally
//! ```

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::apply::{Action, Applier, Outcome};
use super::bind::{Binding, Claims};
use super::namespaces::Namespaces;
use super::order::DEFINITIONS;
use super::plan::RestorePlan;
use super::prepare::{Batch, Data, Prepared, Preparer, type_of};
use super::report::Tally;
use super::{Options, RestoreError};
use crate::archive::{Archive, LoadError};
use crate::job::Job;
use crate::outcome::{Issue, Severity};

/// One restore while it runs.
pub(super) struct Flow<'a> {
    pub job: &'a Job,
    archive: Arc<Archive>,
    pub applier: Applier,
    pub namespaces: Namespaces,
    pub options: &'a Options,
    tally: Mutex<Tally<'a>>,
    /// Definitions that this restore made or changed.
    definitions: Mutex<Vec<String>>,
    /// Claims that this restore made and whose volumes come from snapshots.
    claims: Mutex<Claims>,
}

type Prefetched = Result<Batch, LoadError>;

impl<'a> Flow<'a> {
    pub(super) fn new(
        job: &'a Job,
        archive: Arc<Archive>,
        applier: Applier,
        namespaces: Namespaces,
        options: &'a Options,
    ) -> Self {
        let tally = Mutex::new(Tally::new(job));
        Self {
            job,
            archive,
            applier,
            namespaces,
            options,
            tally,
            definitions: Mutex::default(),
            claims: Mutex::default(),
        }
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally<'a>> {
        lock(&self.tally)
    }

    /// The names of definitions that have to get ready.
    pub(super) fn take_definitions(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.definitions))
    }

    pub(super) fn into_tally(self) -> Tally<'a> {
        self.tally
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the claims are bound whose volumes are made of snapshots.
    pub(super) async fn bind(&self, restore: &str) {
        let claims = std::mem::take(&mut *lock(&self.claims));
        let binding = Binding {
            job: self.job,
            maker: &self.applier.snapshots,
            restore,
            timeout: self.options.resource_timeout,
        };
        binding.wait(claims).await;
    }

    fn expect_bound(&self, item: &Prepared, data: &Data) {
        if let (Data::Snapshot(source), Some(namespace)) = (data, &item.key.namespace) {
            let claim = (namespace.clone(), item.key.name.clone());
            lock(&self.claims).insert(claim, source.clone());
        }
    }

    /// Runs one wave of the plan to its end.
    pub(super) async fn wave(
        &self,
        preparer: Preparer,
        plan: &Arc<RestorePlan>,
        index: usize,
    ) -> Result<Preparer, RestoreError> {
        let wave = &plan.waves[index];
        let count: usize = wave.kinds.iter().map(|kind| kind.items.len()).sum();
        self.job
            .stage(format!("restoring {}: {count} objects", wave.name));
        let (sender, batches) = mpsc::channel(1);
        let task = Prefetch::start(preparer, Arc::clone(plan), index, sender);
        let ready = stream::unfold(batches, |mut batches| async move {
            if self.job.cancel.is_cancelled() {
                return None;
            }
            let batch = batches.recv().await?;
            Some((self.begin(batch).await, batches))
        });
        let mut outcomes = ready
            .flat_map(|stage| {
                let (items, error) = match stage {
                    Ok(items) => (items, None),
                    Err(error) => (Vec::new(), Some(Err(error))),
                };
                stream::iter(error.into_iter().chain(items.into_iter().map(Ok)))
            })
            .map(|item| async move { self.one(&item?).await })
            .buffer_unordered(self.options.concurrency.max(1))
            .boxed();
        while let Some(result) = outcomes.next().await {
            result?;
        }
        drop(outcomes);
        if self.job.cancel.is_cancelled() {
            return Err(RestoreError::Cancelled);
        }
        self.tally().tell();
        task.join().await
    }

    /// Everything of a batch that comes before its last stage.
    async fn begin(&self, batch: Prefetched) -> Result<Vec<Prepared>, RestoreError> {
        let Batch {
            stages,
            mut namespaces,
            namespace_objects,
            issues,
            failed,
            left_out,
            extra,
        } = batch?;
        {
            let mut tally = self.tally();
            tally.expect_more(extra);
            for (kind, key) in &failed {
                tally.end(kind, key, Action::Failed);
            }
            for rule in left_out {
                tally.left_out(rule);
            }
            tally.advance(namespace_objects);
        }
        for issue in issues {
            self.job.issue(issue);
        }
        namespaces.extend(
            stages
                .iter()
                .flatten()
                .filter_map(|item| item.key.namespace.clone()),
        );
        self.ensure(namespaces).await;
        let mut stages = stages;
        let last = stages.pop().unwrap_or_default();
        for stage in stages {
            let mut results = stream::iter(stage)
                .map(|item| async move { self.one(&item).await })
                .buffer_unordered(self.options.concurrency.max(1));
            while let Some(result) = results.next().await {
                result?;
            }
        }
        Ok(last)
    }

    /// Makes namespaces and reports what became of them.
    pub(super) async fn ensure(&self, names: BTreeSet<String>) {
        for ensured in self.namespaces.ensure(names, &self.archive).await {
            match ensured.result {
                Ok(Action::Created) => {
                    self.tally()
                        .list("v1/Namespace", None, &ensured.name, Action::Created);
                }
                Ok(_) => {}
                Err(problem) => self.job.issue(Issue::job(
                    Severity::Error,
                    format!(
                        "namespace {}: {problem}; none of its objects can be restored",
                        ensured.name
                    ),
                )),
            }
        }
    }

    async fn one(&self, item: &Prepared) -> Result<(), RestoreError> {
        let unusable = item
            .key
            .namespace
            .as_ref()
            .is_some_and(|name| !self.namespaces.is_usable(name));
        let outcome = if unusable {
            // The namespace's error stands for all its objects.
            Outcome {
                action: Action::Failed,
                issues: Vec::new(),
            }
        } else {
            self.applier.apply(item).await?
        };
        if &*item.kind == DEFINITIONS && matches!(outcome.action, Action::Created | Action::Updated)
        {
            lock(&self.definitions).push(item.key.name.clone());
        }
        if let (Some(data), Action::Created) = (&item.data, outcome.action) {
            self.tally().volume(item, data);
            self.expect_bound(item, data);
        }
        self.tally()
            .end(&type_of(&item.resource), &item.key, outcome.action);
        for issue in outcome.issues {
            self.job.issue(issue);
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The task that prepares ahead. Dropping it stops it.
struct Prefetch(Option<JoinHandle<Preparer>>);

impl Prefetch {
    fn start(
        mut preparer: Preparer,
        plan: Arc<RestorePlan>,
        wave: usize,
        sender: mpsc::Sender<Prefetched>,
    ) -> Self {
        Self(Some(tokio::spawn(async move {
            for kind in &plan.waves[wave].kinds {
                let mut rest = kind.items.as_slice();
                while !rest.is_empty() {
                    let (items, more) = rest.split_at(preparer.cut(&kind.group_resource, rest));
                    let batch = preparer.batch(kind, items).await;
                    let failed = batch.is_err();
                    // Nobody listens any more once the wave has failed.
                    if sender.send(batch).await.is_err() || failed {
                        return preparer;
                    }
                    rest = more;
                }
            }
            preparer
        })))
    }

    async fn join(mut self) -> Result<Preparer, RestoreError> {
        match self.0.take() {
            Some(task) => task.await.map_err(|_| RestoreError::Interrupted),
            None => Err(RestoreError::Interrupted),
        }
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
