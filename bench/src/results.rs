//! What a run of the benchmark has found, and how far it is from the targets.

use serde::Serialize;

use crate::rounds::{BackupPair, RestorePair, Round, Run};
use crate::stages::Stage;
use crate::statistics::Spread;
use crate::sweep::Point;

/// A backup may take so many times as long as the raw listing.
const BACKUP_TARGET: f64 = 2.0;
/// A restore must reach this share of the raw rate of posts.
const RESTORE_TARGET: f64 = 0.5;
/// The server must stay below this, in bytes.
const MEMORY_TARGET: u64 = 100 << 20;

/// Everything.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Results {
    /// The API server's version.
    pub(crate) kubernetes: String,
    /// Objects of the data set, without namespaces and definitions.
    pub(crate) objects: usize,
    /// Namespaces of the data set.
    pub(crate) namespaces: usize,
    /// Connections of the raw listing and lists at a time of Ark.
    pub(crate) list_concurrency: usize,
    /// Connections of the raw posts.
    pub(crate) post_connections: usize,
    /// Requests in flight of a restore at most.
    pub(crate) restore_concurrency: usize,
    /// Every round.
    pub(crate) rounds: Vec<Round>,
    /// Each part of a backup alone, on one thread.
    pub(crate) backup_parts: Vec<Stage>,
    /// A backup inside the benchmark's process.
    pub(crate) backup_inside: Vec<Stage>,
    /// A restore inside the benchmark's process.
    pub(crate) restore_inside: Vec<Stage>,
    /// Options of backups, varied.
    pub(crate) backup_sweep: Vec<Point>,
    /// Requests in flight of restores, varied.
    pub(crate) restore_sweep: Vec<Point>,
}

/// A target and what was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    /// What is compared.
    pub(crate) what: &'static str,
    /// Found.
    pub(crate) found: String,
    /// Wanted.
    pub(crate) target: String,
    /// Whether found is within wanted.
    pub(crate) met: bool,
}

impl Results {
    /// Every pair of listings and a backup.
    pub(crate) fn backups(&self) -> impl Iterator<Item = &BackupPair> {
        self.rounds.iter().flat_map(|round| &round.backups)
    }

    /// Every pair of posts and a restore.
    pub(crate) fn restores(&self) -> impl Iterator<Item = &RestorePair> {
        self.rounds
            .iter()
            .filter_map(|round| round.restore.as_ref())
    }

    /// Objects a second, namespaces included.
    pub(crate) fn rate(&self, seconds: f64) -> f64 {
        (self.objects + self.namespaces) as f64 / seconds
    }

    /// The targets.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        let backup = ratio(self.backups().map(|pair| (&pair.backup, &pair.raw_list)));
        let restore = ratio(self.restores().map(|pair| (&pair.raw_post, &pair.restore)));
        let mut verdicts = vec![
            Verdict {
                what: "backup, times the raw listing",
                found: backup.text(2),
                target: format!("≤ {BACKUP_TARGET:.2}"),
                met: backup.median <= BACKUP_TARGET,
            },
            memory(
                "server's peak resident memory, backups",
                self.backups().map(|pair| &pair.backup),
            ),
        ];
        if self.restores().next().is_some() {
            verdicts.push(Verdict {
                what: "restore, share of the raw rate of posts",
                found: restore.text(2),
                target: format!("≥ {RESTORE_TARGET:.2}"),
                met: restore.median >= RESTORE_TARGET,
            });
            verdicts.push(memory(
                "server's peak resident memory, restores",
                self.restores().map(|pair| &pair.restore),
            ));
        }
        verdicts
    }
}

/// Ratios of the seconds of two runs of the same pair.
pub(crate) fn ratio<'a>(pairs: impl Iterator<Item = (&'a Run, &'a Run)>) -> Spread {
    Spread::of(pairs.map(|(of, to)| of.usage.seconds / to.usage.seconds))
}

/// Ratios of the processor seconds, all processes together, of two runs.
pub(crate) fn processor_ratio<'a>(pairs: impl Iterator<Item = (&'a Run, &'a Run)>) -> Spread {
    Spread::of(pairs.map(|(of, to)| of.usage.processor() / to.usage.processor().max(1e-3)))
}

fn memory<'a>(what: &'static str, runs: impl Iterator<Item = &'a Run>) -> Verdict {
    let mebibytes = |bytes: u64| bytes as f64 / 1_048_576.0;
    let peaks = Spread::of(runs.filter_map(|run| run.peak).map(mebibytes));
    Verdict {
        what,
        found: format!("{} MiB", peaks.text(1)),
        target: format!("< {:.0} MiB", mebibytes(MEMORY_TARGET)),
        // One run above it is one too many.
        met: peaks.max > 0.0 && peaks.max < mebibytes(MEMORY_TARGET),
    }
}
