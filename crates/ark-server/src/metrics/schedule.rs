//! Metrics of schedules: how often each is expected to run, and its counters from
//! the moment that it is seen, so that alerts on missing backups have something to
//! look at before the first one.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;
use prometheus_client::registry::Registry;

use super::{Gauges, Metrics, by};

/// What is known of schedules.
#[derive(Default)]
pub(super) struct ScheduleMetrics {
    interval: Gauges,
    seen: Mutex<BTreeSet<String>>,
}

impl ScheduleMetrics {
    pub(super) fn register(to: &mut Registry) -> Self {
        let metrics = Self::default();
        to.register(
            "schedule_expected_interval_seconds",
            "How far the next two moments of a schedule are apart",
            metrics.interval.clone(),
        );
        metrics
    }
}

impl Metrics {
    /// A schedule was looked at; one that is not valid has no interval.
    pub(crate) fn schedule_seen(&self, name: &str, interval: Option<SignedDuration>) {
        let label = by(name);
        match interval {
            Some(interval) => {
                let gauge = self.schedule.interval.get_or_create(&label);
                gauge.set(interval.as_secs());
            }
            None => {
                self.schedule.interval.remove(&label);
            }
        }
        let mut seen = self
            .schedule
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if seen.insert(name.to_owned()) {
            for (_, _, counter) in self.backup.counters() {
                drop(counter.get_or_create(&label));
            }
            for counter in self.restore.counters() {
                drop(counter.get_or_create(&label));
            }
        }
    }

    /// Lets go of schedules that are not among `present`. Their counters stay:
    /// their backups are still there to be restored and deleted.
    pub(crate) fn forget_schedules(&self, present: &BTreeSet<String>) {
        let mut seen = self
            .schedule
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        seen.retain(|name| {
            let stays = present.contains(name);
            if !stays {
                self.schedule.interval.remove(&by(name));
            }
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_all_counters_before_its_first_backup() {
        let metrics = Metrics::new();
        metrics.schedule_seen("nightly", Some(SignedDuration::from_hours(24)));
        metrics.backup_started("nightly");
        metrics.schedule_seen("nightly", Some(SignedDuration::from_hours(24)));
        let text = metrics.render().unwrap();
        for line in [
            "velero_schedule_expected_interval_seconds{schedule=\"nightly\"} 86400",
            "velero_backup_attempt_total{schedule=\"nightly\"} 1",
            "velero_backup_success_total{schedule=\"nightly\"} 0",
            "velero_backup_partial_failure_total{schedule=\"nightly\"} 0",
            "velero_backup_failure_total{schedule=\"nightly\"} 0",
            "velero_backup_validation_failure_total{schedule=\"nightly\"} 0",
            "velero_backup_deletion_failure_total{schedule=\"nightly\"} 0",
            "velero_restore_attempt_total{schedule=\"nightly\"} 0",
            "velero_restore_failed_total{schedule=\"nightly\"} 0",
        ] {
            assert!(text.contains(line), "no `{line}` in\n{text}");
        }
    }

    #[test]
    fn what_is_gone_or_not_valid_is_not_expected() {
        let metrics = Metrics::new();
        let hour = Some(SignedDuration::from_hours(1));
        for name in ["stays", "goes", "breaks"] {
            metrics.schedule_seen(name, hour);
        }
        metrics.schedule_seen("breaks", None);
        metrics.forget_schedules(&BTreeSet::from(["stays".to_owned(), "breaks".to_owned()]));
        let text = metrics.render().unwrap();
        let expected =
            |name: &str| text.contains(&format!("interval_seconds{{schedule=\"{name}\"}}"));
        assert!(
            expected("stays") && !expected("goes") && !expected("breaks"),
            "{text}"
        );
    }
}
