//! How much memory and patience a store takes.

use std::time::Duration;

/// Sizes and times of a store. The defaults suit a server in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// Bytes in a part of an upload. S3 takes 5 MiB to 5 GiB and 10,000 parts, so
    /// 8 MiB end at 78 GiB.
    pub part_size: usize,
    /// Parts of one upload on their way at a time. An upload holds at most this
    /// many plus two.
    pub parts_in_flight: usize,
    /// How often a call that failed for a passing reason is made again.
    pub retries: usize,
    /// The wait before the first repetition; each next one is twice as long, plus a
    /// random part of up to this much.
    pub first_delay: Duration,
    /// No wait grows above this.
    pub longest_delay: Duration,
    /// The time for one attempt of a small call.
    pub call_timeout: Duration,
    /// The time for one attempt to send a part, and for silence in a download.
    pub transfer_timeout: Duration,
    /// The longest that a server's `Retry-After` is obeyed.
    pub longest_retry_after: Duration,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            part_size: 8 << 20,
            parts_in_flight: 3,
            // 0.2 + 0.4 + … + 6.4 s: some 13 seconds, and up to 1.4 more by chance.
            retries: 6,
            first_delay: Duration::from_millis(200),
            longest_delay: Duration::from_secs(10),
            call_timeout: Duration::from_mins(1),
            transfer_timeout: Duration::from_mins(2),
            longest_retry_after: Duration::from_secs(20),
        }
    }
}

impl Tuning {
    /// How many parts of one upload are in memory at most: those in flight, the one
    /// that the client holds back to learn whether it is the last, and the one that
    /// is being filled.
    pub fn parts_in_memory(&self) -> usize {
        self.parts_in_flight + 2
    }
}
