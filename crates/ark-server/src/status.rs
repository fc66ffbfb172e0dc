//! Progress of a job in its custom resource: at most one patch a second.
//!
//! The engine's events come faster than the API server should be asked to
//! write. Only the newest counts matter, so they pass through a watch channel:
//! nothing queues up, and nothing that is slow holds up the job.

use std::future::Future;
use std::time::Duration;

use ark_engine::progress::{Event, Observer, Part};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The least time between two patches of one object.
pub(crate) const PATCH_INTERVAL: Duration = Duration::from_secs(1);

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Items there will be, as far as known.
    pub(crate) total: u64,
    /// Items done.
    pub(crate) done: u64,
    /// What is left after the items, and whether something failed before.
    pub(crate) part: Option<(Part, bool)>,
}

/// Takes a job's events and keeps the newest counts.
pub(crate) struct ProgressObserver(watch::Sender<Counts>);

/// An observer and the counts that it keeps.
pub(crate) fn channel() -> (ProgressObserver, watch::Receiver<Counts>) {
    let (sender, receiver) = watch::channel(Counts::default());
    (ProgressObserver(sender), receiver)
}

impl Observer for ProgressObserver {
    fn on(&self, event: &Event) {
        let change = |apply: fn(&mut Counts, u64), value: u64| {
            self.0.send_if_modified(|counts| {
                let before = *counts;
                apply(counts, value);
                *counts != before
            });
        };
        match event {
            Event::Total(total) => change(|counts, value| counts.total = value, *total),
            Event::Done(done) => change(|counts, value| counts.done = value, *done),
            Event::Part { part, partial } => {
                self.0
                    .send_modify(|counts| counts.part = Some((*part, *partial)));
            }
            Event::Stage(_) | Event::Issue(_) | Event::Note(_) => {}
        }
    }
}

/// Whether an object can still be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// Go on; also after a failure that may pass.
    GoOn,
    /// The object is gone: nobody is left to tell.
    Gone,
}

/// Writes counts by `patch` until `done` is cancelled or the object is gone. A
/// patch that is under way is waited for, so that none comes after the return.
pub(crate) async fn follow<F, Fut>(
    mut counts: watch::Receiver<Counts>,
    done: CancellationToken,
    interval: Duration,
    patch: F,
) -> Written
where
    F: Fn(Counts) -> Fut,
    Fut: Future<Output = Written>,
{
    loop {
        match done.run_until_cancelled(counts.changed()).await {
            None | Some(Err(_)) => return Written::GoOn,
            Some(Ok(())) => {}
        }
        let newest = *counts.borrow_and_update();
        if patch(newest).await == Written::Gone {
            return Written::Gone;
        }
        if done
            .run_until_cancelled(tokio::time::sleep(interval))
            .await
            .is_none()
        {
            return Written::GoOn;
        }
    }
}

/// Runs `work` while its counts are written by `patch`. When the object is gone
/// `cancel` is cancelled: there is nobody left to work for.
pub(crate) async fn alongside<W, F, Fut>(
    counts: watch::Receiver<Counts>,
    cancel: &CancellationToken,
    work: W,
    patch: F,
) -> W::Output
where
    W: Future,
    F: Fn(Counts) -> Fut,
    Fut: Future<Output = Written>,
{
    let done = CancellationToken::new();
    let working = async {
        let result = work.await;
        done.cancel();
        result
    };
    let following = async {
        if follow(counts, done.clone(), PATCH_INTERVAL, patch).await == Written::Gone {
            cancel.cancel();
        }
    };
    futures::join!(working, following).0
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_events_make_few_patches_and_the_newest_counts() {
        let (observer, counts) = channel();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let done = CancellationToken::new();
        let follower = {
            let (seen, done) = (Arc::clone(&seen), done.clone());
            tokio::spawn(follow(counts, done, PATCH_INTERVAL, move |counts| {
                seen.lock().unwrap().push(counts);
                std::future::ready(Written::GoOn)
            }))
        };
        observer.on(&Event::Total(1000));
        for n in 1..=1000 {
            observer.on(&Event::Done(n));
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        tokio::time::sleep(PATCH_INTERVAL).await;
        done.cancel();
        assert_eq!(follower.await.unwrap(), Written::GoOn);
        let seen = seen.lock().unwrap();
        assert!(
            (3..=6).contains(&seen.len()),
            "{} patches in 4 seconds",
            seen.len()
        );
        assert_eq!(
            seen.last(),
            Some(&Counts {
                total: 1000,
                done: 1000,
                part: None,
            })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn equal_counts_are_not_written_again() {
        let (observer, counts) = channel();
        let seen = Arc::new(Mutex::new(0));
        let done = CancellationToken::new();
        let follower = {
            let (seen, done) = (Arc::clone(&seen), done.clone());
            tokio::spawn(follow(counts, done, PATCH_INTERVAL, move |_| {
                *seen.lock().unwrap() += 1;
                std::future::ready(Written::GoOn)
            }))
        };
        for _ in 0..5 {
            observer.on(&Event::Done(3));
            tokio::time::sleep(2 * PATCH_INTERVAL).await;
        }
        done.cancel();
        follower.await.unwrap();
        assert_eq!(*seen.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn a_gone_object_cancels_the_work() {
        let (observer, counts) = channel();
        observer.on(&Event::Total(1));
        let cancel = CancellationToken::new();
        let work = cancel.cancelled();
        alongside(counts, &cancel, work, |_| std::future::ready(Written::Gone)).await;
        assert!(cancel.is_cancelled());
    }
}
