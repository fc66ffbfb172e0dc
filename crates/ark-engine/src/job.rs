//! What every job of the engine is given: the ports, a listener, a way to stop.

use std::sync::Arc;

use ark_api::hook::HookStatus;
use tokio_util::sync::CancellationToken;

use crate::journal::Journal;
use crate::outcome::{Issue, Issues, Severity};
use crate::port::{Clock, Cluster, SnapshotLocations, Store};
use crate::progress::{Event, Observer, Part};

/// The outside world of one job.
#[derive(Clone)]
pub struct Ports {
    /// The cluster to read or write.
    pub cluster: Arc<dyn Cluster>,
    /// The backup location.
    pub store: Arc<dyn Store>,
    /// The snapshot locations, as the job names them.
    pub snapshots: SnapshotLocations,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// One running job: its ports, its listeners, its problems, its log.
///
/// Everything that happens is said once, through [`Job::stage`], [`Job::note`]
/// and [`Job::issue`]; the log, the counts and the listeners follow from that.
pub struct Job {
    /// The outside world.
    pub ports: Ports,
    /// Cancelled when the job shall stop without a result.
    pub cancel: CancellationToken,
    observer: Arc<dyn Observer>,
    journal: Journal,
    issues: std::sync::Mutex<Issues>,
    hooks: std::sync::Mutex<HookStatus>,
}

impl Job {
    /// Begins a job.
    pub fn new(ports: Ports, observer: Arc<dyn Observer>, cancel: CancellationToken) -> Self {
        let journal = Journal::new(Arc::clone(&ports.clock));
        Self {
            ports,
            cancel,
            observer,
            journal,
            issues: std::sync::Mutex::default(),
            hooks: std::sync::Mutex::default(),
        }
    }

    /// A part of the job begins.
    pub fn stage(&self, text: impl Into<String>) {
        self.emit(&Event::Stage(text.into()));
    }

    /// All items are done, and this is left.
    pub(crate) fn enter(&self, part: Part) {
        let partial = !self.issues().is_complete();
        self.emit(&Event::Part { part, partial });
    }

    /// A line for the log.
    pub fn note(&self, text: impl Into<String>) {
        self.emit(&Event::Note(text.into()));
    }

    /// Passes counts to the listeners.
    pub fn progress(&self, event: &Event) {
        self.emit(event);
    }

    /// Records a problem.
    pub fn issue(&self, issue: Issue) {
        self.emit(&Event::Issue(issue.clone()));
        if let Ok(mut issues) = self.issues.lock() {
            issues.push(issue);
        }
    }

    /// Records a problem of the job as a whole.
    pub fn warn(&self, message: impl Into<String>) {
        self.issue(Issue::job(Severity::Warning, message));
    }

    /// The problems so far.
    pub fn issues(&self) -> Issues {
        self.issues
            .lock()
            .map(|issues| issues.clone())
            .unwrap_or_default()
    }

    /// Takes back the problems so far, for an attempt that starts again.
    pub fn forget_issues(&self) {
        if let Ok(mut issues) = self.issues.lock() {
            *issues = Issues::default();
        }
    }

    /// Counts a hook that was run.
    pub fn count_hook(&self, failed: bool) {
        if let Ok(mut hooks) = self.hooks.lock() {
            hooks.hooks_attempted += 1;
            hooks.hooks_failed += i64::from(failed);
        }
    }

    /// How many hooks were run so far, and how many failed.
    pub fn hooks(&self) -> HookStatus {
        self.hooks
            .lock()
            .map(|hooks| hooks.clone())
            .unwrap_or_default()
    }

    /// The log so far, gzip-compressed as it is stored.
    pub fn log(&self) -> std::io::Result<Vec<u8>> {
        self.journal.snapshot()
    }

    fn emit(&self, event: &Event) {
        self.journal.record(event);
        self.observer.on(event);
    }
}
