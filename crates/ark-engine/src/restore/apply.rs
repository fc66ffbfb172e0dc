//! Creating one object, whatever stands in its way. Posts first and looks only
//! when the server says that the object exists, or when an answer was lost.
//!
//! Every item has a budget of attempts; a write is never repeated blindly.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::claim::SnapshotMaker;
use super::clean::Origin;
use super::disk::DiskMaker;
use super::existing::{self, Decision, Wanted};
use super::ownership::{self, Ownership};
use super::prepare::{Data, Prepared};
use crate::object::Object;
use crate::outcome::{Issue, Severity};
use crate::port::{Clock, Cluster, ClusterError, ClusterErrorKind, CreateOptions, Patch, Target};

/// Attempts at one request of one object.
pub(super) const ATTEMPTS: u32 = 6;
/// Wait after the first failed attempt; doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest wait between attempts.
const MAX_WAIT: Duration = Duration::from_secs(15);

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Created,
    Updated,
    Skipped,
    Failed,
}

impl Action {
    /// As in the resource list.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// An object's end, with what is to be said about it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub action: Action,
    pub issues: Vec<Issue>,
}

/// What follows a create that did not succeed.
enum Next {
    End(Outcome),
    /// Post again; the text tells why it was needed.
    Again(String),
}

/// Creates objects.
pub(super) struct Applier {
    pub cluster: Arc<dyn Cluster>,
    pub clock: Arc<dyn Clock>,
    pub origin: Origin,
    /// Whether existing objects are patched.
    pub update: bool,
    /// Kinds whose definitions this restore brought: some servers may serve them
    /// a moment later than others.
    pub fresh: HashSet<String>,
    pub disks: DiskMaker,
    pub snapshots: SnapshotMaker,
}

impl Applier {
    /// Brings one object into the cluster.
    ///
    /// # Errors
    /// Only what makes every further request pointless: the cluster does not
    /// know us any more.
    pub(super) async fn apply(&self, item: &Prepared) -> Result<Outcome, ClusterError> {
        match &item.data {
            Some(Data::Disk(source)) => self.apply_with_disk(item, source).await,
            Some(Data::Snapshot(source)) => self.apply_with_snapshot(item, source).await,
            None => self.post(item).await,
        }
    }

    /// Posts until the object is there or its budget is used up.
    pub(super) async fn post(&self, item: &Prepared) -> Result<Outcome, ClusterError> {
        let mut last = String::new();
        for attempt in 1..=ATTEMPTS {
            let error = match self.create(item).await {
                Ok(_) => return Ok(self.complete(item).await),
                Err(error) if error.kind == ClusterErrorKind::Unauthorized => return Err(error),
                Err(error) => error,
            };
            match self.react(item, &error, attempt).await {
                Next::End(outcome) => return Ok(outcome),
                Next::Again(problem) => last = problem,
            }
        }
        Ok(failed(item, last))
    }

    async fn create(&self, item: &Prepared) -> Result<Object, ClusterError> {
        let options = CreateOptions {
            field_manager: item.ownership.manager(),
            dry_run: false,
        };
        let namespace = item.key.namespace.as_deref();
        self.cluster
            .create(&item.resource, namespace, item.body.clone(), options)
            .await
    }

    /// A create was refused or its answer lost: look what is there.
    async fn react(&self, item: &Prepared, error: &ClusterError, attempt: u32) -> Next {
        let late = error.kind == ClusterErrorKind::NotFound && self.fresh.contains(&*item.kind);
        let passing = error.is_retryable() || late || lacks_account(item, error);
        let exists = error.kind == ClusterErrorKind::AlreadyExists;
        let taken = &*item.kind == "services" && is_taken_port(error);
        if passing {
            self.wait(attempt, error).await;
        } else if !exists && !taken {
            return Next::End(failed(item, error));
        }
        match self.cluster.get(target(item)).await {
            Ok(Some(live)) if live.head().deleting => {
                if !passing {
                    self.wait(attempt, error).await;
                }
                Next::Again(being_deleted(&live))
            }
            Ok(Some(live)) => Next::End(self.settle(item, &live).await),
            Ok(None) if taken => Next::End(failed(item, error)),
            // It never came to be, or it went away in between.
            Ok(None) => Next::Again(error.to_string()),
            Err(problem) if passing => Next::Again(problem.to_string()),
            Err(problem) => Next::End(warned(
                Action::Failed,
                item,
                format!("it exists and cannot be read: {problem}"),
            )),
        }
    }

    /// An object of this name exists.
    pub(super) async fn settle(&self, item: &Prepared, live: &Object) -> Outcome {
        let (Ok(live_value), Some(desired), Some(stored)) =
            (live.to_value(), parse(&item.body), parse(&item.stored))
        else {
            return failed(item, "the existing object cannot be compared");
        };
        if self.origin.made(live) {
            if ownership::is_unfinished(&live_value) {
                return self.complete(item).await;
            }
            return done(Action::Created);
        }
        let wanted = Wanted {
            kind: &item.kind,
            desired: &desired,
            stored: &stored,
            update: self.update,
        };
        match existing::decide(wanted, &live_value, &self.origin) {
            Decision::Unchanged => done(Action::Skipped),
            Decision::Label => match self.patch(item, self.origin.patch()).await {
                Ok(()) => done(Action::Skipped),
                Err(error) => failed(item, error),
            },
            Decision::Differs => warned(
                Action::Skipped,
                item,
                "it exists and differs from the backup; it is left as it is",
            ),
            Decision::Merge(patch) => match self.patch(item, patch).await {
                Ok(()) => done(Action::Updated),
                Err(error) => warned(
                    Action::Failed,
                    item,
                    format!("it exists and what it lacks could not be added: {error}"),
                ),
            },
            Decision::Patch(patch) => self.update(item, patch).await,
        }
    }

    async fn update(&self, item: &Prepared, patch: Value) -> Outcome {
        let Err(error) = self.patch(item, patch).await else {
            return done(Action::Updated);
        };
        let warning = format!("it exists and could not be made as in the backup: {error}");
        let mut outcome = warned(Action::Failed, item, warning);
        if let Err(error) = self.patch(item, self.origin.patch()).await {
            let problem = format!("not even its labels could be changed: {error}");
            outcome
                .issues
                .push(Issue::item(Severity::Error, &item.key, problem));
        }
        outcome
    }

    /// What follows a create: the status, then the owners.
    async fn complete(&self, item: &Prepared) -> Outcome {
        let mut outcome = done(Action::Created);
        if let Some(status) = &item.status {
            let patch = Patch::MergeStatus(bytes(status));
            if let Err(error) = self.send(item, patch).await {
                let warning = format!("its status could not be restored: {error}");
                outcome
                    .issues
                    .push(Issue::item(Severity::Warning, &item.key, warning));
            }
        }
        if let Ownership::Patch(patch) = &item.ownership
            && let Err(error) = self.patch(item, patch.clone()).await
        {
            let severity = match error.kind {
                // Somebody deleted it since: no loss of ours.
                ClusterErrorKind::NotFound => Severity::Warning,
                _ => Severity::Error,
            };
            let problem = format!("who owns its fields could not be restored: {error}");
            outcome
                .issues
                .push(Issue::item(severity, &item.key, problem));
        }
        outcome
    }

    async fn patch(&self, item: &Prepared, patch: Value) -> Result<(), ClusterError> {
        self.send(item, Patch::Merge(bytes(&patch))).await
    }

    /// Sends a patch; the same one twice does no harm, so lost answers and
    /// conflicts are simply tried again.
    async fn send(&self, item: &Prepared, patch: Patch) -> Result<(), ClusterError> {
        let mut attempt = 1;
        loop {
            match self.cluster.patch(target(item), patch.clone()).await {
                Ok(_) => return Ok(()),
                Err(error)
                    if attempt < ATTEMPTS
                        && (error.is_retryable() || error.kind == ClusterErrorKind::Conflict) =>
                {
                    self.wait(attempt, &error).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) async fn wait(&self, attempt: u32, error: &ClusterError) {
        let grown = FIRST_WAIT.saturating_mul(1 << (attempt - 1).min(16));
        let wait = error
            .retry_after
            .unwrap_or_default()
            .max(grown)
            .min(MAX_WAIT);
        self.clock.sleep(wait).await;
    }
}

pub(super) fn target(item: &Prepared) -> Target<'_> {
    Target {
        resource: &item.resource,
        namespace: item.key.namespace.as_deref(),
        name: &item.key.name,
    }
}

fn parse(bytes: &Bytes) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

fn done(action: Action) -> Outcome {
    Outcome {
        action,
        issues: Vec::new(),
    }
}

fn warned(action: Action, item: &Prepared, message: impl std::fmt::Display) -> Outcome {
    Outcome {
        action,
        issues: vec![Issue::item(Severity::Warning, &item.key, message)],
    }
}

pub(super) fn failed(item: &Prepared, message: impl std::fmt::Display) -> Outcome {
    let issue = Issue::item(Severity::Error, &item.key, message);
    Outcome {
        action: Action::Failed,
        issues: vec![issue],
    }
}

pub(super) fn being_deleted(live: &Object) -> String {
    let finalizers = live.to_value().ok().and_then(|value| {
        let list = value.pointer("/metadata/finalizers")?.as_array()?.clone();
        Some(
            list.iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(", "),
        )
    });
    match finalizers.filter(|list| !list.is_empty()) {
        Some(list) => format!("it exists and is being deleted, held by the finalizers {list}"),
        None => "it exists and is being deleted".to_owned(),
    }
}

/// Whether a pod is refused because a controller has not made the default service
/// account of a new namespace yet.
fn lacks_account(item: &Prepared, error: &ClusterError) -> bool {
    &*item.kind == "pods"
        && error.kind == ClusterErrorKind::Forbidden
        && error.message.contains("error looking up service account")
}

/// Whether a service is refused for nothing but node ports that are in use:
/// perhaps by the service itself, as an earlier restore made it.
fn is_taken_port(error: &ClusterError) -> bool {
    const TAKEN: &str = "provided port is already allocated";
    let causes = error.message.matches("Invalid value").count()
        + error.message.matches("Required value").count()
        + error.message.matches("Forbidden:").count()
        + error.message.matches("Unsupported value").count();
    let taken = error.message.matches(TAKEN).count();
    error.kind == ClusterErrorKind::Invalid && taken > 0 && taken == causes
}

#[cfg(test)]
mod tests;
