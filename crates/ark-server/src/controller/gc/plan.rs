//! What to do about one backup's expiry. Pure.

use ark_api::{AccessMode, Backup, BackupStorageLocation, LocationPhase, label};
use jiff::Timestamp;

/// The location that an expired backup names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LocationOf<'a> {
    /// It exists.
    Found(&'a BackupStorageLocation),
    /// There is none of that name.
    Missing,
    /// It could not be asked for.
    Unknown,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// Not expired, still at work, or its deletion is asked for already.
    Keep,
    /// Ask for its deletion.
    Request,
    /// It cannot be deleted now: value for the label [`label::GC_FAILURE`].
    Blocked(&'static str),
}

/// Decides; `requested` says whether a deletion is asked for and not done.
pub(crate) fn expire(
    backup: &Backup,
    location: LocationOf<'_>,
    requested: bool,
    now: Timestamp,
) -> Expiry {
    let expiration = backup
        .status
        .as_ref()
        .and_then(|status| status.expiration.as_ref());
    let expired = expiration.is_some_and(|expiration| expiration.0 <= now);
    // A deletion that failed is asked for again, hence `Deleting` counts.
    if !expired
        || !backup.phase().is_terminal()
        || requested
        || backup.metadata.deletion_timestamp.is_some()
    {
        return Expiry::Keep;
    }
    match location {
        LocationOf::Missing => Expiry::Blocked("BSLNotFound"),
        LocationOf::Unknown => Expiry::Blocked("BSLCannotGet"),
        LocationOf::Found(found) if *found.access_mode() == AccessMode::ReadOnly => {
            Expiry::Blocked("BSLReadOnly")
        }
        LocationOf::Found(found) if found.phase() == Some(&LocationPhase::Unavailable) => {
            Expiry::Blocked("BSLUnavailable")
        }
        LocationOf::Found(_) => Expiry::Request,
    }
}

/// What becomes of the label [`label::GC_FAILURE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It is as it should be.
    Keep,
    /// It gets this value.
    Set(&'static str),
    /// It goes.
    Remove,
}

/// Compares the label that the backup has with the one that it should have.
pub(crate) fn relabel(backup: &Backup, expiry: Expiry) -> Mark {
    let labels = backup.metadata.labels.as_ref();
    let has = labels
        .and_then(|labels| labels.get(label::GC_FAILURE))
        .map(String::as_str);
    match expiry {
        Expiry::Blocked(reason) if has == Some(reason) => Mark::Keep,
        Expiry::Blocked(reason) => Mark::Set(reason),
        Expiry::Keep | Expiry::Request if has.is_none() => Mark::Keep,
        Expiry::Keep | Expiry::Request => Mark::Remove,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn backup(phase: &str, expiration: &str, failure: Option<&str>) -> Backup {
        let labels = failure.map_or(json!({}), |failure| json!({ label::GC_FAILURE: failure }));
        serde_json::from_value(json!({
            "apiVersion": "velero.io/v1", "kind": "Backup",
            "metadata": {"name": "b", "labels": labels},
            "status": {"phase": phase, "expiration": expiration},
        }))
        .unwrap()
    }

    fn location(mode: &str, phase: &str) -> BackupStorageLocation {
        serde_json::from_value(json!({
            "apiVersion": "velero.io/v1", "kind": "BackupStorageLocation",
            "metadata": {"name": "main"},
            "spec": {"provider": "fs", "objectStorage": {"bucket": "/b"}, "accessMode": mode},
            "status": {"phase": phase},
        }))
        .unwrap()
    }

    #[test]
    fn expired_backups_are_asked_away_or_say_why_not() {
        let now = "2026-02-01T00:00:00Z".parse().unwrap();
        let old = backup("Completed", "2026-01-01T00:00:00Z", None);
        let good = location("ReadWrite", "Available");
        let at = |location| expire(&old, location, false, now);
        assert_eq!(at(LocationOf::Found(&good)), Expiry::Request);
        assert_eq!(at(LocationOf::Missing), Expiry::Blocked("BSLNotFound"));
        assert_eq!(at(LocationOf::Unknown), Expiry::Blocked("BSLCannotGet"));
        let fixed = location("ReadOnly", "Available");
        assert_eq!(
            at(LocationOf::Found(&fixed)),
            Expiry::Blocked("BSLReadOnly")
        );
        let broken = location("ReadWrite", "Unavailable");
        assert_eq!(
            at(LocationOf::Found(&broken)),
            Expiry::Blocked("BSLUnavailable")
        );
        assert_eq!(
            expire(&old, LocationOf::Found(&good), true, now),
            Expiry::Keep
        );
        let failed = backup("Deleting", "2026-01-01T00:00:00Z", None);
        let again = expire(&failed, LocationOf::Found(&good), false, now);
        assert_eq!(again, Expiry::Request);
        for (phase, expiration) in [
            ("Completed", "2026-03-01T00:00:00Z"),
            ("InProgress", "2026-01-01T00:00:00Z"),
        ] {
            let kept = backup(phase, expiration, None);
            assert_eq!(
                expire(&kept, LocationOf::Found(&good), false, now),
                Expiry::Keep
            );
        }
    }

    #[test]
    fn the_label_is_written_only_when_it_changes() {
        let (plain, marked) = (
            backup("Completed", "2026-01-01T00:00:00Z", None),
            "BSLNotFound",
        );
        let labelled = backup("Completed", "2026-01-01T00:00:00Z", Some(marked));
        assert_eq!(relabel(&plain, Expiry::Blocked(marked)), Mark::Set(marked));
        assert_eq!(relabel(&labelled, Expiry::Blocked(marked)), Mark::Keep);
        assert_eq!(relabel(&labelled, Expiry::Request), Mark::Remove);
        assert_eq!(relabel(&plain, Expiry::Keep), Mark::Keep);
    }
}
