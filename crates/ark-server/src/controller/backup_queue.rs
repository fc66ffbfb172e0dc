//! The queue: new backups get a place, and those whose turn has come a slot.
//!
//! Writes the phases `Queued` and `ReadyToStart` and nothing else. Each look is
//! one over all backups, so that many that wait cost no more than one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ark_api::{Backup, BackupPhase, cancel};
use ark_engine::backup::reach;
use ark_kube::Next;
use tokio::time::Instant;

use super::ReconcileError;
use crate::context::Context;
use crate::namespaces;
use crate::queue::{Entry, Standing, Turn, arrange};

/// The queue is looked at when a backup comes or leaves, and at least this often.
const PAUSE: Duration = Duration::from_mins(1);
/// After somebody else wrote first.
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);

/// When the queue was last looked at as a whole: the begin of that look. Held
/// while one is under way.
#[derive(Debug, Default)]
pub(crate) struct LastLook(tokio::sync::Mutex<Option<Instant>>);

/// Sees to the whole queue because of one backup in it.
pub(crate) async fn reconcile(
    context: Arc<Context>,
    seen: Arc<Backup>,
) -> Result<Next, ReconcileError> {
    if !waits(seen.phase()) {
        return Ok(Next::OnChange);
    }
    let asked = Instant::now();
    let mut last = context.queue_look.0.lock().await;
    // A look that began after this backup was seen has seen it, too.
    if last.is_some_and(|begun| begun > asked) {
        return Ok(Next::After(PAUSE));
    }
    let begun = Instant::now();
    match look(&context).await {
        Ok(()) => {
            *last = Some(begun);
            Ok(Next::After(PAUSE))
        }
        Err(error) if error.is_conflict() => Ok(Next::After(CONFLICT_PAUSE)),
        Err(error) => Err(error),
    }
}

fn waits(phase: &BackupPhase) -> bool {
    matches!(phase, BackupPhase::New | BackupPhase::Queued)
}

fn standing(backup: &Backup) -> Option<Standing> {
    match backup.phase() {
        // Those on their way out are nobody's rivals.
        _ if cancel::is_requested(&backup.metadata) && waits(backup.phase()) => None,
        BackupPhase::New => Some(Standing::New),
        BackupPhase::Queued => {
            let status = backup.status.as_ref();
            Some(Standing::Queued(status.map_or(0, |s| s.queue_position)))
        }
        BackupPhase::ReadyToStart | BackupPhase::InProgress => Some(Standing::Running),
        _ => None,
    }
}

async fn look(context: &Context) -> Result<(), ReconcileError> {
    let mut backups = context.api.backups.list(None).await?.items;
    backups.retain(|backup| standing(backup).is_some());
    let entries = entries(context, &backups).await?;
    let mut queued = 0;
    for (entry, turn) in arrange(&entries, context.options.concurrent_backups) {
        let found = backups
            .iter()
            .find(|backup| backup.metadata.name.as_deref() == Some(&entry.name));
        if let Some(backup) = found {
            give(context, backup, turn).await?;
        }
        queued += usize::from(turn != Turn::Start);
    }
    context.metrics.set_queued(queued);
    Ok(())
}

async fn entries(context: &Context, backups: &[Backup]) -> Result<Vec<Entry>, ReconcileError> {
    // One alone meets nobody, whatever it covers.
    let existing = if backups.len() > 1 {
        namespaces::list(context.cluster.as_ref()).await?
    } else {
        Vec::new()
    };
    let entry = |backup: &Backup| {
        let created = backup.metadata.creation_timestamp.as_ref();
        Some(Entry {
            name: backup.metadata.name.clone()?,
            standing: standing(backup)?,
            created: created.map(|created| created.0),
            namespaces: if existing.is_empty() {
                BTreeSet::new()
            } else {
                reach(&backup.spec, &existing)
            },
        })
    };
    Ok(backups.iter().filter_map(entry).collect())
}

/// Writes what changes. A new one is queued before it gets a slot: whoever
/// watches sees every phase.
async fn give(context: &Context, backup: &Backup, turn: Turn) -> Result<(), ReconcileError> {
    let place = match turn {
        Turn::Wait(place) => place,
        Turn::Start => 1,
    };
    let current = if *backup.phase() == BackupPhase::New || turn != Turn::Start {
        let mut queued = backup.clone();
        let status = queued.status.get_or_insert_default();
        status.phase = Some(BackupPhase::Queued);
        status.queue_position = place;
        context
            .advance(&context.api.backups, backup, &queued)
            .await?
    } else {
        backup.clone()
    };
    if turn == Turn::Start {
        let mut ready = current.clone();
        let status = ready.status.get_or_insert_default();
        status.phase = Some(BackupPhase::ReadyToStart);
        status.queue_position = 0;
        context
            .advance(&context.api.backups, &current, &ready)
            .await?;
    }
    Ok(())
}
