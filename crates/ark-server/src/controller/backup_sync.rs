//! Sync: backups that a bucket holds and the cluster does not know get a
//! resource; resources whose backup has vanished from the bucket go. This is how
//! a new cluster that is pointed at a bucket sees what can be restored.

mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ark_api::{
    Backup, BackupStorageLocation, DeleteBackupRequestPhase, GoDuration, LocationPhase, Time,
};
use ark_archive::layout;
use ark_engine::catalog;
use ark_engine::port::{ClusterErrorKind, Store};
use ark_kube::Next;
use futures::StreamExt as _;

use super::ReconcileError;
use crate::context::Context;
use crate::memory::Due;
use crate::phase;
use plan::{Adoption, Destination, InCluster, Known, SyncPlan, adopt, plan_sync};

/// Metadata files read at the same time.
const READS: usize = 8;

/// Compares a location with the cluster when that is due.
pub(crate) async fn reconcile(
    context: Arc<Context>,
    location: Arc<BackupStorageLocation>,
) -> Result<Next, ReconcileError> {
    if location.phase() != Some(&LocationPhase::Available) {
        return Ok(Next::OnChange);
    }
    let off = location
        .spec
        .backup_sync_period
        .is_some_and(GoDuration::is_zero);
    let default = context.options.backup_sync_period;
    let period = GoDuration::or_default(location.spec.backup_sync_period, default);
    if off || period.is_zero() {
        return Ok(Next::OnChange);
    }
    match context.synced.due(&location, period, context.now()) {
        Due::Now => {}
        Due::In(pause) => return Ok(Next::After(pause)),
        Due::Never => return Ok(Next::OnChange),
    }
    let name = location.metadata.name.clone().unwrap_or_default();
    let store =
        context
            .locations
            .store(&location)
            .await
            .map_err(|source| ReconcileError::Location {
                name: name.clone(),
                source,
            })?;
    // The cluster before the bucket: see `plan`.
    let cluster = read_cluster(&context).await?;
    let bucket = read_bucket(store.as_ref(), &name).await?;
    let plan = plan_sync(&cluster, &name, &bucket);
    carry_out(&context, &store, &name, plan).await?;
    report(&context, &location, &name).await?;
    Ok(Next::After(period))
}

async fn read_cluster(context: &Context) -> Result<InCluster, ReconcileError> {
    let backups = context.api.backups.list(None).await?;
    let deletions = context.api.deletions.list(None).await?.items;
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    for backup in &backups.items {
        let name = backup.metadata.name.clone().unwrap_or_default();
        let of = Known {
            location: backup.spec.storage_location.clone(),
            phase: backup.phase().clone(),
            busy: context.backup_jobs.is_running(&name),
        };
        known.insert(name, of);
    }
    // Resources that cannot be read exist all the same.
    for invalid in backups.invalid {
        let of = Known {
            location: String::new(),
            phase: invalid.reason.as_str().into(),
            busy: true,
        };
        known.insert(invalid.name, of);
    }
    let deleting = deletions
        .into_iter()
        .filter(|request| *request.phase() != DeleteBackupRequestPhase::Processed)
        .map(|request| request.spec.backup_name)
        .collect();
    Ok(InCluster {
        backups: known,
        deleting,
    })
}

async fn read_bucket(store: &dyn Store, name: &str) -> Result<BTreeSet<String>, ReconcileError> {
    let directories = store.list_dirs(layout::BACKUPS_DIR).await;
    let directories = directories.map_err(|source| ReconcileError::Store {
        name: name.to_owned(),
        source,
    })?;
    Ok(directories.into_iter().collect())
}

async fn carry_out(
    context: &Arc<Context>,
    store: &Arc<dyn Store>,
    location: &str,
    plan: SyncPlan,
) -> Result<(), ReconcileError> {
    let schedules = if plan.import.is_empty() {
        BTreeMap::new()
    } else {
        schedules(context).await?
    };
    let to = Destination {
        namespace: &context.namespace,
        location,
        schedules: &schedules,
    };
    let imports = plan.import.into_iter().map(|name| {
        let (context, store) = (Arc::clone(context), Arc::clone(store));
        async move { import(&context, store.as_ref(), to, &name).await }
    });
    let mut results = futures::stream::iter(imports).buffer_unordered(READS);
    let mut first_error = None;
    while let Some(result) = results.next().await {
        // One backup that cannot be read must not hide the others.
        if let Err(error) = result {
            first_error.get_or_insert(error);
        }
    }
    for name in plan.remove {
        tracing::info!(
            backup = name,
            location,
            "no longer in the bucket; its resource goes"
        );
        context.api.backups.delete(&name).await?;
    }
    first_error.map_or(Ok(()), Err)
}

/// UIDs of the schedules that there are, by name.
async fn schedules(context: &Context) -> Result<BTreeMap<String, String>, ReconcileError> {
    let schedules = context.api.schedules.list(None).await?.items.into_iter();
    Ok(schedules
        .filter_map(|schedule| Some((schedule.metadata.name?, schedule.metadata.uid?)))
        .collect())
}

async fn import(
    context: &Context,
    store: &dyn Store,
    to: Destination<'_>,
    name: &str,
) -> Result<(), ReconcileError> {
    let location = to.location;
    let document = match catalog::read(store, name).await {
        Ok(document) => document,
        // A folder without metadata is being written or deleted.
        Err(error) if error.is_absent() => return Ok(()),
        Err(catalog::CatalogError::Store(source)) => {
            return Err(ReconcileError::Store {
                name: location.to_owned(),
                source,
            });
        }
        Err(error) => {
            tracing::warn!(backup = name, location, %error, "cannot be imported");
            return Ok(());
        }
    };
    let document = match adopt(document, name, to, context.now()) {
        Adoption::Create(document) => document,
        Adoption::Unfinished => return Ok(()),
        Adoption::Refused(reason) => {
            tracing::warn!(backup = name, location, reason, "cannot be imported");
            return Ok(());
        }
    };
    let mut backup: Backup = match serde_json::from_value(document) {
        Ok(backup) => backup,
        Err(error) => {
            tracing::warn!(backup = name, location, %error, "cannot be imported");
            return Ok(());
        }
    };
    let ended = backup.status.as_ref();
    let ended = ended.and_then(|status| status.completion_timestamp.as_ref());
    let since = ended.map_or_else(|| context.now(), |ended| ended.0);
    phase::sum_up(&mut backup, since);
    match context.api.backups.create(&backup).await {
        Ok(_) => tracing::info!(backup = name, location, "imported"),
        Err(error) => match error.kind() {
            Some(ClusterErrorKind::AlreadyExists) => {}
            Some(ClusterErrorKind::Invalid) => {
                tracing::warn!(backup = name, location, %error, "cannot be imported");
            }
            _ => return Err(error.into()),
        },
    }
    Ok(())
}

async fn report(
    context: &Context,
    location: &BackupStorageLocation,
    name: &str,
) -> Result<(), ReconcileError> {
    let now = context.now();
    context.synced.done(location, now);
    let mut after = location.clone();
    after.status.get_or_insert_default().last_synced_time = Some(Time(now));
    context.api.locations.patch(name, location, &after).await?;
    Ok(())
}
