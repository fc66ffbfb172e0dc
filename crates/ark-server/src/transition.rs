//! A new state of an object: written together with its condition, and told as an
//! Event.

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

impl Context {
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
