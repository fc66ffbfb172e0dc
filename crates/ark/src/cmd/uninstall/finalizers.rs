//! Objects whose finalizers would hold up the namespace. The server, if it
//! runs, gets its chance to do what they stand for; then they are dropped.

use std::time::{Duration, Instant};

use ark_api::{DataDownload, DataUpload, ObjectMeta, PodVolumeBackup, PodVolumeRestore, Restore};
use ark_kube::CustomError;

use crate::cluster::{self, Resource};
use crate::context::Context;
use crate::error::CommandError;
use crate::listing::name;
use crate::out::human;

const POLL: Duration = Duration::from_secs(1);

/// A kind whose objects may carry finalizers.
trait Finalized: Resource {
    fn metadata_mut(&mut self) -> &mut ObjectMeta;
}

macro_rules! finalized {
    ($($kind:ident),*) => {
        $(impl Finalized for $kind {
            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        })*
    };
}

finalized!(
    Restore,
    DataUpload,
    DataDownload,
    PodVolumeBackup,
    PodVolumeRestore
);

/// Deletes restores and whatever else carries finalizers.
pub(super) async fn release(ctx: &Context, wait: Duration) -> Result<(), CommandError> {
    release_kind::<Restore>(ctx, wait).await?;
    // What moves data is of no use any more, and nobody would finish it.
    release_kind::<DataUpload>(ctx, Duration::ZERO).await?;
    release_kind::<DataDownload>(ctx, Duration::ZERO).await?;
    release_kind::<PodVolumeBackup>(ctx, Duration::ZERO).await?;
    release_kind::<PodVolumeRestore>(ctx, Duration::ZERO).await
}

async fn release_kind<K: Finalized>(ctx: &Context, wait: Duration) -> Result<(), CommandError> {
    let objects = match finalized_objects::<K>(ctx).await {
        Ok(objects) => objects,
        // Without the kind there is nothing to release.
        Err(error) if cluster::is_not_installed(&error) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for object in &objects {
        cluster::delete::<K>(ctx, name(object)).await?;
    }
    let mut left = objects;
    let started = Instant::now();
    if !left.is_empty() && !wait.is_zero() {
        ctx.talk.say(format_args!(
            "Waiting for the server to clean up after {}",
            human::counted(left.len() as u64, K::NOUN)
        ));
    }
    while !left.is_empty() && started.elapsed() < wait {
        tokio::time::sleep(POLL).await;
        left = finalized_objects::<K>(ctx).await?;
    }
    for object in &left {
        drop_finalizers(ctx, object).await?;
    }
    Ok(())
}

async fn finalized_objects<K: Finalized>(ctx: &Context) -> Result<Vec<K>, CustomError> {
    let Ok(custom) = cluster::custom::<K>(ctx).await else {
        return Ok(Vec::new());
    };
    let mut objects = custom.list(None).await?.items;
    objects.retain(|object| !finalizers(object).is_empty());
    Ok(objects)
}

async fn drop_finalizers<K: Finalized>(ctx: &Context, object: &K) -> Result<(), CommandError> {
    ctx.talk.warn(format_args!(
        "{} `{}` was not cleaned up; dropping its finalizer {}, files of it may be left in the bucket",
        K::NOUN,
        name(object),
        finalizers(object).join(", ")
    ));
    let mut after = object.clone();
    after.metadata_mut().finalizers = None;
    match cluster::custom::<K>(ctx)
        .await?
        .patch(name(object), object, &after)
        .await
    {
        // Somebody else was faster.
        Err(error) if cluster::is_not_installed(&error) => Ok(()),
        result => result.map(|_| ()).map_err(Into::into),
    }
}

fn finalizers<K: Resource>(object: &K) -> Vec<String> {
    object.metadata().finalizers.clone().unwrap_or_default()
}
