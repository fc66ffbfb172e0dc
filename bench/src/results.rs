//! What a run of the benchmark has found, and how far it is from the targets.

use serde::Serialize;

use crate::rounds::{Round, Run};
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
    /// Ratios of the seconds of two kinds of runs, each within one round.
    pub(crate) fn ratio(&self, of: impl Fn(&Round) -> &Run, to: impl Fn(&Round) -> &Run) -> Spread {
        Spread::of(
            self.rounds
                .iter()
                .map(|round| of(round).usage.seconds / to(round).usage.seconds),
        )
    }

    /// The largest peak of Ark's resident memory, in bytes.
    pub(crate) fn peak(&self, of: impl Fn(&Round) -> &Run) -> u64 {
        self.rounds
            .iter()
            .filter_map(|round| of(round).peak)
            .max()
            .unwrap_or_default()
    }

    /// Objects a second, namespaces included.
    pub(crate) fn rate(&self, seconds: f64) -> f64 {
        (self.objects + self.namespaces) as f64 / seconds
    }

    /// The targets.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        let backup = self.ratio(|r| &r.backup, |r| &r.raw_list);
        let restore = self.ratio(|r| &r.raw_post, |r| &r.restore);
        let memory = |what, peak: u64| Verdict {
            what,
            found: format!("{:.1} MiB", peak as f64 / 1_048_576.0),
            target: format!("< {} MiB", MEMORY_TARGET >> 20),
            met: peak > 0 && peak < MEMORY_TARGET,
        };
        vec![
            Verdict {
                what: "backup, times the raw listing",
                found: backup.text(2),
                target: format!("≤ {BACKUP_TARGET:.2}"),
                met: backup.median <= BACKUP_TARGET,
            },
            Verdict {
                what: "restore, share of the raw rate of posts",
                found: restore.text(2),
                target: format!("≥ {RESTORE_TARGET:.2}"),
                met: restore.median >= RESTORE_TARGET,
            },
            memory(
                "server's peak resident memory, backup",
                self.peak(|r| &r.backup),
            ),
            memory(
                "server's peak resident memory, restore",
                self.peak(|r| &r.restore),
            ),
        ]
    }
}
