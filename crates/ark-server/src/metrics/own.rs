//! What other servers have no names for, below `ark_`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Metrics;

/// Label `kind`: `backup`, `restore` or `deletion`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

/// See the module.
#[derive(Default)]
pub(super) struct OwnMetrics {
    queued: Gauge,
    running: Family<ByKind, Gauge>,
    resumed: Family<ByKind, Counter>,
}

impl OwnMetrics {
    pub(super) fn register(to: &mut Registry) -> Self {
        let metrics = Self::default();
        to.register(
            "backups_queued",
            "Backups that wait for their turn",
            metrics.queued.clone(),
        );
        to.register("jobs_running", "Jobs that run now", metrics.running.clone());
        // The encoder adds `_total`.
        to.register(
            "jobs_resumed",
            "Jobs begun again because a server ended before they did",
            metrics.resumed.clone(),
        );
        metrics
    }
}

impl Metrics {
    /// How many backups wait.
    pub(crate) fn set_queued(&self, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.own.queued.set(count);
    }

    /// A job begins; `again` when it was begun before.
    pub(crate) fn job_started(&self, kind: &'static str, again: bool) {
        self.own.running.get_or_create(&ByKind { kind }).inc();
        if again {
            self.own.resumed.get_or_create(&ByKind { kind }).inc();
        }
    }

    /// A job ended, however.
    pub(crate) fn job_ended(&self, kind: &'static str) {
        self.own.running.get_or_create(&ByKind { kind }).dec();
    }
}
