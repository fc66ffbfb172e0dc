//! Time, as the engine may see it.

use std::time::Duration;

use ark_api::Time;
use async_trait::async_trait;
use jiff::Timestamp;

/// The present and the passing of time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// This instant, UTC.
    fn now(&self) -> Timestamp;

    /// Returns after `duration`.
    async fn sleep(&self, duration: Duration);
}

/// A moment as resources store it: RFC 3339 in whole seconds.
pub fn stamp(moment: Timestamp) -> Time {
    Time(Timestamp::from_second(moment.as_second()).unwrap_or(moment))
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's time enters"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
