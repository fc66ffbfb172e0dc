//! Leader election: one of several processes holds a Lease at a time.
//!
//! # Flow
//! [`elect`] waits for the lease and answers a [`Leadership`]; its [`lost`]
//! token ends with it. Whoever writes as the leader stops when it is cancelled.
//!
//! # Guarantees
//! A leader that cannot renew for `deadline` sees `lost` before anybody else can
//! see the lease as free, since `deadline` is shorter than `duration`, and both
//! count from before a renewal was sent. Clocks of different machines are never
//! compared: a lease is free when it has not changed for its duration as seen by
//! the clock here.
//!
//! [`lost`]: Leadership::lost

use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::{Clock, Cluster, ClusterError};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod record;

pub use record::{Decision, decide};
use record::{Observed, Record, read, write};

/// Which lease, for whom, how quickly.
#[derive(Debug, Clone)]
pub struct LeaseOptions {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Who asks; unlike that of any other process.
    pub identity: String,
    /// Others may take a lease that was not renewed for this long.
    pub duration: Duration,
    /// A leader that could not renew for this long gives up.
    pub deadline: Duration,
    /// Pause between attempts.
    pub retry: Duration,
}

impl LeaseOptions {
    /// The usual times: 15 s, 10 s, 2 s.
    pub fn new(namespace: &str, name: &str, identity: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            identity: identity.to_owned(),
            duration: Duration::from_secs(15),
            deadline: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

/// Being the leader. Dropping it gives the lease back in the background.
#[derive(Debug)]
pub struct Leadership {
    lost: CancellationToken,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Leadership {
    /// Cancelled when leadership has ended, for whatever reason.
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Gives the lease back so that another process need not wait for its end.
    /// Call it after everything that writes as the leader has stopped.
    pub async fn release(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            // A panic in the task has cancelled `lost` already.
            let _ = task.await;
        }
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Waits until the lease is ours; `None` when `shutdown` was cancelled before.
///
/// Failing calls are repeated for ever and logged: a server without its API
/// server has nothing else to do.
pub async fn elect(
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    options: LeaseOptions,
    shutdown: &CancellationToken,
) -> Option<Leadership> {
    let mut candidate = Candidate {
        cluster,
        clock,
        options,
        observed: None,
    };
    loop {
        let sent = Instant::now();
        match candidate.attempt().await {
            Ok(true) => return Some(lead(candidate, sent)),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "cannot ask for the lease"),
        }
        tokio::select! {
            () = tokio::time::sleep(candidate.options.retry) => {}
            () = shutdown.cancelled() => return None,
        }
    }
}

fn lead(candidate: Candidate, sent: Instant) -> Leadership {
    let (lost, stop) = (CancellationToken::new(), CancellationToken::new());
    // The guard cancels however the task ends, also by a panic.
    let guard = lost.clone().drop_guard();
    let ending = stop.clone();
    let task = tokio::spawn(async move {
        let mut candidate = candidate;
        let held = candidate.hold(sent, &ending).await;
        drop(guard);
        if held {
            candidate.give_back().await;
        }
    });
    Leadership {
        lost,
        stop,
        task: Some(task),
    }
}

struct Candidate {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    options: LeaseOptions,
    observed: Option<Observed>,
}

impl Candidate {
    /// Looks at the lease and takes or renews it where that is right; answers
    /// whether it is ours now.
    async fn attempt(&mut self) -> Result<bool, ClusterError> {
        let found = read(self.cluster.as_ref(), &self.options).await?;
        let now = Instant::now();
        self.observed = match (self.observed.take(), found) {
            (_, None) => None,
            // Unchanged since it was first seen: its age counts from then.
            (Some(old), Some(record)) if old.record == record => Some(old),
            (_, Some(record)) => Some(Observed { record, since: now }),
        };
        let decision = decide(self.observed.as_ref(), &self.options.identity, now);
        if decision == Decision::Wait {
            return Ok(false);
        }
        let old = self.observed.as_ref().map(|observed| &observed.record);
        let record = Record::next(old, &self.options, self.clock.now());
        let won = write(self.cluster.as_ref(), &self.options, &record, old).await?;
        Ok(won)
    }

    /// Renews until stopped (true) or lost (false). `renewed` is when the last
    /// successful renewal was sent.
    async fn hold(&mut self, mut renewed: Instant, stop: &CancellationToken) -> bool {
        loop {
            let deadline = renewed + self.options.deadline;
            tokio::select! {
                () = tokio::time::sleep(self.options.retry) => {}
                () = stop.cancelled() => return true,
            }
            let sent = Instant::now();
            // The deadline holds against a hanging server, too.
            match tokio::time::timeout_at(deadline, self.attempt()).await {
                Ok(Ok(true)) => renewed = sent,
                Ok(Ok(false)) if self.is_taken() => {
                    tracing::warn!(lease = self.options.name, "another process took the lease");
                    return false;
                }
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "cannot renew the lease"),
                Err(_) => {
                    tracing::warn!(
                        lease = self.options.name,
                        "the lease was not renewed in time"
                    );
                    return false;
                }
            }
        }
    }

    fn is_taken(&self) -> bool {
        self.observed
            .as_ref()
            .is_some_and(|observed| observed.record.is_held_by_other(&self.options.identity))
    }

    async fn give_back(&mut self) {
        let Ok(Some(old)) = read(self.cluster.as_ref(), &self.options).await else {
            return;
        };
        if old.is_held_by_other(&self.options.identity) {
            return;
        }
        let free = Record::freed(&old, self.clock.now());
        if let Err(error) = write(self.cluster.as_ref(), &self.options, &free, Some(&old)).await {
            tracing::debug!(%error, "cannot give the lease back; it will run out");
        }
    }
}
