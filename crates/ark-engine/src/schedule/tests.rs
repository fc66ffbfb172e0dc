//! What a schedule decides: with a clock that jumps, with backups in the way.

mod oracle;
mod text;

use ark_api::{Backup, BackupPhase, Schedule, Time};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::backup::Defaults;

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn nightly(spec: &Value, status: &Value) -> Schedule {
    let mut schedule: Schedule = serde_json::from_value(json!({
        "apiVersion": "velero.io/v1", "kind": "Schedule",
        "metadata": {
            "name": "nightly", "namespace": "ark", "uid": "u-1",
            "creationTimestamp": "2026-03-01T12:00:00Z",
            "labels": {"team": "red"},
            "annotations": {
                "note": "keep",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
            },
        },
        "spec": {"schedule": "0 3 * * *", "template": {"ttl": "72h"}},
        "status": status,
    }))
    .unwrap();
    let mut whole = serde_json::to_value(&schedule.spec).unwrap();
    whole
        .as_object_mut()
        .unwrap()
        .extend(spec.as_object().unwrap().clone());
    schedule.spec = serde_json::from_value(whole).unwrap();
    schedule
}

fn decided(schedule: &Schedule, now: &str) -> Decision {
    decided_with(schedule, now, &[])
}

fn decided_with(schedule: &Schedule, now: &str, backups: &[Backup]) -> Decision {
    let now = moment(now);
    let timetable = check(schedule, &Defaults::default(), now).unwrap();
    let facts = Facts {
        now,
        skip_by_default: false,
        backups,
    };
    decide(schedule, &timetable, facts)
}

fn due(at: &str) -> Decision {
    Decision::Due { at: moment(at) }
}

fn not_due(next: &str) -> Decision {
    Decision::NotDue { next: moment(next) }
}

#[test]
fn the_first_backup_comes_at_the_first_moment_after_the_schedule_was_made() {
    let schedule = nightly(&json!({}), &json!({}));
    let next = not_due("2026-03-02T03:00:00Z");
    assert_eq!(decided(&schedule, "2026-03-01T12:00:00Z"), next);
    assert_eq!(decided(&schedule, "2026-03-02T02:59:59.999Z"), next);
    let due = due("2026-03-02T03:00:00Z");
    assert_eq!(decided(&schedule, "2026-03-02T03:00:00Z"), due);
    assert_eq!(decided(&schedule, "2026-03-02T03:00:07.5Z"), due);
}

#[test]
fn missed_moments_become_one_backup_for_the_latest() {
    let schedule = nightly(&json!({}), &json!({"lastBackup": "2026-03-02T03:00:00Z"}));
    let now = "2026-03-09T10:00:00Z";
    assert_eq!(decided(&schedule, now), due("2026-03-09T03:00:00Z"));
    let caught_up = nightly(&json!({}), &json!({"lastBackup": now}));
    let next = not_due("2026-03-10T03:00:00Z");
    assert_eq!(decided(&caught_up, now), next);

    let often = json!({"schedule": "@every 11m"});
    let schedule = nightly(&often, &json!({"lastBackup": "2026-03-02T03:00:00Z"}));
    let due_at = due("2026-03-09T09:54:00Z");
    assert_eq!(decided(&schedule, now), due_at);
}

#[test]
fn what_happened_last_counts_backup_or_omission() {
    let status = json!({
        "lastBackup": "2026-03-02T03:00:00Z", "lastSkipped": "2026-03-04T09:00:00Z",
    });
    let schedule = nightly(&json!({}), &status);
    let next = not_due("2026-03-05T03:00:00Z");
    assert_eq!(decided(&schedule, "2026-03-04T10:00:00Z"), next);
    let status = json!({
        "lastBackup": "2026-03-05T03:00:00Z", "lastSkipped": "2026-03-04T09:00:00Z",
    });
    let schedule = nightly(&json!({}), &status);
    let next = not_due("2026-03-06T03:00:00Z");
    assert_eq!(decided(&schedule, "2026-03-05T10:00:00Z"), next);
}

#[test]
fn a_paused_schedule_makes_nothing_and_may_still_skip() {
    let paused = nightly(&json!({"paused": true}), &json!({}));
    let now = "2026-03-09T10:00:00Z";
    assert_eq!(decided(&paused, now), Decision::Paused);
    let both = nightly(
        &json!({"paused": true, "skipImmediately": true}),
        &json!({}),
    );
    assert_eq!(decided(&both, now), Decision::Skip);
}

#[test]
fn the_server_skips_only_where_the_schedule_is_silent() {
    let asked = |spec: Value| {
        let schedule = nightly(&spec, &json!({}));
        let now = moment("2026-03-09T10:00:00Z");
        let timetable = check(&schedule, &Defaults::default(), now).unwrap();
        let facts = Facts {
            now,
            skip_by_default: true,
            backups: &[],
        };
        decide(&schedule, &timetable, facts)
    };
    // Each schedule by itself: the answer for one does not use up the default.
    for _ in 0..2 {
        assert_eq!(asked(json!({})), Decision::Skip);
    }
    let explicit = asked(json!({"skipImmediately": false}));
    assert_eq!(explicit, due("2026-03-09T03:00:00Z"));
}

#[test]
fn a_backup_that_has_not_ended_is_waited_for() {
    let schedule = nightly(&json!({}), &json!({}));
    let backup = |phase: Option<BackupPhase>| {
        let mut backup = backup_of(&schedule, "nightly-1".to_owned());
        backup.status.get_or_insert_default().phase = phase;
        backup
    };
    let now = "2026-03-02T03:00:00Z";
    let blocked = Decision::Blocked {
        by: "nightly-1".to_owned(),
    };
    for phase in [
        None,
        Some(BackupPhase::New),
        Some(BackupPhase::Queued),
        Some(BackupPhase::ReadyToStart),
        Some(BackupPhase::InProgress),
    ] {
        assert_eq!(decided_with(&schedule, now, &[backup(phase)]), blocked);
    }
    for phase in [
        BackupPhase::Completed,
        BackupPhase::PartiallyFailed,
        BackupPhase::Failed,
        BackupPhase::FailedValidation,
        BackupPhase::Deleting,
    ] {
        let decision = decided_with(&schedule, now, &[backup(Some(phase))]);
        assert_eq!(decision, due(now));
    }
    // Nothing is due: nothing is in the way either.
    let early = decided_with(&schedule, "2026-03-01T13:00:00Z", &[backup(None)]);
    assert_eq!(early, not_due("2026-03-02T03:00:00Z"));
}

#[test]
fn the_backup_for_the_moment_itself_is_found_again_and_noted() {
    // Made by a server that could not note it.
    let schedule = nightly(&json!({}), &json!({}));
    let now = "2026-03-02T03:00:30Z";
    let moment = "2026-03-02T03:00:00Z";
    let own = backup_of(&schedule, backup_name("nightly", moment.parse().unwrap()));
    assert_eq!(
        decided_with(&schedule, now, std::slice::from_ref(&own)),
        due(moment)
    );
    let other = backup_of(&schedule, "nightly-1".to_owned());
    let blocked = Decision::Blocked {
        by: "nightly-1".to_owned(),
    };
    assert_eq!(decided_with(&schedule, now, &[own, other]), blocked);
}

#[test]
fn a_clock_that_goes_back_a_little_repeats_nothing() {
    let status = json!({"lastBackup": "2026-03-02T03:00:00Z"});
    let schedule = nightly(&json!({}), &status);
    let next = not_due("2026-03-03T03:00:00Z");
    assert_eq!(decided(&schedule, "2026-03-02T02:59:30Z"), next);
}

#[test]
fn a_clock_that_was_far_ahead_does_not_stop_the_backups() {
    // It stood a year ahead when the last backup was made, or left out.
    for field in ["lastBackup", "lastSkipped"] {
        let schedule = nightly(&json!({}), &json!({field: "2027-03-02T03:00:00Z"}));
        let now = "2026-03-02T14:05:06Z";
        assert_eq!(decided(&schedule, now), due(now), "{field}");
    }
}

#[test]
fn a_clock_that_leaps_forward_makes_one_backup() {
    let mut schedule = nightly(&json!({}), &json!({"lastBackup": "2026-03-02T03:00:00Z"}));
    let now = "2031-07-01T00:00:00Z";
    assert_eq!(decided(&schedule, now), due("2031-06-30T03:00:00Z"));
    schedule.status.as_mut().unwrap().last_backup = Some(Time(moment(now)));
    assert_eq!(decided(&schedule, now), not_due("2031-07-01T03:00:00Z"));
}

#[test]
fn waiting_ends_at_the_next_moment_or_sooner() {
    let now = moment("2026-03-02T02:59:30Z");
    let minute = Duration::from_mins(1);
    let soon = not_due("2026-03-02T03:00:00Z");
    assert_eq!(pause(&soon, now, minute), Duration::from_secs(30));
    let late = not_due("2026-03-03T03:00:00Z");
    assert_eq!(pause(&late, now, minute), minute);
    let past = not_due("2026-03-01T03:00:00Z");
    assert_eq!(pause(&past, now, minute), Duration::ZERO);
    assert_eq!(pause(&Decision::Paused, now, minute), minute);
}

#[test]
fn a_backup_is_made_after_the_template() {
    let schedule = nightly(&json!({"useOwnerReferencesInBackup": true}), &json!({}));
    let name = backup_name("nightly", moment("2026-03-02T03:04:05Z"));
    let backup = serde_json::to_value(backup_of(&schedule, name)).unwrap();
    let metadata = &backup["metadata"];
    assert_eq!(metadata["name"], "nightly-20260302030405");
    assert_eq!(metadata["namespace"], "ark");
    let labels = json!({"team": "red", "velero.io/schedule-name": "nightly"});
    assert_eq!(metadata["labels"], labels);
    assert_eq!(metadata["annotations"], json!({"note": "keep"}));
    assert_eq!(
        metadata["ownerReferences"],
        json!([{
            "apiVersion": "velero.io/v1", "kind": "Schedule", "name": "nightly", "uid": "u-1",
            "controller": true,
        }])
    );
    assert_eq!(backup["spec"], json!({"ttl": "72h0m0s"}));
    assert!(backup["status"].is_null());
}

#[test]
fn labels_of_the_template_replace_those_of_the_schedule() {
    let template = json!({"template": {"metadata": {"labels": {"tier": "gold"}}}});
    let mut schedule = nightly(&template, &json!({}));
    let labels = backup_of(&schedule, String::new()).metadata.labels.unwrap();
    let keys: Vec<_> = labels.keys().map(String::as_str).collect();
    assert_eq!(keys, ["tier", "velero.io/schedule-name"]);

    let long = "n".repeat(70);
    schedule.metadata.name = Some(long.clone());
    let backup = backup_of(&schedule, String::new());
    assert!(backup.metadata.owner_references.is_none());
    let shortened = &backup.metadata.labels.unwrap()[ark_api::label::SCHEDULE_NAME];
    assert_eq!(*shortened, ark_api::label::valid_value(&long));
    assert_eq!(shortened.len(), 63);
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let spec = json!({
        "schedule": "0 0 3 * * *",
        "template": {
            "storageLocation": "elsewhere",
            "labelSelector": {"matchLabels": {"a": "b"}},
            "orLabelSelectors": [{"matchLabels": {"a": "c"}}],
        },
    });
    let mut schedule = nightly(&spec, &json!({}));
    schedule.metadata.name = Some("n".repeat(250));
    let now = moment("2026-03-02T03:00:00Z");
    let messages = check(&schedule, &Defaults::default(), now).unwrap_err();
    assert_eq!(messages.len(), 3, "{messages:#?}");
    assert!(messages[0].contains("seconds"), "{}", messages[0]);
    assert!(messages[1].contains("too long"), "{}", messages[1]);
    assert!(
        messages[2].starts_with("spec.template: "),
        "{}",
        messages[2]
    );
    // The location is nobody's business before a backup is made.
    let template = json!({
        "storageLocation": "elsewhere",
        "resourcePolicy": {"kind": "configmap", "name": "later"},
    });
    let valid = nightly(&json!({"template": template}), &json!({}));
    assert!(check(&valid, &Defaults::default(), now).is_ok());
}
