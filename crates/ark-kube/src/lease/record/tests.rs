//! Who may have the lease, and what is written.

use super::*;

fn observed(holder: &str, since: Instant) -> Observed {
    Observed {
        record: Record {
            holder: holder.to_owned(),
            duration: Duration::from_secs(15),
            acquired: Some("then".to_owned()),
            renewed: "then".to_owned(),
            transitions: 3,
            resource_version: "7".to_owned(),
        },
        since,
    }
}

#[test]
fn a_missing_or_free_lease_is_taken() {
    let now = Instant::now();
    assert_eq!(decide(None, "me", now), Decision::Acquire);
    assert_eq!(
        decide(Some(&observed("", now)), "me", now),
        Decision::Acquire
    );
}

#[test]
fn ours_is_renewed_even_when_it_ran_out() {
    let then = Instant::now();
    let lease = observed("me", then);
    assert_eq!(decide(Some(&lease), "me", then), Decision::Renew);
    let later = then + Duration::from_mins(1);
    assert_eq!(decide(Some(&lease), "me", later), Decision::Renew);
}

#[test]
fn that_of_another_is_taken_when_it_did_not_change_for_its_duration() {
    let then = Instant::now();
    let lease = observed("other", then);
    let almost = then + Duration::from_millis(14_999);
    assert_eq!(decide(Some(&lease), "me", almost), Decision::Wait);
    let after = then + Duration::from_secs(15);
    assert_eq!(decide(Some(&lease), "me", after), Decision::Acquire);
}

#[test]
fn taking_over_counts_and_renewing_does_not() {
    let options = LeaseOptions::new("n", "l", "me");
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let taken = Record::next(
        Some(&observed("other", Instant::now()).record),
        &options,
        now,
    );
    assert_eq!(taken.transitions, 4);
    assert_eq!(
        taken.acquired.as_deref(),
        Some("2026-01-02T03:04:05.000000Z")
    );
    let renewed = Record::next(Some(&observed("me", Instant::now()).record), &options, now);
    assert_eq!(renewed.transitions, 3);
    assert_eq!(renewed.acquired.as_deref(), Some("then"));
    assert_eq!(renewed.renewed, "2026-01-02T03:04:05.000000Z");
}
