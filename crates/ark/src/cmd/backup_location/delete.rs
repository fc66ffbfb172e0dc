//! `ark backup-location delete`: the location and what the cluster knows of its
//! backups; the bucket stays as it is.

use ark_api::{Backup, BackupRepository, BackupStorageLocation, label};

use crate::cluster;
use crate::context::Context;
use crate::deletion::{self, DeleteArgs};
use crate::error::{CommandError, Exit};
use crate::listing::name;
use crate::out::human;

/// Runs the verb.
pub async fn run(ctx: &Context, args: DeleteArgs) -> Result<Exit, CommandError> {
    let consequence = " and forget the backups in it; the bucket keeps them";
    let locations = deletion::chosen::<BackupStorageLocation>(ctx, &args, consequence).await?;
    for location in &locations {
        cluster::delete::<BackupStorageLocation>(ctx, name(location)).await?;
        // Afterwards, or the server would find them in the bucket again.
        let selector = format!(
            "{}={}",
            label::STORAGE_LOCATION,
            label::valid_value(name(location))
        );
        let backups = cluster::list::<Backup>(ctx, Some(&selector)).await?;
        for backup in &backups {
            cluster::delete::<Backup>(ctx, name(backup)).await?;
        }
        for repository in &cluster::list::<BackupRepository>(ctx, Some(&selector)).await? {
            cluster::delete::<BackupRepository>(ctx, name(repository)).await?;
        }
        let forgotten = match backups.len() as u64 {
            0 => String::new(),
            count => format!(", {} forgotten", human::counted(count, "backup")),
        };
        ctx.talk.say(format_args!(
            "Deletion of backup location `{}` is requested{forgotten}",
            name(location)
        ));
    }
    if args.wait {
        deletion::gone(ctx, &locations, &args, async || Ok(())).await?;
    }
    Ok(Exit::Done)
}
