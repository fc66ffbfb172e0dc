//! What memory holds of resources that are gone is let go, and they are counted.
//! Writes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use ark_api::ObjectMeta;

use super::ReconcileError;
use crate::context::Context;

/// Compares memory with the cluster once.
pub(crate) async fn tidy(context: Arc<Context>) -> Result<(), ReconcileError> {
    let backups = context.api.backups.list(None).await?;
    context
        .metrics
        .set_backups(backups.items.len() + backups.invalid.len());
    context
        .backup_jobs
        .forget_absent(&uids(backups.items.iter().map(|one| &one.metadata)));
    let restores = context.api.restores.list(None).await?;
    context
        .metrics
        .set_restores(restores.items.len() + restores.invalid.len());
    context
        .restore_jobs
        .forget_absent(&uids(restores.items.iter().map(|one| &one.metadata)));
    let deletions = context.api.deletions.list(None).await?.items;
    context
        .deletion_jobs
        .forget_absent(&uids(deletions.iter().map(|one| &one.metadata)));
    let schedules = context.api.schedules.list(None).await?;
    let present = schedules
        .items
        .iter()
        .filter_map(|one| one.metadata.name.clone());
    context.metrics.forget_schedules(&present.collect());
    let locations = context.api.locations.list(None).await?;
    let invalid = locations.invalid.iter().map(|one| one.name.as_str());
    let names: Vec<&str> = locations
        .items
        .iter()
        .filter_map(|location| location.metadata.name.as_deref())
        .chain(invalid)
        .collect();
    for name in context.checked.forget_absent(&names) {
        context.metrics.forget_location(&name);
        context.locations.forget(&name);
    }
    context.synced.forget_absent(&names);
    Ok(())
}

fn uids<'a>(metadata: impl Iterator<Item = &'a ObjectMeta>) -> BTreeSet<String> {
    metadata
        .filter_map(|metadata| metadata.uid.clone())
        .collect()
}
