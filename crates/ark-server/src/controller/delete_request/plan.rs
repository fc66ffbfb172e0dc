//! Whether a deletion may go on, and which of several requests does it. Pure.

use ark_api::{
    AccessMode, Backup, BackupPhase, BackupStorageLocation, DeleteBackupRequest,
    DeleteBackupRequestPhase, LocationPhase, Restore,
};
use jiff::{SignedDuration, Timestamp};

/// Requests that are done or stuck are kept this long.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What the decision looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// The backup, where it exists.
    pub(crate) backup: Option<&'a Backup>,
    /// Whether a job of this server works on it.
    pub(crate) busy: bool,
    /// A restore of it that is in progress.
    pub(crate) restore: Option<&'a str>,
    /// The location that it names, where that exists.
    pub(crate) location: Option<&'a BackupStorageLocation>,
}

/// What a deletion has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeletePlan {
    /// Nothing: the sentence says why.
    Refuse(String),
    /// Files, restores and the resource.
    Everything,
    /// The backup never began, so there are no files.
    ResourceOnly,
}

/// Decides on the backup `name`.
pub(crate) fn plan_deletion(name: &str, facts: Facts<'_>) -> DeletePlan {
    if name.is_empty() {
        return DeletePlan::Refuse("spec.backupName is required".to_owned());
    }
    let Some(backup) = facts.backup else {
        return DeletePlan::Refuse(format!("backup `{name}` does not exist"));
    };
    let phase = backup.phase();
    if facts.busy || phase.is_under_way() {
        return DeletePlan::Refuse(format!(
            "backup `{name}` is still running ({phase}); wait for its end, or cancel it: \
             ark backup cancel {name}"
        ));
    }
    if let Some(restore) = facts.restore {
        return DeletePlan::Refuse(format!(
            "restore `{restore}` is reading backup `{name}`; wait for its end, or cancel it: \
             ark restore cancel {restore}"
        ));
    }
    if never_began(phase) {
        return DeletePlan::ResourceOnly;
    }
    let wanted = &backup.spec.storage_location;
    let Some(location) = facts.location else {
        return DeletePlan::Refuse(format!(
            "backup `{name}` lies in backup location `{wanted}`, which does not exist"
        ));
    };
    if *location.access_mode() == AccessMode::ReadOnly {
        return DeletePlan::Refuse(format!("backup location `{wanted}` is read-only"));
    }
    if location.phase() == Some(&LocationPhase::Unavailable) {
        let why = location
            .status
            .as_ref()
            .map(|status| status.message.as_str());
        return DeletePlan::Refuse(match why.filter(|why| !why.is_empty()) {
            Some(why) => format!("backup location `{wanted}` is not available: {why}"),
            None => format!("backup location `{wanted}` is not available"),
        });
    }
    DeletePlan::Everything
}

fn never_began(phase: &BackupPhase) -> bool {
    use BackupPhase as Phase;
    matches!(
        phase,
        Phase::New | Phase::Queued | Phase::ReadyToStart | Phase::FailedValidation
    )
}

/// A restore of the backup that reads it now.
pub(crate) fn running_restore<'a>(restores: &'a [Restore], backup: &str) -> Option<&'a str> {
    restores
        .iter()
        .filter(|restore| restore.spec.backup_name == backup)
        // One that is being deleted stops by itself.
        .filter(|restore| restore.metadata.deletion_timestamp.is_none())
        .find(|restore| restore.phase().is_under_way())
        .and_then(|restore| restore.metadata.name.as_deref())
}

/// The one of a backup's requests that is worked on; the others are doubles.
/// One that has begun goes first, then the oldest.
pub(crate) fn leading<'a>(requests: &[&'a DeleteBackupRequest]) -> Option<&'a str> {
    requests
        .iter()
        .filter(|request| *request.phase() != DeleteBackupRequestPhase::Processed)
        .min_by_key(|request| {
            let begun = *request.phase() == DeleteBackupRequestPhase::InProgress;
            (!begun, created(request), request.metadata.name.clone())
        })
        .and_then(|request| request.metadata.name.as_deref())
}

/// Whether a request is to be removed because of its age.
pub(crate) fn is_stale(request: &DeleteBackupRequest, now: Timestamp) -> bool {
    let old = created(request).is_some_and(|created| now.duration_since(created) > KEPT);
    old && *request.phase() != DeleteBackupRequestPhase::New
}

fn created(request: &DeleteBackupRequest) -> Option<Timestamp> {
    request
        .metadata
        .creation_timestamp
        .as_ref()
        .map(|time| time.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn backup(phase: &str) -> Backup {
        serde_json::from_value(json!({
            "apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": "b"},
            "spec": {"storageLocation": "main"}, "status": {"phase": phase},
        }))
        .unwrap()
    }

    fn location(mode: &str, phase: &str, message: &str) -> BackupStorageLocation {
        serde_json::from_value(json!({
            "apiVersion": "velero.io/v1", "kind": "BackupStorageLocation",
            "metadata": {"name": "main"},
            "spec": {"provider": "fs", "objectStorage": {"bucket": "/b"}, "accessMode": mode},
            "status": {"phase": phase, "message": message},
        }))
        .unwrap()
    }

    fn request(name: &str, phase: &str, created: &str) -> DeleteBackupRequest {
        serde_json::from_value(json!({
            "apiVersion": "velero.io/v1", "kind": "DeleteBackupRequest",
            "metadata": {"name": name, "creationTimestamp": created},
            "spec": {"backupName": "b"}, "status": {"phase": phase},
        }))
        .unwrap()
    }

    fn refused(name: &str, facts: Facts<'_>) -> String {
        match plan_deletion(name, facts) {
            DeletePlan::Refuse(why) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_refusal_says_what_is_in_the_way() {
        let (done, running) = (backup("Completed"), backup("InProgress"));
        let good = location("ReadWrite", "Available", "");
        let facts = Facts {
            backup: Some(&done),
            busy: false,
            restore: None,
            location: Some(&good),
        };
        assert_eq!(plan_deletion("b", facts), DeletePlan::Everything);
        assert_eq!(refused("", facts), "spec.backupName is required");
        let missing = refused(
            "b",
            Facts {
                backup: None,
                ..facts
            },
        );
        assert_eq!(missing, "backup `b` does not exist");
        let runs = refused(
            "b",
            Facts {
                backup: Some(&running),
                ..facts
            },
        );
        assert_eq!(
            runs,
            "backup `b` is still running (InProgress); wait for its end, or cancel it: \
             ark backup cancel b"
        );
        let read = refused(
            "b",
            Facts {
                restore: Some("r"),
                ..facts
            },
        );
        assert!(
            read.starts_with("restore `r` is reading backup `b`"),
            "{read}"
        );
        assert!(
            refused(
                "b",
                Facts {
                    busy: true,
                    ..facts
                }
            )
            .contains("still running")
        );
    }

    #[test]
    fn a_location_that_cannot_be_written_is_in_the_way() {
        let (done, good) = (backup("Completed"), location("ReadWrite", "Available", ""));
        let facts = Facts {
            backup: Some(&done),
            busy: false,
            restore: None,
            location: Some(&good),
        };
        assert_eq!(plan_deletion("b", facts), DeletePlan::Everything);
        let nowhere = refused(
            "b",
            Facts {
                location: None,
                ..facts
            },
        );
        assert_eq!(
            nowhere,
            "backup `b` lies in backup location `main`, which does not exist"
        );
        let fixed = location("ReadOnly", "Available", "");
        let read_only = refused(
            "b",
            Facts {
                location: Some(&fixed),
                ..facts
            },
        );
        assert_eq!(read_only, "backup location `main` is read-only");
        let broken = location("ReadWrite", "Unavailable", "no such bucket");
        let unavailable = refused(
            "b",
            Facts {
                location: Some(&broken),
                ..facts
            },
        );
        assert_eq!(
            unavailable,
            "backup location `main` is not available: no such bucket"
        );
    }

    #[test]
    fn a_backup_that_never_began_needs_no_location() {
        for phase in ["FailedValidation", "Queued", "New"] {
            let backup = backup(phase);
            let facts = Facts {
                backup: Some(&backup),
                busy: false,
                restore: None,
                location: None,
            };
            assert_eq!(
                plan_deletion("b", facts),
                DeletePlan::ResourceOnly,
                "{phase}"
            );
        }
    }

    #[test]
    fn only_restores_in_progress_are_in_the_way() {
        let restore = |name: &str, backup: &str, phase: &str| -> Restore {
            serde_json::from_value(json!({
                "apiVersion": "velero.io/v1", "kind": "Restore", "metadata": {"name": name},
                "spec": {"backupName": backup}, "status": {"phase": phase},
            }))
            .unwrap()
        };
        let mut restores = vec![
            restore("done", "b", "Completed"),
            restore("other", "c", "InProgress"),
        ];
        assert_eq!(running_restore(&restores, "b"), None);
        restores.push(restore("now", "b", "InProgress"));
        assert_eq!(running_restore(&restores, "b"), Some("now"));
    }

    #[test]
    fn one_request_leads() {
        let old = request("old", "New", "2026-01-01T00:00:00Z");
        let begun = request("begun", "InProgress", "2026-01-02T00:00:00Z");
        let done = request("done", "Processed", "2025-01-01T00:00:00Z");
        assert_eq!(leading(&[&old, &begun, &done]), Some("begun"));
        assert_eq!(leading(&[&done, &old]), Some("old"));
        assert_eq!(leading(&[&done]), None);
    }

    #[test]
    fn stale_requests_go_but_new_ones_never() {
        let now = "2026-01-03T00:00:01Z".parse().unwrap();
        assert!(is_stale(
            &request("a", "Processed", "2026-01-02T00:00:00Z"),
            now
        ));
        assert!(!is_stale(
            &request("a", "Processed", "2026-01-02T00:00:02Z"),
            now
        ));
        assert!(!is_stale(&request("a", "New", "2025-01-01T00:00:00Z"), now));
    }
}
