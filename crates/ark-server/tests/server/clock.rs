//! The machine's clock, moved.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ark_engine::port::{Clock, SystemClock};
use jiff::{SignedDuration, Timestamp};

/// Runs as fast as the machine's, some seconds ahead of it.
#[derive(Debug, Default)]
pub(crate) struct MovedClock(AtomicI64);

impl MovedClock {
    /// Leaps forward.
    pub(crate) fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap();
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

#[async_trait::async_trait]
impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}
