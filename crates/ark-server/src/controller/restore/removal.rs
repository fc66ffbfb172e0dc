//! Taking away a restore: its job stops, its files go, then its finalizer.

use std::sync::Arc;
use std::time::Duration;

use ark_api::{AccessMode, BackupStorageLocation, ObjectMeta, Restore, label};
use ark_engine::delete;
use ark_kube::Next;

use super::{find, name};
use crate::context::Context;
use crate::controller::ReconcileError;
use crate::jobs::{JobKey, Observed};

/// Pause between two looks while the job of a deleted restore stops.
const STOP_PAUSE: Duration = Duration::from_millis(500);

/// Puts our finalizer on a restore: from now on it has files.
pub(super) fn hold(metadata: &mut ObjectMeta) {
    let finalizers = metadata.finalizers.get_or_insert_default();
    if !finalizers
        .iter()
        .any(|finalizer| finalizer == label::RESTORE_FINALIZER)
    {
        finalizers.push(label::RESTORE_FINALIZER.to_owned());
    }
}

/// Removes what a restore that is being deleted has left.
pub(super) async fn remove(
    context: &Arc<Context>,
    key: &JobKey,
    seen: &Restore,
) -> Result<Next, ReconcileError> {
    if !is_held(&seen.metadata) {
        return Ok(Next::OnChange);
    }
    if let Observed::Running = context.restore_jobs.observe(key) {
        context.restore_jobs.cancel(key);
        return Ok(Next::After(STOP_PAUSE));
    }
    context.restore_jobs.forget(key);
    match place(context, seen).await? {
        Place::In(location) => remove_files(context, &location, name(seen)).await?,
        Place::Nowhere(why) => {
            tracing::warn!(
                restore = name(seen),
                why,
                "the restore's files are not removed"
            );
        }
    }
    release(context, key).await
}

fn is_held(metadata: &ObjectMeta) -> bool {
    let finalizers = metadata.finalizers.as_deref().unwrap_or_default();
    finalizers
        .iter()
        .any(|finalizer| finalizer == label::RESTORE_FINALIZER)
}

enum Place {
    In(Box<BackupStorageLocation>),
    Nowhere(String),
}

/// Where a restore's files are: in the location of its backup.
async fn place(context: &Context, restore: &Restore) -> Result<Place, ReconcileError> {
    let wanted = &restore.spec.backup_name;
    let backup = if wanted.is_empty() {
        None
    } else {
        context.api.backups.get(wanted).await?
    };
    let Some(backup) = backup else {
        return Ok(Place::Nowhere(format!("its backup `{wanted}` is gone")));
    };
    let locations = context.api.locations.list(None).await?.items;
    let name = &backup.spec.storage_location;
    Ok(match find(&locations, name) {
        None => Place::Nowhere(format!("backup location `{name}` is gone")),
        Some(location) if *location.access_mode() == AccessMode::ReadOnly => {
            Place::Nowhere(format!("backup location `{name}` is read-only"))
        }
        Some(location) => Place::In(Box::new(location.clone())),
    })
}

async fn remove_files(
    context: &Context,
    location: &BackupStorageLocation,
    restore: &str,
) -> Result<(), ReconcileError> {
    let name = location.metadata.name.clone().unwrap_or_default();
    let store = match context.locations.store(location).await {
        Ok(store) => store,
        Err(source) => return Err(ReconcileError::Location { name, source }),
    };
    let deleted = delete::restore(store.as_ref(), restore).await;
    deleted.map_err(|source| ReconcileError::Store { name, source })
}

async fn release(context: &Context, key: &JobKey) -> Result<Next, ReconcileError> {
    let Some(restore) = context.api.restores.get(&key.name).await? else {
        return Ok(Next::OnChange);
    };
    if restore.metadata.uid.as_deref() == Some(&key.uid) && is_held(&restore.metadata) {
        let mut released = restore.clone();
        if let Some(finalizers) = &mut released.metadata.finalizers {
            finalizers.retain(|finalizer| finalizer != label::RESTORE_FINALIZER);
        }
        context
            .api
            .restores
            .patch_unchanged(&key.name, &restore, &released)
            .await?;
    }
    Ok(Next::OnChange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finalizer_is_put_once() {
        let mut metadata = ObjectMeta::default();
        assert!(!is_held(&metadata));
        hold(&mut metadata);
        hold(&mut metadata);
        assert!(is_held(&metadata));
        assert_eq!(metadata.finalizers.unwrap().len(), 1);
    }
}
