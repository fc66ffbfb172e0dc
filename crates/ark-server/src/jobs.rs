//! The registry of running jobs.
//!
//! A reconcile starts a job or observes it, and never waits for it. A job's
//! result stays here until a reconcile has written it into the custom resource;
//! a job that is not here does not run, whatever a resource says.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ark_api::ObjectMeta;
use tokio_util::sync::CancellationToken;

use crate::task::{Ended, OnCancel, TaskKind, Tasks};

/// Which object a job works for. A name that was deleted and made again is
/// another job, hence the uid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct JobKey {
    /// `metadata.uid` of the custom resource.
    pub(crate) uid: String,
    /// `metadata.name` of the custom resource.
    pub(crate) name: String,
}

impl JobKey {
    /// The key of a stored object; `None` for one that was never stored.
    pub(crate) fn of(metadata: &ObjectMeta) -> Option<Self> {
        Some(Self {
            uid: metadata.uid.clone()?,
            name: metadata.name.clone()?,
        })
    }
}

/// What the registry knows of a job.
#[derive(Debug)]
pub(crate) enum Observed<R> {
    /// Nothing: it was never started, or its result was written.
    Absent,
    /// It runs.
    Running,
    /// It ended by itself.
    Ended(Arc<R>),
    /// It panicked, with this message.
    Panicked(String),
}

impl<R> Clone for Observed<R> {
    fn clone(&self) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Running => Self::Running,
            Self::Ended(result) => Self::Ended(Arc::clone(result)),
            Self::Panicked(message) => Self::Panicked(message.clone()),
        }
    }
}

struct Entry<R> {
    cancel: CancellationToken,
    observed: Observed<R>,
}

/// The jobs of one kind; `R` is what a job returns.
pub(crate) struct Jobs<R> {
    kind: &'static str,
    tasks: Tasks,
    /// Parent of the jobs' tokens: jobs outlive the controllers at a shutdown by
    /// the moment in which they clean up.
    cancel: CancellationToken,
    entries: Arc<Mutex<HashMap<JobKey, Entry<R>>>>,
    on_end: Arc<dyn Fn(&JobKey) + Send + Sync>,
}

impl<R> Clone for Jobs<R> {
    fn clone(&self) -> Self {
        Self {
            kind: self.kind,
            tasks: self.tasks.clone(),
            cancel: self.cancel.clone(),
            entries: Arc::clone(&self.entries),
            on_end: Arc::clone(&self.on_end),
        }
    }
}

impl<R: Send + Sync + 'static> Jobs<R> {
    /// An empty registry. `on_end` is called, from the job's task, when a job's
    /// result can be observed; it must return at once.
    pub(crate) fn new(
        kind: &'static str,
        tasks: Tasks,
        on_end: impl Fn(&JobKey) + Send + Sync + 'static,
    ) -> Self {
        let cancel = tasks.cancelled().child_token();
        Self {
            kind,
            tasks,
            cancel,
            entries: Arc::default(),
            on_end: Arc::new(on_end),
        }
    }

    /// What became of a job.
    pub(crate) fn observe(&self, key: &JobKey) -> Observed<R> {
        self.lock()
            .get(key)
            .map_or(Observed::Absent, |entry| entry.observed.clone())
    }

    /// Starts a job unless it is here already; says whether it did. `job` gets
    /// the token that asks it to stop.
    pub(crate) fn start<F>(&self, key: JobKey, job: impl FnOnce(CancellationToken) -> F) -> bool
    where
        F: Future<Output = R> + Send + 'static,
    {
        let cancel = self.cancel.child_token();
        {
            let mut entries = self.lock();
            if entries.contains_key(&key) {
                return false;
            }
            let entry = Entry {
                cancel: cancel.clone(),
                observed: Observed::Running,
            };
            entries.insert(key.clone(), entry);
        }
        let name = format!("{} {}", self.kind, key.name);
        let work = self
            .tasks
            .spawn(TaskKind::Job, name.clone(), OnCancel::Finish, job(cancel));
        let registry = self.clone();
        self.tasks.spawn(
            TaskKind::Job,
            format!("end of {name}"),
            OnCancel::Finish,
            async move {
                let observed = match work.await {
                    Ok(Ended::Returned(result)) => Observed::Ended(Arc::new(result)),
                    Ok(Ended::Panicked(message)) => Observed::Panicked(message),
                    Ok(Ended::Dropped) => Observed::Panicked("the job was dropped".to_owned()),
                    Err(error) => Observed::Panicked(error.to_string()),
                };
                if let Some(entry) = registry.lock().get_mut(&key) {
                    entry.observed = observed;
                }
                (registry.on_end)(&key);
            },
        );
        true
    }

    /// Whether all jobs are being stopped because the server ends.
    pub(crate) fn is_closing(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Asks a job to stop. It stays here until it has.
    pub(crate) fn cancel(&self, key: &JobKey) {
        if let Some(entry) = self.lock().get(key) {
            entry.cancel.cancel();
        }
    }

    /// Forgets an ended job: its result is written. A running one stays.
    pub(crate) fn forget(&self, key: &JobKey) {
        let mut entries = self.lock();
        if entries
            .get(key)
            .is_some_and(|entry| !matches!(entry.observed, Observed::Running))
        {
            entries.remove(key);
        }
    }

    /// How many run now.
    pub(crate) fn running(&self) -> usize {
        self.lock()
            .values()
            .filter(|entry| matches!(entry.observed, Observed::Running))
            .count()
    }

    /// Whether a job for an object of this name runs.
    pub(crate) fn is_running(&self, name: &str) -> bool {
        let running = |entry: &Entry<R>| matches!(entry.observed, Observed::Running);
        self.lock()
            .iter()
            .any(|(key, entry)| key.name == name && running(entry))
    }

    /// Forgets ended jobs whose objects are not among `live`, by uid: nobody is
    /// left to take their results.
    pub(crate) fn forget_absent(&self, live: &BTreeSet<String>) {
        self.lock().retain(|key, entry| {
            matches!(entry.observed, Observed::Running) || live.contains(&key.uid)
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobKey, Entry<R>>> {
        // Nothing panics while holding the lock; were it so, the map is whole.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    fn key(name: &str) -> JobKey {
        JobKey {
            uid: format!("uid-{name}"),
            name: name.to_owned(),
        }
    }

    fn jobs() -> (Jobs<u32>, mpsc::UnboundedReceiver<String>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let jobs = Jobs::new("test", Tasks::default(), move |key| {
            sender.send(key.name.clone()).unwrap();
        });
        (jobs, receiver)
    }

    #[tokio::test]
    async fn a_result_stays_until_it_is_forgotten() {
        let (jobs, mut ended) = jobs();
        assert!(jobs.start(key("a"), |_| async { 5 }));
        assert!(!jobs.start(key("a"), |_| async { 6 }), "one job an object");
        assert_eq!(ended.recv().await.unwrap(), "a");
        assert!(matches!(jobs.observe(&key("a")), Observed::Ended(result) if *result == 5));
        assert_eq!(jobs.running(), 0);
        jobs.forget_absent(&BTreeSet::from(["uid-a".to_owned()]));
        assert!(matches!(jobs.observe(&key("a")), Observed::Ended(_)));
        jobs.forget(&key("a"));
        assert!(matches!(jobs.observe(&key("a")), Observed::Absent));
    }

    #[tokio::test]
    async fn a_running_job_is_cancelled_but_not_forgotten() {
        let (jobs, mut ended) = jobs();
        jobs.start(key("a"), |cancel| async move {
            cancel.cancelled().await;
            9
        });
        jobs.forget(&key("a"));
        jobs.forget_absent(&BTreeSet::new());
        assert_eq!(jobs.running(), 1);
        assert!(jobs.is_running("a") && !jobs.is_running("b"));
        jobs.cancel(&key("a"));
        ended.recv().await.unwrap();
        assert!(matches!(jobs.observe(&key("a")), Observed::Ended(result) if *result == 9));
    }

    #[tokio::test]
    async fn a_panic_ends_the_job() {
        let (jobs, mut ended) = jobs();
        jobs.start(key("a"), |_| async { panic!("oh") });
        ended.recv().await.unwrap();
        assert!(matches!(jobs.observe(&key("a")), Observed::Panicked(message) if message == "oh"));
    }
}
