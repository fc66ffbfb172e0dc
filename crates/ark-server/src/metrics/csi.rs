//! CSI snapshots, by schedule and backup as Velero has them; a backup's numbers go when it
//! does, or they would be as many as there ever were backups.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// The label is spelt `backupName`, which a derived set could not be.
type Labels = Vec<(&'static str, String)>;

/// CSI snapshots that were asked for, and what became of them.
#[derive(Default)]
pub(super) struct CsiMetrics {
    attempts: Family<Labels, Counter>,
    successes: Family<Labels, Counter>,
    failures: Family<Labels, Counter>,
}

impl CsiMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        for (name, help, family) in [
            (
                "csi_snapshot_attempt",
                "CSI snapshots that were asked for",
                &metrics.attempts,
            ),
            (
                "csi_snapshot_success",
                "CSI snapshots that can be used",
                &metrics.successes,
            ),
            (
                "csi_snapshot_failure",
                "CSI snapshots that failed",
                &metrics.failures,
            ),
        ] {
            registry.register(name, help, family.clone());
        }
        metrics
    }

    /// A backup ended; `asked` and `usable` count its snapshots.
    pub(super) fn ended(&self, (schedule, backup): (&str, &str), asked: u64, usable: u64) {
        let labels = labels(schedule, backup);
        for (family, count) in [
            (&self.attempts, asked),
            (&self.successes, usable),
            (&self.failures, asked.saturating_sub(usable)),
        ] {
            family.get_or_create(&labels).inc_by(count);
        }
    }

    /// A backup is gone.
    pub(super) fn forget(&self, schedule: &str, backup: &str) {
        let labels = labels(schedule, backup);
        for family in [&self.attempts, &self.successes, &self.failures] {
            family.remove(&labels);
        }
    }
}

fn labels(schedule: &str, backup: &str) -> Labels {
    vec![
        ("schedule", schedule.to_owned()),
        ("backupName", backup.to_owned()),
    ]
}
