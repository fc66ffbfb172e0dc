//! A new state of an object: written together with its condition, and told as an
//! Event.

use ark_api::{Backup, BackupPhase, Restore, RestorePhase};
use ark_kube::{Custom, CustomError, CustomResource};

use crate::context::Context;
use crate::phase::{self, Phased};

/// What a write asks of the stored object.
#[derive(Clone, Copy)]
enum If {
    /// It is as it was when it was read.
    Unchanged,
    /// Nothing: what others changed meanwhile stays.
    Present,
}

/// A job's object, whose phase a running job changes.
pub(crate) trait Running: Phased {
    /// Its phases.
    type Phase;

    /// Sets the phase.
    fn set_phase(&mut self, phase: Self::Phase);
}

impl Running for Backup {
    type Phase = BackupPhase;

    fn set_phase(&mut self, phase: BackupPhase) {
        self.status.get_or_insert_default().phase = Some(phase);
    }
}

impl Running for Restore {
    type Phase = RestorePhase;

    fn set_phase(&mut self, phase: RestorePhase) {
        self.status.get_or_insert_default().phase = Some(phase);
    }
}

impl Context {
    /// Prepares `after` for a write that a running job makes of its phase, and tells of it.
    pub(crate) fn enter<K: CustomResource + Running>(
        &self,
        before: &K,
        after: &mut K,
        phase: K::Phase,
    ) {
        after.set_phase(phase);
        phase::sum_up(after, self.now());
        self.events.changed(before, after);
    }

    /// Writes `after` unless somebody changed the object since `before` was read;
    /// answers it as stored.
    pub(crate) async fn advance<K: CustomResource + Phased>(
        &self,
        objects: &Custom<K>,
        before: &K,
        after: &K,
    ) -> Result<K, CustomError> {
        self.write(objects, before, after, If::Unchanged).await
    }

    /// As [`advance`](Self::advance), for objects that several controllers write:
    /// what others changed meanwhile stays.
    pub(crate) async fn advance_beside_others<K: CustomResource + Phased>(
        &self,
        objects: &Custom<K>,
        before: &K,
        after: &K,
    ) -> Result<K, CustomError> {
        self.write(objects, before, after, If::Present).await
    }

    async fn write<K: CustomResource + Phased>(
        &self,
        objects: &Custom<K>,
        before: &K,
        after: &K,
        condition: If,
    ) -> Result<K, CustomError> {
        let mut after = after.clone();
        phase::sum_up(&mut after, self.now());
        let name = before.meta().name.as_deref().unwrap_or_default();
        let stored = match condition {
            If::Unchanged => objects.patch_unchanged(name, before, &after).await?,
            If::Present => objects.patch(name, before, &after).await?,
        };
        self.events.changed(before, &after);
        Ok(stored)
    }
}
