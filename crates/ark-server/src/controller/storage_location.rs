//! Backup locations: looked at once in a while, and at most one the default.

use std::sync::Arc;
use std::time::Duration;

use ark_api::{AccessMode, BackupStorageLocation, GoDuration, LocationPhase, Time};
use ark_kube::Next;
use ark_store::heptio::{HEPTIO_ARK, LAYOUT_KEY};
use ark_store::{Lack, check_layout};

use super::{ReconcileError, sentence};
use crate::context::Context;
use crate::memory::Due;

/// A location that has not answered by then is not available.
const PATIENCE: Duration = Duration::from_secs(45);

/// Looks at a location when that is due.
pub(crate) async fn reconcile(
    context: Arc<Context>,
    location: Arc<BackupStorageLocation>,
) -> Result<Next, ReconcileError> {
    let default = context.options.store_validation_frequency;
    let period = GoDuration::or_default(location.spec.validation_frequency, default);
    // An explicit zero means once, and is not the same as no value here.
    let once = location
        .spec
        .validation_frequency
        .is_some_and(GoDuration::is_zero);
    let period = if once { Duration::ZERO } else { period };
    match context.checked.due(&location, period, context.now()) {
        Due::Never => return Ok(Next::OnChange),
        Due::In(pause) => return Ok(Next::After(pause)),
        Due::Now => {}
    }
    if location.spec.default {
        keep_one_default(&context).await?;
    }
    let found = probe(&context, &location).await;
    report(&context, &location, found).await?;
    context.checked.done(&location, context.now());
    Ok(if period.is_zero() {
        Next::OnChange
    } else {
        Next::After(period)
    })
}

/// What the location lacks and is worked around; or why it cannot be used, as a sentence.
async fn probe(context: &Context, location: &BackupStorageLocation) -> Result<Vec<Lack>, String> {
    misuse(location)?;
    let look = async {
        let tried = context.locations.tried(location).await;
        let tried = tried.map_err(|error| sentence(&error))?;
        let layout = check_layout(tried.store.as_ref()).await;
        layout.map_err(|error| sentence(&error))?;
        Ok(tried.lacks)
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
    }
}

/// What the spec asks for that cannot go together.
fn misuse(location: &BackupStorageLocation) -> Result<(), String> {
    let layout = location.spec.config.get(LAYOUT_KEY);
    let is_old = layout.is_some_and(|layout| layout == HEPTIO_ARK);
    if !is_old || *location.access_mode() == AccessMode::ReadOnly {
        return Ok(());
    }
    Err(format!(
        "the config key `{LAYOUT_KEY}` is `{HEPTIO_ARK}`, and such backups are read and never changed: set accessMode to ReadOnly"
    ))
}

async fn report(
    context: &Context,
    location: &BackupStorageLocation,
    found: Result<Vec<Lack>, String>,
) -> Result<(), ReconcileError> {
    let name = location.metadata.name.as_deref().unwrap_or_default();
    let was = location.phase().cloned();
    let now = match &found {
        Ok(_) => LocationPhase::Available,
        Err(_) => LocationPhase::Unavailable,
    };
    match &found {
        Err(problem) if was != Some(LocationPhase::Unavailable) => {
            tracing::warn!(location = name, problem, "backup location is not available");
        }
        Ok(_) if was != Some(LocationPhase::Available) => {
            tracing::info!(location = name, "backup location is available");
        }
        _ => {}
    }
    context.metrics.set_location(name, found.is_ok());
    let mut after = location.clone();
    let status = after.status.get_or_insert_default();
    status.phase = Some(now);
    status.message = found.map_or_else(|problem| problem, |lacks| told(&lacks));
    status.last_validation_time = Some(Time(context.now()));
    context
        .advance_beside_others(&context.api.locations, location, &after)
        .await?;
    Ok(())
}

/// What a store that can be used lacks; nothing for one that has all.
fn told(lacks: &[Lack]) -> String {
    let lacks: Vec<String> = lacks.iter().map(Lack::to_string).collect();
    match lacks.join(". Also, ") {
        lacks if lacks.is_empty() => lacks,
        lacks => format!("the store can be used, with care: {lacks}"),
    }
}

async fn keep_one_default(context: &Context) -> Result<(), ReconcileError> {
    let locations = context.api.locations.list(None).await?.items;
    for location in demoted(&locations) {
        let name = location.metadata.name.as_deref().unwrap_or_default();
        tracing::info!(
            location = name,
            "no longer the default: a newer location is"
        );
        let mut after = location.clone();
        after.spec.default = false;
        context.api.locations.patch(name, location, &after).await?;
    }
    Ok(())
}

/// Those that say they are the default and are not: the newest is.
fn demoted(locations: &[BackupStorageLocation]) -> Vec<&BackupStorageLocation> {
    let mut marked: Vec<_> = locations
        .iter()
        .filter(|location| location.spec.default)
        .collect();
    marked.sort_by_key(|location| {
        let created = location
            .metadata
            .creation_timestamp
            .as_ref()
            .map(|time| time.0);
        (created, location.metadata.name.clone())
    });
    marked.pop();
    marked
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn location(name: &str, created: &str, default: bool) -> BackupStorageLocation {
        serde_json::from_value(json!({
            "apiVersion": "velero.io/v1", "kind": "BackupStorageLocation",
            "metadata": {"name": name, "creationTimestamp": created},
            "spec": {"provider": "fs", "objectStorage": {"bucket": "/b"}, "default": default},
        }))
        .unwrap()
    }

    #[test]
    fn the_old_layout_is_for_reading() {
        let mut old = location("old", "2026-01-03T00:00:00Z", false);
        assert_eq!(misuse(&old), Ok(()));
        old.spec
            .config
            .insert(LAYOUT_KEY.to_owned(), HEPTIO_ARK.to_owned());
        assert!(
            misuse(&old)
                .unwrap_err()
                .contains("set accessMode to ReadOnly")
        );
        old.spec.access_mode = Some(AccessMode::ReadOnly);
        assert_eq!(misuse(&old), Ok(()));
    }

    #[test]
    fn the_newest_default_stays() {
        let locations = [
            location("new", "2026-01-03T00:00:00Z", true),
            location("old", "2026-01-01T00:00:00Z", true),
            location("newest-but-plain", "2026-01-09T00:00:00Z", false),
            location("twin", "2026-01-01T00:00:00Z", true),
        ];
        let names: Vec<_> = demoted(&locations)
            .iter()
            .map(|location| location.metadata.name.as_deref().unwrap())
            .collect();
        assert_eq!(names, ["old", "twin"]);
        assert!(demoted(&locations[..1]).is_empty());
        assert!(demoted(&[]).is_empty());
    }
}
