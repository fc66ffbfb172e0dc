//! Which restores may start: a pure decision over those that want to run.
//!
//! Order: those that ran before a crash, then by age and name. Backups have a
//! queue of their own (`queue`), which also looks at namespaces.

use jiff::Timestamp;

/// A job that wants to run and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// `metadata.name`.
    pub(crate) name: String,
    /// Whether its resource says `InProgress`: it was interrupted.
    pub(crate) interrupted: bool,
    /// `metadata.creationTimestamp`.
    pub(crate) created: Option<Timestamp>,
}

/// Whether the job `name` starts now: of the `slots` free places, the first in
/// order get one. A job that is not in the list starts only when a place is left.
pub(crate) fn may_start(waiting: &[Waiting], name: &str, slots: usize) -> bool {
    let mut order: Vec<&Waiting> = waiting.iter().collect();
    order.sort_by_key(|job| rank(job));
    let place = order
        .iter()
        .position(|job| job.name == name)
        .unwrap_or(order.len());
    place < slots
}

fn rank(job: &Waiting) -> (bool, Option<Timestamp>, &str) {
    (!job.interrupted, job.created, &job.name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job(name: &str, interrupted: bool, second: i64) -> Waiting {
        let created = Timestamp::from_second(second).ok();
        Waiting {
            name: name.to_owned(),
            interrupted,
            created,
        }
    }

    #[test]
    fn interrupted_first_then_the_oldest() {
        let waiting = [
            job("young", false, 9),
            job("old", false, 1),
            job("crashed", true, 8),
        ];
        let starting = |slots| {
            let names = ["crashed", "old", "young"];
            names.map(|name| may_start(&waiting, name, slots))
        };
        assert_eq!(starting(1), [true, false, false]);
        assert_eq!(starting(2), [true, true, false]);
    }

    #[test]
    fn a_stranger_starts_only_when_a_slot_is_left() {
        let waiting = [job("a", false, 1)];
        assert!(!may_start(&waiting, "b", 1));
        assert!(may_start(&waiting, "b", 2));
        assert!(!may_start(&[], "b", 0));
    }

    proptest! {
        /// However jobs look, exactly as many start as there are slots.
        #[test]
        fn slots_are_used(
            jobs in prop::collection::vec((any::<bool>(), 0i64..4), 0..12),
            slots in 0usize..5,
        ) {
            let waiting: Vec<_> = jobs
                .iter()
                .enumerate()
                .map(|(i, (interrupted, second))| job(&format!("job-{i}"), *interrupted, *second))
                .collect();
            let starts = waiting.iter().filter(|job| may_start(&waiting, &job.name, slots)).count();
            prop_assert_eq!(starts, slots.min(waiting.len()));
        }
    }
}
