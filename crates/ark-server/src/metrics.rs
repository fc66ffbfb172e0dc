//! What the server counts, under the names that Velero's dashboards know.
//!
//! Label values are names of schedules and locations, never of backups: the
//! number of series must not grow with the number of backups.

mod csi;
mod own;
mod schedule;

use std::sync::Mutex;

use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Upper bounds of the buckets for durations: 1 to 30 minutes, 1 to 4 hours.
const DURATION_SECONDS: [f64; 9] = [
    60.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 14400.0,
];

/// Label `schedule`: empty for jobs that no schedule made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BySchedule {
    schedule: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByLocation {
    backup_location_name: String,
}

type Counters = Family<BySchedule, Counter>;
type Gauges = Family<BySchedule, Gauge>;

/// How long backups took, by schedule.
#[derive(Clone)]
struct Durations(Family<BySchedule, Histogram, fn() -> Histogram>);

impl Default for Durations {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| {
            Histogram::new(DURATION_SECONDS)
        }))
    }
}

/// How a job ended, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Completed.
    Success,
    /// Finished, but something is missing.
    Partial,
    /// Failed as a whole.
    Failure,
    /// Never began: the spec is not valid.
    Invalid,
}

/// Numbers of one backup that ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BackupFigures {
    /// Size of the tarball, where known.
    pub(crate) bytes: Option<u64>,
    /// Items in it.
    pub(crate) items: i64,
    /// Items that failed.
    pub(crate) errors: i64,
    /// Warnings.
    pub(crate) warnings: u64,
    /// Snapshots of volumes that were begun.
    pub(crate) snapshots: u64,
    /// Those of them that can be used.
    pub(crate) snapshots_completed: u64,
    /// CSI snapshots that were asked for.
    pub(crate) csi_snapshots: u64,
    /// Those of them that can be used.
    pub(crate) csi_snapshots_completed: u64,
    /// How long it took.
    pub(crate) seconds: f64,
}

/// Every metric of the server.
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    backup: BackupMetrics,
    csi: csi::CsiMetrics,
    restore: RestoreMetrics,
    schedule: schedule::ScheduleMetrics,
    location_status: Family<ByLocation, Gauge>,
    own: own::OwnMetrics,
}

#[derive(Default)]
struct BackupMetrics {
    attempts: Counters,
    successes: Counters,
    partial_failures: Counters,
    failures: Counters,
    validation_failures: Counters,
    warnings: Counters,
    deletion_attempts: Counters,
    deletion_successes: Counters,
    deletion_failures: Counters,
    snapshot_attempts: Counters,
    snapshot_successes: Counters,
    snapshot_failures: Counters,
    tarball_bytes: Gauges,
    last_success: Gauges,
    last_status: Gauges,
    items: Gauges,
    item_errors: Gauges,
    total: Gauge,
    duration: Durations,
}

#[derive(Default)]
struct RestoreMetrics {
    attempts: Counters,
    successes: Counters,
    partial_failures: Counters,
    failures: Counters,
    validation_failures: Counters,
    total: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let info = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("ark_build", "Version of this server", info);
        let own = own::OwnMetrics::register(registry.sub_registry_with_prefix("ark"));
        let velero = registry.sub_registry_with_prefix("velero");
        let metrics = Self {
            backup: BackupMetrics::register(velero),
            csi: csi::CsiMetrics::register(velero),
            restore: RestoreMetrics::register(velero),
            schedule: schedule::ScheduleMetrics::register(velero),
            location_status: Family::default(),
            own,
            registry: Mutex::default(),
        };
        velero.register(
            "backup_location_status_gauge",
            "Whether a backup location can be used (1) or not (0)",
            metrics.location_status.clone(),
        );
        Self {
            registry: Mutex::new(registry),
            ..metrics
        }
    }

    /// The exposition in the `OpenMetrics` text format.
    pub(crate) fn render(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        let registry = self.registry.lock().map_err(|_| std::fmt::Error)?;
        text::encode(&mut out, &registry)?;
        Ok(out)
    }

    /// A backup begins.
    pub(crate) fn backup_started(&self, schedule: &str) {
        self.backup.attempts.get_or_create(&by(schedule)).inc();
    }

    /// A backup ended.
    pub(crate) fn backup_ended(
        &self,
        (schedule, name): (&str, &str),
        outcome: Outcome,
        figures: BackupFigures,
        now: Timestamp,
    ) {
        let label = by(schedule);
        let backup = &self.backup;
        let counter = match outcome {
            Outcome::Success => &backup.successes,
            Outcome::Partial => &backup.partial_failures,
            Outcome::Failure => &backup.failures,
            Outcome::Invalid => &backup.validation_failures,
        };
        counter.get_or_create(&label).inc();
        let good = i64::from(outcome == Outcome::Success);
        backup.last_status.get_or_create(&label).set(good);
        if outcome == Outcome::Success {
            backup
                .last_success
                .get_or_create(&label)
                .set(now.as_second());
        }
        if outcome == Outcome::Invalid {
            return;
        }
        backup
            .warnings
            .get_or_create(&label)
            .inc_by(figures.warnings);
        let failed = figures
            .snapshots
            .saturating_sub(figures.snapshots_completed);
        for (counter, count) in [
            (&backup.snapshot_attempts, figures.snapshots),
            (&backup.snapshot_successes, figures.snapshots_completed),
            (&backup.snapshot_failures, failed),
        ] {
            counter.get_or_create(&label).inc_by(count);
        }
        if figures.csi_snapshots > 0 {
            let usable = figures.csi_snapshots_completed;
            self.csi
                .ended((schedule, name), figures.csi_snapshots, usable);
        }
        backup.items.get_or_create(&label).set(figures.items);
        backup.item_errors.get_or_create(&label).set(figures.errors);
        if let Some(bytes) = figures.bytes {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            backup.tarball_bytes.get_or_create(&label).set(bytes);
        }
        let duration = backup.duration.0.get_or_create(&label);
        duration.observe(figures.seconds);
    }

    /// A deletion ended, well or not.
    pub(crate) fn deletion_ended(&self, (schedule, backup): (&str, &str), well: bool) {
        let label = by(schedule);
        if well {
            self.csi.forget(schedule, backup);
        }
        self.backup.deletion_attempts.get_or_create(&label).inc();
        let counter = if well {
            &self.backup.deletion_successes
        } else {
            &self.backup.deletion_failures
        };
        counter.get_or_create(&label).inc();
    }

    /// A restore begins.
    pub(crate) fn restore_started(&self, schedule: &str) {
        self.restore.attempts.get_or_create(&by(schedule)).inc();
    }

    /// A restore ended.
    pub(crate) fn restore_ended(&self, schedule: &str, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Success => &self.restore.successes,
            Outcome::Partial => &self.restore.partial_failures,
            Outcome::Failure => &self.restore.failures,
            Outcome::Invalid => &self.restore.validation_failures,
        };
        counter.get_or_create(&by(schedule)).inc();
    }

    /// How many backups the cluster knows.
    pub(crate) fn set_backups(&self, count: usize) {
        self.backup
            .total
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// How many restores the cluster knows.
    pub(crate) fn set_restores(&self, count: usize) {
        self.restore
            .total
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A location was looked at.
    pub(crate) fn set_location(&self, name: &str, available: bool) {
        let label = ByLocation {
            backup_location_name: name.to_owned(),
        };
        self.location_status
            .get_or_create(&label)
            .set(i64::from(available));
    }

    /// A location is gone.
    pub(crate) fn forget_location(&self, name: &str) {
        let label = ByLocation {
            backup_location_name: name.to_owned(),
        };
        self.location_status.remove(&label);
    }
}

impl BackupMetrics {
    fn register(to: &mut Registry) -> Self {
        let metrics = Self::default();
        for (name, help, family) in metrics.counters() {
            // Alerts compare with zero what nothing has happened to yet.
            drop(family.get_or_create(&by("")));
            to.register(name, help, family.clone());
        }
        for (name, help, family) in metrics.gauges() {
            to.register(name, help, family.clone());
        }
        let duration = metrics.duration.0.clone();
        to.register("backup_duration_seconds", "How long backups took", duration);
        to.register(
            "backup_total",
            "Backups that the cluster knows",
            metrics.total.clone(),
        );
        metrics
    }

    /// The encoder adds `_total` to these names.
    fn counters(&self) -> [(&'static str, &'static str, &Counters); 12] {
        [
            ("backup_attempt", "Backups that began", &self.attempts),
            ("backup_success", "Complete backups", &self.successes),
            (
                "backup_partial_failure",
                "Backups that miss something",
                &self.partial_failures,
            ),
            ("backup_failure", "Backups that failed", &self.failures),
            (
                "backup_validation_failure",
                "Backups never begun",
                &self.validation_failures,
            ),
            ("backup_warning", "Warnings in backups", &self.warnings),
            (
                "backup_deletion_attempt",
                "Deletions that began",
                &self.deletion_attempts,
            ),
            (
                "backup_deletion_success",
                "Deletions that succeeded",
                &self.deletion_successes,
            ),
            (
                "backup_deletion_failure",
                "Deletions that failed",
                &self.deletion_failures,
            ),
            (
                "volume_snapshot_attempt",
                "Snapshots of volumes that were begun",
                &self.snapshot_attempts,
            ),
            (
                "volume_snapshot_success",
                "Snapshots of volumes that can be used",
                &self.snapshot_successes,
            ),
            (
                "volume_snapshot_failure",
                "Snapshots of volumes that cannot",
                &self.snapshot_failures,
            ),
        ]
    }

    fn gauges(&self) -> [(&'static str, &'static str, &Gauges); 5] {
        [
            (
                "backup_tarball_size_bytes",
                "Size of the last tarball",
                &self.tarball_bytes,
            ),
            (
                "backup_last_successful_timestamp",
                "When a backup last succeeded, in seconds since 1970",
                &self.last_success,
            ),
            (
                "backup_last_status",
                "Whether the last backup is complete",
                &self.last_status,
            ),
            (
                "backup_items_total",
                "Items in the last backup",
                &self.items,
            ),
            (
                "backup_items_errors",
                "Errors in the last backup",
                &self.item_errors,
            ),
        ]
    }
}

impl RestoreMetrics {
    fn register(to: &mut Registry) -> Self {
        let metrics = Self::default();
        let counters = [
            ("restore_attempt", "Restores that began", &metrics.attempts),
            (
                "restore_success",
                "Restores that are complete",
                &metrics.successes,
            ),
            (
                "restore_partial_failure",
                "Restores that miss something",
                &metrics.partial_failures,
            ),
            ("restore_failed", "Restores that failed", &metrics.failures),
            (
                "restore_validation_failed",
                "Restores never begun",
                &metrics.validation_failures,
            ),
        ];
        for (name, help, family) in counters {
            drop(family.get_or_create(&by("")));
            to.register(name, help, family.clone());
        }
        to.register(
            "restore_total",
            "Restores that the cluster knows",
            metrics.total.clone(),
        );
        metrics
    }

    fn counters(&self) -> [&Counters; 5] {
        [
            &self.attempts,
            &self.successes,
            &self.partial_failures,
            &self.failures,
            &self.validation_failures,
        ]
    }
}

fn by(schedule: &str) -> BySchedule {
    BySchedule {
        schedule: schedule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_known_dashboards() {
        let metrics = Metrics::new();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let figures = BackupFigures {
            bytes: Some(2048),
            items: 7,
            errors: 1,
            warnings: 3,
            snapshots: 5,
            snapshots_completed: 4,
            csi_snapshots: 3,
            csi_snapshots_completed: 2,
            seconds: 90.0,
        };
        metrics.backup_started("daily");
        metrics.backup_ended(("daily", "b"), Outcome::Success, figures, now);
        metrics.backup_ended(("daily", "old"), Outcome::Success, figures, now);
        metrics.backup_ended(("", "c"), Outcome::Invalid, BackupFigures::default(), now);
        metrics.deletion_ended(("daily", "old"), true);
        metrics.restore_started("");
        metrics.restore_ended("", Outcome::Failure);
        metrics.set_backups(4);
        metrics.set_location("default", true);
        metrics.set_location("gone", false);
        metrics.forget_location("gone");
        let text = metrics.render().unwrap();
        for line in [
            "velero_backup_attempt_total{schedule=\"daily\"} 1",
            "velero_backup_success_total{schedule=\"daily\"} 2",
            "velero_backup_validation_failure_total{schedule=\"\"} 1",
            "velero_backup_warning_total{schedule=\"daily\"} 6",
            "velero_backup_tarball_size_bytes{schedule=\"daily\"} 2048",
            "velero_backup_last_successful_timestamp{schedule=\"daily\"} 1700000000",
            "velero_backup_last_status{schedule=\"daily\"} 1",
            "velero_backup_last_status{schedule=\"\"} 0",
            "velero_backup_items_total{schedule=\"daily\"} 7",
            "velero_backup_items_errors{schedule=\"daily\"} 1",
            "velero_backup_duration_seconds_bucket{le=\"300.0\",schedule=\"daily\"} 2",
            "velero_backup_deletion_success_total{schedule=\"daily\"} 1",
            "velero_volume_snapshot_attempt_total{schedule=\"daily\"} 10",
            "velero_volume_snapshot_success_total{schedule=\"daily\"} 8",
            "velero_volume_snapshot_failure_total{schedule=\"daily\"} 2",
            "velero_csi_snapshot_attempt_total{schedule=\"daily\",backupName=\"b\"} 3",
            "velero_csi_snapshot_success_total{schedule=\"daily\",backupName=\"b\"} 2",
            "velero_csi_snapshot_failure_total{schedule=\"daily\",backupName=\"b\"} 1",
            "velero_backup_total 4",
            "velero_restore_attempt_total{schedule=\"\"} 1",
            "velero_restore_failed_total{schedule=\"\"} 1",
            "velero_backup_location_status_gauge{backup_location_name=\"default\"} 1",
        ] {
            assert!(text.contains(line), "no `{line}` in\n{text}");
        }
        assert!(text.contains("ark_build_info{version="), "{text}");
        assert!(!text.contains("gone"), "{text}");
        assert!(
            !text.contains("\"old\""),
            "what is deleted is forgotten: {text}"
        );
        assert!(text.ends_with("# EOF\n"));
    }
}
