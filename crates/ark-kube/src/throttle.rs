//! How many calls may be in flight: as many as the server bears.
//!
//! Additive increase, multiplicative decrease: the limit grows by about one per
//! round of successes while it is fully used, and shrinks when the server
//! throttles, fails to answer, or answers much more slowly than it can.
//! [`Aimd`] decides without a clock; [`Throttle`] applies it to a semaphore.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Calls in flight before anything is known of the server.
const START: f64 = 16.0;
/// After a decrease the calls already in flight say nothing new for this long.
const COOL_DOWN: Duration = Duration::from_secs(1);
/// Answers this much slower than the fastest one show a queue in the server.
const SLOW_FACTOR: u32 = 6;
/// Slower by less than this is never a queue, however fast the fastest was.
const SLOW_FLOOR: Duration = Duration::from_millis(250);
/// How long the fastest answer is remembered: servers and paths change.
const BASELINE_AGE: Duration = Duration::from_mins(1);

/// What a call does, since each class has its own usual latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// One object read.
    Read,
    /// One object written.
    Write,
    /// A list or another answer of any size: its latency says little.
    Bulk,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server answered, be it with an error.
    Answered,
    /// 429, or 503 with the wish to wait.
    Throttled,
    /// No answer in time, or a failing server.
    Failed,
}

/// The decision: pure, fed with the time since some start.
#[derive(Debug)]
pub(crate) struct Aimd {
    limit: f64,
    max: f64,
    cool_until: Duration,
    baselines: [Baseline; 2],
}

#[derive(Debug, Clone, Copy, Default)]
struct Baseline {
    fastest: Option<Duration>,
    since: Duration,
    /// Moving average of recent latencies, in seconds.
    recent: f64,
}

impl Aimd {
    pub(crate) fn new(max: usize) -> Self {
        let max = max.max(1) as f64;
        Self {
            limit: START.min(max),
            max,
            cool_until: Duration::ZERO,
            baselines: [Baseline::default(); 2],
        }
    }

    /// Calls allowed in flight; at least one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and a maximum that came from a usize"
    )]
    pub(crate) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Takes in one finished call; `full` when no more calls were allowed
    /// beside it, since an unused limit proves nothing.
    pub(crate) fn observe(
        &mut self,
        now: Duration,
        class: Class,
        outcome: Outcome,
        (latency, full): (Duration, bool),
    ) {
        match outcome {
            Outcome::Throttled | Outcome::Failed => self.decrease(now, 0.5),
            Outcome::Answered if self.is_slow(now, class, latency) => self.decrease(now, 0.8),
            Outcome::Answered if full => {
                self.limit = (self.limit + 1.0 / self.limit).min(self.max);
            }
            Outcome::Answered => {}
        }
    }

    fn decrease(&mut self, now: Duration, factor: f64) {
        if now >= self.cool_until {
            self.limit = (self.limit * factor).max(1.0);
            self.cool_until = now + COOL_DOWN;
        }
    }

    fn is_slow(&mut self, now: Duration, class: Class, latency: Duration) -> bool {
        let baseline = match class {
            Class::Read => &mut self.baselines[0],
            Class::Write => &mut self.baselines[1],
            Class::Bulk => return false,
        };
        let seconds = latency.as_secs_f64();
        match baseline.fastest {
            Some(fastest) if now < baseline.since + BASELINE_AGE => {
                baseline.fastest = Some(fastest.min(latency));
                baseline.recent += (seconds - baseline.recent) / 8.0;
            }
            _ => {
                *baseline = Baseline {
                    fastest: Some(latency),
                    since: now,
                    recent: seconds,
                };
            }
        }
        let bound = (latency_or_zero(baseline.fastest) * SLOW_FACTOR).max(SLOW_FLOOR);
        baseline.recent > bound.as_secs_f64()
    }
}

fn latency_or_zero(latency: Option<Duration>) -> Duration {
    latency.unwrap_or_default()
}

/// The limit in force, shared by all calls of a connection.
pub(crate) struct Throttle {
    start: Instant,
    semaphore: Semaphore,
    state: Mutex<State>,
}

struct State {
    aimd: Aimd,
    /// Permits that exist, whether held or free.
    issued: usize,
}

/// The right to have one call in flight.
pub(crate) struct Permit<'a> {
    throttle: &'a Throttle,
    held: Option<SemaphorePermit<'a>>,
    began: Instant,
}

impl Throttle {
    pub(crate) fn new(max: usize) -> Self {
        let aimd = Aimd::new(max);
        let issued = aimd.limit();
        Self {
            start: Instant::now(),
            semaphore: Semaphore::new(issued),
            state: Mutex::new(State { aimd, issued }),
        }
    }

    /// Waits for a place, first come first served.
    pub(crate) async fn acquire(&self) -> Permit<'_> {
        // The semaphore is never closed, so there is always a permit in the end.
        let held = self.semaphore.acquire().await.ok();
        Permit {
            throttle: self,
            held,
            began: Instant::now(),
        }
    }

    /// Calls allowed in flight now.
    pub(crate) fn limit(&self) -> usize {
        self.lock().aimd.limit()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Numbers stay numbers whatever panicked beside them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Gives the place back and lets the outcome move the limit.
    pub(crate) fn finish(self, class: Class, outcome: Outcome) {
        let throttle = self.throttle;
        let full = throttle.semaphore.available_permits() == 0;
        let latency = self.began.elapsed();
        let now = throttle.start.elapsed();
        throttle
            .lock()
            .aimd
            .observe(now, class, outcome, (latency, full));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let Some(permit) = self.held.take() else {
            return;
        };
        let mut state = self.throttle.lock();
        let limit = state.aimd.limit();
        if state.issued > limit {
            state.issued -= 1;
            permit.forget();
        } else if state.issued < limit {
            self.throttle.semaphore.add_permits(limit - state.issued);
            state.issued = limit;
        }
    }
}

#[cfg(test)]
mod tests;
