//! Growing, jittered pauses between attempts.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// Doubling pauses, each shortened at random by up to a half so that callers
/// who failed together do not come back together.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    next: Duration,
    max: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, max: Duration) -> Self {
        Self { next: first, max }
    }

    /// The next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        let full = self.next.min(self.max);
        self.next = full.saturating_mul(2);
        jitter(full)
    }
}

/// Between a half and the whole of `full`.
pub(crate) fn jitter(full: Duration) -> Duration {
    // A fresh `RandomState` is seeded by the system: random enough for pauses.
    let random = RandomState::new().hash_one(0_u8);
    let share = (random >> 32) as f64 / f64::from(u32::MAX);
    full.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_maximum() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        for full in [100, 200, 400, 800, 1000, 1000] {
            let pause = backoff.pause();
            assert!(pause <= Duration::from_millis(full), "{pause:?} of {full}");
            assert!(
                pause >= Duration::from_millis(full / 2),
                "{pause:?} of {full}"
            );
        }
    }
}
