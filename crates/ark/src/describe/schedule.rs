//! The description of a schedule.

use ark_api::{Schedule, Time};
use ark_engine::schedule::{Decision, Facts, Timetable, decide};
use jiff::Timestamp;
use serde_json::json;

use super::{backup, metadata};
use crate::listing::status;
use crate::out::describe::Description;
use crate::out::human;

/// Describes a schedule.
pub fn describe(schedule: &Schedule, now: Timestamp) -> Description {
    let outcome = schedule.status.clone().unwrap_or_default();
    let mut all = Description::new();
    all.group("metadata", metadata(&schedule.metadata)).gap();
    all.phase(
        "Phase",
        "phase",
        status(&schedule.metadata, schedule.phase().as_str()),
        "",
    );
    if !outcome.validation_errors.is_empty() {
        all.lines(
            "Validation errors",
            "validationErrors",
            outcome.validation_errors.clone(),
        );
    }
    all.gap()
        .field("Paused", "paused", schedule.spec.paused)
        .field("Schedule", "schedule", schedule.spec.schedule.as_str());
    if let Some(owned) = schedule.spec.use_owner_references_in_backup {
        all.field("Owns Backups", "useOwnerReferencesInBackup", owned);
    }
    all.gap().section(
        "Backup Template",
        "backupTemplate",
        backup::spec::describe(&schedule.spec.template),
    );
    all.gap();
    let at = |time: Option<&Time>| time.map(|time| time.0);
    let last = at(outcome.last_backup.as_ref());
    moment(&mut all, "Last Backup", "lastBackup", (last, "<never>"));
    if let Some(skipped) = at(outcome.last_skipped.as_ref()) {
        moment(&mut all, "Last Skipped", "lastSkipped", (Some(skipped), ""));
    }
    let next = (next(schedule, now), "<n/a>");
    moment(&mut all, "Next Backup", "nextBackup", next);
    all
}

/// A point in time: for programs in its standard form, null where there is none.
fn moment(into: &mut Description, label: &str, key: &str, (at, none): (Option<Timestamp>, &str)) {
    let text = at.map_or_else(|| none.to_owned(), human::time);
    into.shown(label, key, json!(at.map(|at| at.to_string())), text);
}

/// When the next backup is due, as far as the resource tells; `None` while it is
/// paused or not valid.
pub fn next(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let timetable = Timetable::parse(&schedule.spec.schedule).ok()?;
    let facts = Facts {
        now,
        skip_by_default: false,
        backups: &[],
    };
    match decide(schedule, &timetable, facts) {
        Decision::Due { at } => Some(at),
        Decision::NotDue { next } => Some(next),
        Decision::Skip if !schedule.spec.paused => timetable.next(now),
        Decision::Skip | Decision::Paused | Decision::Blocked { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::style::Style;

    fn schedule(paused: bool) -> Schedule {
        serde_json::from_value(json!({
            "apiVersion": "velero.io/v1",
            "kind": "Schedule",
            "metadata": {"name": "nightly", "namespace": "heptio-ark", "labels": {"team": "red"}},
            "spec": {
                "schedule": "0 3 * * *", "paused": paused,
                "template": {"includedNamespaces": ["shop"], "ttl": "72h"},
            },
            "status": {
                "phase": "Enabled",
                "lastBackup": "2026-03-02T03:00:00Z", "lastSkipped": "2026-03-01T09:00:00Z",
            },
        }))
        .unwrap()
    }

    #[test]
    fn the_text_shows_when_and_what() {
        let now = "2026-03-02T12:00:00Z".parse().unwrap();
        let text = describe(&schedule(false), now).to_text(Style::plain());
        for line in [
            "Name:         nightly",
            "Labels:       team=red",
            "Phase:  Enabled",
            "Paused:    false",
            "Schedule:  0 3 * * *",
            "Backup Template:",
            "    Included:  shop",
            "Last Skipped:  2026-03-01",
        ] {
            assert!(text.contains(line), "no `{line}` in\n{text}");
        }
        let value = describe(&schedule(false), now).to_value();
        assert_eq!(value["nextBackup"], "2026-03-03T03:00:00Z");
        assert_eq!(value["lastBackup"], "2026-03-02T03:00:00Z");
        assert_eq!(value["backupTemplate"]["TTL"], "72h0m0s");
    }

    #[test]
    fn a_paused_schedule_has_no_next_backup() {
        let now = "2026-03-02T12:00:00Z".parse().unwrap();
        assert_eq!(next(&schedule(true), now), None);
        let mut skipping = schedule(false);
        skipping.spec.skip_immediately = Some(true);
        let next = next(&skipping, now).unwrap();
        assert_eq!(next.to_string(), "2026-03-03T03:00:00Z");
    }
}
