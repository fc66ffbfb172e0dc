//! The limit follows the server, and the semaphore follows the limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const MS: Duration = Duration::from_millis(1);

fn grow(aimd: &mut Aimd, calls: usize) {
    for _ in 0..calls {
        aimd.observe(Duration::ZERO, Class::Write, Outcome::Answered, (MS, true));
    }
}

#[test]
fn a_used_limit_grows_to_its_maximum_and_not_beyond() {
    let mut aimd = Aimd::new(32);
    assert_eq!(aimd.limit(), 16);
    grow(&mut aimd, 17);
    assert_eq!(aimd.limit(), 17);
    grow(&mut aimd, 10_000);
    assert_eq!(aimd.limit(), 32);
}

#[test]
fn an_unused_limit_stays() {
    let mut aimd = Aimd::new(64);
    for _ in 0..1000 {
        aimd.observe(Duration::ZERO, Class::Read, Outcome::Answered, (MS, false));
    }
    assert_eq!(aimd.limit(), 16);
}

#[test]
fn throttling_halves_once_per_cool_down_and_never_to_nothing() {
    let mut aimd = Aimd::new(64);
    for _ in 0..20 {
        aimd.observe(Duration::ZERO, Class::Write, Outcome::Throttled, (MS, true));
    }
    assert_eq!(aimd.limit(), 8);
    for second in 1..20 {
        let now = Duration::from_secs(second);
        aimd.observe(now, Class::Write, Outcome::Failed, (MS, true));
    }
    assert_eq!(aimd.limit(), 1);
}

#[test]
fn a_queue_in_the_server_shrinks_the_limit() {
    let mut aimd = Aimd::new(64);
    grow(&mut aimd, 1);
    for call in 0..100_u32 {
        let now = Duration::from_millis(u64::from(call));
        aimd.observe(now, Class::Write, Outcome::Answered, (800 * MS, true));
    }
    assert!(aimd.limit() < 16, "{}", aimd.limit());
}

#[test]
fn slow_pages_and_an_always_slow_server_are_no_queue() {
    let mut aimd = Aimd::new(64);
    for _ in 0..100 {
        let slow = 900 * MS;
        aimd.observe(
            Duration::ZERO,
            Class::Bulk,
            Outcome::Answered,
            (slow, false),
        );
        aimd.observe(
            Duration::ZERO,
            Class::Read,
            Outcome::Answered,
            (slow, false),
        );
    }
    assert_eq!(aimd.limit(), 16);
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_run_than_the_limit_allows() {
    let throttle = Arc::new(Throttle::new(4));
    let running = Arc::new(AtomicUsize::new(0));
    let calls = (0..40).map(|_| {
        let (throttle, running) = (Arc::clone(&throttle), Arc::clone(&running));
        tokio::spawn(async move {
            let permit = throttle.acquire().await;
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            assert!(now <= 4, "{now} at once");
            tokio::time::sleep(MS).await;
            running.fetch_sub(1, Ordering::SeqCst);
            permit.finish(Class::Write, Outcome::Answered);
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn places_are_taken_away_and_given_back() {
    let throttle = Throttle::new(64);
    throttle
        .acquire()
        .await
        .finish(Class::Write, Outcome::Throttled);
    assert_eq!(throttle.limit(), 8);
    // Free places vanish as calls pass through them.
    for _ in 0..10 {
        throttle
            .acquire()
            .await
            .finish(Class::Bulk, Outcome::Answered);
    }
    assert_eq!(throttle.semaphore.available_permits(), 8);
    for _ in 0..200 {
        let mut held = Vec::new();
        while throttle.semaphore.available_permits() > 0 {
            held.push(throttle.acquire().await);
        }
        for permit in held {
            permit.finish(Class::Bulk, Outcome::Answered);
        }
    }
    assert!(throttle.limit() > 20, "{}", throttle.limit());
    assert_eq!(throttle.semaphore.available_permits(), throttle.limit());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_gives_its_place_back() {
    let throttle = Throttle::new(1);
    drop(throttle.acquire().await);
    let again = tokio::time::timeout(MS, throttle.acquire()).await;
    assert!(again.is_ok());
}
