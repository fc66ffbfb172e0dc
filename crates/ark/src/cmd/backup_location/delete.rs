//! `ark backup-location delete`: the location and what the cluster knows of its
//! backups; the bucket stays as it is.

use ark_api::{Backup, BackupRepository, BackupStorageLocation, label};

use crate::cluster::{self, Resource};
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
        let backups = forget::<Backup>(ctx, name(location)).await?;
        forget::<BackupRepository>(ctx, name(location)).await?;
        let forgotten = match backups as u64 {
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

/// Deletes what the cluster has of a kind in a location; answers how much that was.
async fn forget<K: Resource>(ctx: &Context, location: &str) -> Result<usize, CommandError> {
    let selector = label::selector(label::STORAGE_LOCATION, location);
    let objects = cluster::list::<K>(ctx, Some(&selector)).await?;
    for object in &objects {
        cluster::delete::<K>(ctx, name(object)).await?;
    }
    Ok(objects.len())
}
