//! A new state of an object: written together with its condition, and told as an
//! Event.

use ark_kube::{Custom, CustomError, CustomResource};

use crate::context::Context;
use crate::phase::{self, Phased};

impl Context {
    /// Writes `after` unless somebody changed the object since `before` was read;
    /// answers it as stored.
    pub(crate) async fn advance<K: CustomResource + Phased>(
        &self,
        objects: &Custom<K>,
        before: &K,
        after: &K,
    ) -> Result<K, CustomError> {
        let after = self.summed_up(after);
        let name = before.meta().name.as_deref().unwrap_or_default();
        let stored = objects.patch_unchanged(name, before, &after).await?;
        self.events.changed(before, &after);
        Ok(stored)
    }

    /// As [`advance`](Self::advance), for objects that several controllers write:
    /// what others changed meanwhile stays.
    pub(crate) async fn advance_beside_others<K: CustomResource + Phased>(
        &self,
        objects: &Custom<K>,
        before: &K,
        after: &K,
    ) -> Result<K, CustomError> {
        let after = self.summed_up(after);
        let name = before.meta().name.as_deref().unwrap_or_default();
        let stored = objects.patch(name, before, &after).await?;
        self.events.changed(before, &after);
        Ok(stored)
    }

    fn summed_up<K: CustomResource + Phased>(&self, object: &K) -> K {
        let mut object = object.clone();
        phase::sum_up(&mut object, self.now());
        object
    }
}
