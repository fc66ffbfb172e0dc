//! Ark's own resources in the cluster, in the namespace of the server.
//!
//! Verbs come here instead of to the connection, so that all of them say the
//! same when something is not there.

use ark_api::{
    Backup, BackupRepository, BackupStorageLocation, DataDownload, DataUpload, DeleteBackupRequest,
    DownloadRequest, ObjectMeta, PodVolumeBackup, PodVolumeRestore, Restore, Schedule,
    ServerStatusRequest, VolumeSnapshotLocation,
};
use ark_kube::{Custom, CustomError, CustomResource};
use serde_json::Value;

use crate::context::Context;
use crate::error::{CommandError, ErrorKind};

/// A kind that verbs deal with.
pub trait Resource: CustomResource {
    /// `Backup`.
    const KIND: &'static str;
    /// What people call it, such as `backup location`.
    const NOUN: &'static str;
    /// The words of the command line for it, such as `backup-location`.
    const VERB: &'static str;

    /// Its metadata.
    fn metadata(&self) -> &ObjectMeta;
}

macro_rules! resource {
    ($kind:ident, $noun:literal, $verb:literal) => {
        impl Resource for $kind {
            const KIND: &'static str = stringify!($kind);
            const NOUN: &'static str = $noun;
            const VERB: &'static str = $verb;

            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }
        }
    };
}

resource!(Backup, "backup", "backup");
resource!(Restore, "restore", "restore");
resource!(Schedule, "schedule", "schedule");
resource!(BackupStorageLocation, "backup location", "backup-location");
resource!(
    VolumeSnapshotLocation,
    "snapshot location",
    "snapshot-location"
);
resource!(BackupRepository, "repository", "repo");
resource!(DeleteBackupRequest, "delete request", "backup");
resource!(DownloadRequest, "download request", "backup");
resource!(ServerStatusRequest, "status request", "version");
resource!(DataUpload, "data upload", "backup");
resource!(DataDownload, "data download", "restore");
resource!(PodVolumeBackup, "pod volume backup", "backup");
resource!(PodVolumeRestore, "pod volume restore", "restore");

/// Access to one kind.
pub async fn custom<K: Resource>(ctx: &Context) -> Result<Custom<K>, CommandError> {
    Ok(Custom::new(ctx.connect().await?, ctx.namespace()))
}

/// One object, which must exist.
pub async fn get<K: Resource>(ctx: &Context, name: &str) -> Result<K, CommandError> {
    find(ctx, name).await?.ok_or_else(|| absent::<K>(ctx, name))
}

/// One object, if it exists.
pub async fn find<K: Resource>(ctx: &Context, name: &str) -> Result<Option<K>, CommandError> {
    Ok(custom::<K>(ctx).await?.get(name).await?)
}

/// All objects, or those of a label selector. Unreadable ones are warned of.
pub async fn list<K: Resource>(
    ctx: &Context,
    selector: Option<&str>,
) -> Result<Vec<K>, CommandError> {
    let listed = custom::<K>(ctx).await?.list(selector).await?;
    for invalid in &listed.invalid {
        ctx.talk.warn(invalid);
    }
    Ok(listed.items)
}

/// The named objects, which must exist; without names those of the selector.
pub async fn select<K: Resource>(
    ctx: &Context,
    names: &[String],
    selector: Option<String>,
) -> Result<Vec<K>, CommandError> {
    if names.is_empty() {
        return list(ctx, selector.as_deref()).await;
    }
    let mut objects = Vec::with_capacity(names.len());
    for name in names {
        objects.push(get(ctx, name).await?);
    }
    Ok(objects)
}

/// Creates an object; answers it as stored.
pub async fn create<K: Resource>(ctx: &Context, object: &K) -> Result<K, CommandError> {
    custom::<K>(ctx)
        .await?
        .create(object)
        .await
        .map_err(|error| {
            let taken = error.kind() == Some(ark_engine::port::ClusterErrorKind::AlreadyExists);
            match (taken, &object.metadata().name) {
                (true, Some(name)) => CommandError::refused(format!(
                    "a {} named `{name}` already exists in namespace `{}`",
                    K::NOUN,
                    ctx.namespace()
                ))
                .hint(format!(
                    "choose another name, or see it with `ark {} get {name}`",
                    K::VERB
                )),
                _ => error.into(),
            }
        })
}

/// Changes an object from one state to another.
pub async fn patch<K: Resource>(ctx: &Context, before: &K, after: &K) -> Result<K, CommandError> {
    let name = before.metadata().name.as_deref().unwrap_or_default();
    Ok(custom::<K>(ctx).await?.patch(name, before, after).await?)
}

/// Deletes an object; `false` when there was none.
pub async fn delete<K: Resource>(ctx: &Context, name: &str) -> Result<bool, CommandError> {
    Ok(custom::<K>(ctx).await?.delete(name).await?)
}

/// The error for an object that is not there.
pub fn absent<K: Resource>(ctx: &Context, name: &str) -> CommandError {
    CommandError::new(
        ErrorKind::Failed,
        format!(
            "there is no {} named `{name}` in namespace `{}`",
            K::NOUN,
            ctx.namespace()
        ),
    )
    .hint(format!("`ark {} get` lists those there are", K::VERB))
}

/// A JSON value as an object of a kind.
pub fn read<K: Resource>(value: Value) -> Result<K, CommandError> {
    serde_json::from_value(value).map_err(|error| {
        CommandError::because(format_args!("this {} cannot be read", K::NOUN), &error)
    })
}

/// Whether a failed call says that there is no such kind: Ark is not installed.
pub fn is_not_installed(error: &CustomError) -> bool {
    error.kind() == Some(ark_engine::port::ClusterErrorKind::NotFound)
}
