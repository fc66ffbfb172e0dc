//! Taking back what was marked for deletion while a copy counted on it.
//!
//! A copy reads the repository's index once, when it begins, and sends no chunk that the
//! index names. Somebody who prunes meanwhile may mark one of those, since the copy's
//! snapshot is not there yet. Marked chunks are in no index: the snapshot would not be
//! restorable until the next prune sees that it needs them. So whoever was overtaken
//! like this looks after it at once.

use std::collections::HashSet;

use rustic_core::repofile::{IndexFile, IndexId};
use rustic_core::{LimitOption, PruneOptions};

use super::error::FileError;
use super::maintain;
use super::repository::Opened;

/// The index as it was when a copy began.
pub(super) struct Known(HashSet<IndexId>);

impl Known {
    pub(super) fn now(repository: &Opened) -> Result<Self, FileError> {
        Ok(Self(repository.list::<IndexId>()?.collect()))
    }

    /// Takes back what was marked since, as far as any snapshot needs it.
    pub(super) fn take_back(&self, repository: &Opened) -> Result<(), FileError> {
        let new = repository.list::<IndexId>()?;
        let new: Vec<_> = new.filter(|id| !self.0.contains(id)).collect();
        for index in repository.stream_files_list::<IndexFile>(new)? {
            let (_, index) = index?;
            if !index.packs_to_delete.is_empty() {
                // Writes nothing anew and deletes nothing: only marks are set right.
                let options = PruneOptions::default()
                    .keep_delete(maintain::keep(maintain::DELETE_AFTER)?)
                    .max_repack(LimitOption::Percentage(0))
                    .max_unused(LimitOption::Unlimited);
                let plan = repository.prune_plan(&options)?;
                return Ok(repository.prune(&options, plan)?);
            }
        }
        Ok(())
    }
}
