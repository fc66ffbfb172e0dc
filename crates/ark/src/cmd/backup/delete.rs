//! `ark backup delete`: asks the server to delete, which knows all that belongs
//! to a backup.

use std::collections::BTreeMap;

use ark_api::delete_request::DeleteBackupRequestSpec;
use ark_api::{Backup, DeleteBackupRequest, ObjectMeta, label};

use crate::context::Context;
use crate::deletion::{self, DeleteArgs};
use crate::error::{CommandError, Exit};
use crate::listing::name;
use crate::{cluster, name as made_up};

/// Runs the verb.
pub async fn run(ctx: &Context, args: DeleteArgs) -> Result<Exit, CommandError> {
    let consequence = " with all data in the bucket and the restores made from it";
    let backups = deletion::chosen::<Backup>(ctx, &args, consequence).await?;
    for backup in &backups {
        cluster::create(ctx, &request(backup, ctx.namespace())).await?;
        ctx.talk.say(format_args!(
            "Deletion of backup `{}` is requested",
            name(backup)
        ));
    }
    if backups.is_empty() {
        return Ok(Exit::Done);
    }
    if !args.wait {
        ctx.talk
            .hint("the server deletes the data first; `ark backup get` shows when it is gone");
        return Ok(Exit::Done);
    }
    deletion::gone(ctx, &backups, &args, async || refused(ctx, &backups).await).await?;
    Ok(Exit::Done)
}

/// The request for one backup. The uid keeps it from meaning a later backup of
/// the same name.
fn request(backup: &Backup, namespace: &str) -> DeleteBackupRequest {
    let uid = backup.metadata.uid.clone().unwrap_or_default();
    let labels = BTreeMap::from([
        (
            label::BACKUP_NAME.to_owned(),
            label::valid_value(name(backup)),
        ),
        (label::BACKUP_UID.to_owned(), uid),
    ]);
    DeleteBackupRequest {
        metadata: ObjectMeta {
            name: Some(format!("{}-{}", name(backup), &made_up::uid()[..8])),
            namespace: Some(namespace.to_owned()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        spec: DeleteBackupRequestSpec {
            backup_name: name(backup).to_owned(),
        },
        status: None,
    }
}

/// Fails when the server could not delete one of the backups.
async fn refused(ctx: &Context, backups: &[Backup]) -> Result<(), CommandError> {
    let uids: Vec<&str> = backups
        .iter()
        .filter_map(|b| b.metadata.uid.as_deref())
        .collect();
    let selector = format!("{} in ({})", label::BACKUP_UID, uids.join(","));
    let requests = cluster::list::<DeleteBackupRequest>(ctx, Some(&selector)).await?;
    let failed = requests.iter().find(|request| {
        request
            .status
            .as_ref()
            .is_some_and(|s| request.phase().is_terminal() && !s.errors.is_empty())
    });
    match failed {
        None => Ok(()),
        Some(request) => {
            let errors = request
                .status
                .as_ref()
                .map(|s| s.errors.join("; "))
                .unwrap_or_default();
            let backup = &request.spec.backup_name;
            Err(
                CommandError::failed(format!("backup `{backup}` could not be deleted: {errors}"))
                    .hint(format!(
                        "mend that and run `ark backup delete {backup}` again"
                    )),
            )
        }
    }
}
