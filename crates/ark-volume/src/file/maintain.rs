//! Keeping a repository sound and small.

use std::time::Duration;

use jiff::Span;
use rustic_core::{CheckOptions, LimitOption, PruneOptions, ReadSubsetOption};

use super::control::Control;
use super::error::FileError;
use super::repository::{Repository, blocking};

/// How long chunks that nobody needs any more stay, marked: a copy that was begun before
/// they were marked may count on them, and takes them back if it is done by then.
pub const DELETE_AFTER: Duration = Duration::from_hours(48);

/// How much of the data a check reads.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum ReadData {
    /// None: that all chunks are there is told by listing them.
    #[default]
    None,
    /// So many percent of it, chosen anew by chance each time.
    Percent(f64),
    /// All of it: every chunk is decrypted and has the hash that names it.
    All,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Whether every snapshot can be restored, as far as was looked.
    pub sound: bool,
    /// All that is not as it should be, also what does no harm.
    pub findings: Vec<String>,
}

/// What pruning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Bytes of chunks that snapshots need.
    pub used: u64,
    /// Bytes that were marked, to be deleted later.
    pub marked: u64,
    /// Bytes of packs that were written anew, without what nobody needs in them.
    pub repacked: u64,
    /// Bytes that were marked long ago and are deleted now.
    pub deleted: u64,
}

impl Repository {
    /// Looks whether all that the snapshots need is there and whole.
    pub async fn check(&self, read: ReadData, control: &Control) -> Result<Checked, FileError> {
        let here = self.clone();
        blocking(control, move |control| {
            let (_, repository) = here.open_now(&control)?;
            let mut options = CheckOptions::default().read_data(read != ReadData::None);
            if let ReadData::Percent(percent) = read {
                options = options.read_data_subset(ReadSubsetOption::Percentage(percent));
            }
            let results = repository.check(options)?;
            if control.cancel.is_cancelled() {
                return Err(FileError::Cancelled);
            }
            let findings = results.0.iter().map(|(_, finding)| finding.to_string());
            let findings = findings.collect();
            let sound = results.is_ok().is_ok();
            Ok(Checked { sound, findings })
        })
        .await
    }

    /// Gives back the space of what no snapshot needs: marks it now, and deletes what
    /// was marked [`DELETE_AFTER`] ago. May run beside copies and restores, not beside
    /// another prune.
    pub async fn prune(&self, control: &Control) -> Result<Pruned, FileError> {
        self.prune_keeping(DELETE_AFTER, control).await
    }

    /// The same at once, for a repository that nobody else is using: a copy that runs
    /// beside it may lose chunks.
    pub async fn prune_at_once(&self, control: &Control) -> Result<Pruned, FileError> {
        self.prune_keeping(Duration::ZERO, control).await
    }

    async fn prune_keeping(&self, keep: Duration, control: &Control) -> Result<Pruned, FileError> {
        let here = self.clone();
        blocking(control, move |control| {
            let (_, repository) = here.open_now(&control)?;
            let options = PruneOptions::default()
                .keep_delete(self::keep(keep)?)
                .instant_delete(keep.is_zero())
                .max_repack(LimitOption::Unlimited);
            let plan = repository.prune_plan(&options)?;
            let (size, marked) = (plan.stats.size_sum(), plan.stats.size_to_delete);
            let unneeded = size.remove + size.repackrm + plan.stats.size_unref;
            let pruned = Pruned {
                used: size.used,
                marked: if keep.is_zero() { 0 } else { unneeded },
                repacked: size.repack,
                deleted: marked.remove
                    + if keep.is_zero() {
                        unneeded + marked.keep
                    } else {
                        0
                    },
            };
            repository.prune(&options, plan)?;
            Ok(pruned)
        })
        .await
    }
}

/// A time as the library takes it.
pub(super) fn keep(time: Duration) -> Result<Span, FileError> {
    Span::try_from(time).map_err(|error| FileError::Other(error.to_string()))
}
