//! Who may start: a pure decision over the jobs that want to run.
//!
//! Order: those that ran before a crash, then the queue by position, then new
//! ones by age and name. No client in here.

use jiff::Timestamp;

/// A job that wants to run and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// `metadata.name`.
    pub(crate) name: String,
    /// Whether its resource says `InProgress`: it was interrupted.
    pub(crate) interrupted: bool,
    /// Its place in the queue as written, 0 when it has none yet.
    pub(crate) position: i64,
    /// `metadata.creationTimestamp`.
    pub(crate) created: Option<Timestamp>,
}

/// What a waiting job is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Start now.
    Start,
    /// Wait at this place, counted from 1.
    Wait(i64),
}

/// Decides for the job `name`: of the `slots` free places, the first in order
/// get one. A job that is not in the list starts only when nobody waits.
pub(crate) fn turn(waiting: &[Waiting], name: &str, slots: usize) -> Turn {
    let mut order: Vec<&Waiting> = waiting.iter().collect();
    order.sort_by_key(|job| rank(job));
    let place = order
        .iter()
        .position(|job| job.name == name)
        .unwrap_or(order.len());
    if place < slots {
        return Turn::Start;
    }
    Turn::Wait(i64::try_from(place - slots + 1).unwrap_or(i64::MAX))
}

fn rank(job: &Waiting) -> (bool, i64, Option<Timestamp>, &str) {
    let position = if job.position > 0 {
        job.position
    } else {
        i64::MAX
    };
    (!job.interrupted, position, job.created, &job.name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job(name: &str, interrupted: bool, position: i64, second: i64) -> Waiting {
        let created = Timestamp::from_second(second).ok();
        Waiting {
            name: name.to_owned(),
            interrupted,
            position,
            created,
        }
    }

    #[test]
    fn interrupted_first_then_the_queue_then_the_oldest() {
        let waiting = [
            job("young", false, 0, 9),
            job("old", false, 0, 1),
            job("second", false, 2, 5),
            job("first", false, 1, 7),
            job("crashed", true, 0, 8),
        ];
        let places: Vec<Turn> = ["crashed", "first", "second", "old", "young"]
            .iter()
            .map(|name| turn(&waiting, name, 1))
            .collect();
        let expected = [
            Turn::Start,
            Turn::Wait(1),
            Turn::Wait(2),
            Turn::Wait(3),
            Turn::Wait(4),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn a_stranger_starts_only_when_a_slot_is_left() {
        let waiting = [job("a", false, 1, 1)];
        assert_eq!(turn(&waiting, "b", 1), Turn::Wait(1));
        assert_eq!(turn(&waiting, "b", 2), Turn::Start);
        assert_eq!(turn(&[], "b", 0), Turn::Wait(1));
    }

    proptest! {
        /// However jobs look, exactly as many start as there are slots, and the
        /// others stand at 1, 2, 3, without gaps or doubles.
        #[test]
        fn slots_are_used_and_places_are_a_sequence(
            jobs in prop::collection::vec((any::<bool>(), 0i64..4, 0i64..4), 0..12),
            slots in 0usize..5,
        ) {
            let waiting: Vec<_> = jobs
                .iter()
                .enumerate()
                .map(|(i, (interrupted, position, second))| {
                    job(&format!("job-{i}"), *interrupted, *position, *second)
                })
                .collect();
            let turns: Vec<Turn> =
                waiting.iter().map(|job| turn(&waiting, &job.name, slots)).collect();
            let starts = turns.iter().filter(|turn| **turn == Turn::Start).count();
            prop_assert_eq!(starts, slots.min(waiting.len()));
            let mut places: Vec<i64> = turns
                .iter()
                .filter_map(|turn| match turn {
                    Turn::Wait(place) => Some(*place),
                    Turn::Start => None,
                })
                .collect();
            places.sort_unstable();
            let expected: Vec<i64> = (1..).take(places.len()).collect();
            prop_assert_eq!(places, expected);
        }
    }
}
