//! Expiry: backups whose time is over are asked away. Runs by the clock over all
//! backups, and each time starts from what the cluster says.

mod plan;

use std::sync::Arc;

use ark_api::delete_request::DeleteBackupRequestSpec;
use ark_api::{Backup, DeleteBackupRequest, DeleteBackupRequestPhase, label};

use super::{ReconcileError, find};
use crate::context::Context;
use plan::{Expiry, LocationOf, Mark, expire, relabel};

/// Looks at every backup once.
pub(crate) async fn sweep(context: Arc<Context>) -> Result<(), ReconcileError> {
    let backups = context.api.backups.list(None).await?.items;
    let locations = context.api.locations.list(None).await?;
    let deletions = context.api.deletions.list(None).await?.items;
    for backup in &backups {
        let name = backup.metadata.name.as_deref().unwrap_or_default();
        let wanted = &backup.spec.storage_location;
        let location = match find(&locations.items, wanted) {
            Some(location) => LocationOf::Found(location),
            None if locations.invalid.iter().any(|one| one.name == *wanted) => LocationOf::Unknown,
            None => LocationOf::Missing,
        };
        let requested = deletions.iter().any(|request| {
            request.spec.backup_name == name
                && *request.phase() != DeleteBackupRequestPhase::Processed
        });
        let expiry = expire(backup, location, requested, context.now());
        mark(&context, backup, relabel(backup, expiry)).await?;
        if expiry == Expiry::Request {
            tracing::info!(backup = name, "expired; asking for its deletion");
            context.api.deletions.create(&request(name, backup)).await?;
        }
    }
    Ok(())
}

async fn mark(context: &Context, backup: &Backup, mark: Mark) -> Result<(), ReconcileError> {
    let name = backup.metadata.name.as_deref().unwrap_or_default();
    let mut marked = backup.clone();
    let labels = marked.metadata.labels.get_or_insert_default();
    match mark {
        Mark::Keep => return Ok(()),
        Mark::Set(reason) => {
            tracing::warn!(backup = name, reason, "expired, but it cannot be deleted");
            labels.insert(label::GC_FAILURE.to_owned(), reason.to_owned());
        }
        Mark::Remove => {
            labels.remove(label::GC_FAILURE);
        }
    }
    context.api.backups.patch(name, backup, &marked).await?;
    Ok(())
}

fn request(name: &str, backup: &Backup) -> DeleteBackupRequest {
    let spec = DeleteBackupRequestSpec {
        backup_name: name.to_owned(),
    };
    let mut request = DeleteBackupRequest::new("", spec);
    request.metadata.name = None;
    request.metadata.generate_name = Some(format!("{name}-"));
    let labels = request.metadata.labels.get_or_insert_default();
    labels.insert(label::BACKUP_NAME.to_owned(), label::valid_value(name));
    if let Some(uid) = &backup.metadata.uid {
        labels.insert(label::BACKUP_UID.to_owned(), uid.clone());
    }
    request
}
