//! `ark backup describe`.

use ark_api::{
    Backup, BackupStatus, DeleteBackupRequest, DownloadTargetKind, PodVolumeBackup, label,
};
use ark_archive::layout;
use clap::Args;
use serde::de::DeserializeOwned;

use super::logs::has_files;
use crate::args::output::TextOutputArgs;
use crate::args::which::LookArgs;
use crate::cluster::Resource;
use crate::context::Context;
use crate::describe::backup::{Beside, describe};
use crate::describe::volumes::Volumes;
use crate::describe::{self, Fetched};
use crate::download::{self, DownloadArgs};
use crate::error::{CommandError, Exit};
use crate::listing::name;
use crate::out::describe::Description;
use crate::{cluster, direct};

const EXAMPLES: &str = "\
Examples:
  ark backup describe nightly
  ark backup describe nightly --details
  ark backup describe nightly -o json | jq .phase
  ark backup describe nightly --from s3://my-backups";

/// Show everything about backups
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct DescribeArgs {
    #[command(flatten)]
    which: LookArgs,

    /// Also list the objects, operations and volumes one by one
    #[arg(long)]
    details: bool,

    #[command(flatten)]
    output: TextOutputArgs,

    /// Read the bucket with your own credentials: a directory, or a bucket as `s3://`, `gs://` or `azblob://BUCKET/PREFIX`
    #[arg(long, value_name = "DIR|URL", requires = "names")]
    from: Option<String>,

    #[command(flatten)]
    download: DownloadArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: DescribeArgs) -> Result<Exit, CommandError> {
    let mut descriptions = Vec::new();
    if let Some(from) = &args.from {
        let bucket = direct::Bucket::open(from).await?;
        for name in &args.which.names {
            let backup = bucket.backup(name).await?;
            let beside = files(&Source::Bucket(&bucket), &backup, args.details).await;
            descriptions.push(describe(&backup, &beside));
        }
    } else {
        let backups =
            cluster::select::<Backup>(ctx, &args.which.names, args.which.selector()).await?;
        for backup in &backups {
            descriptions.push(one(ctx, backup, args.details, &args.download).await?);
        }
    }
    describe::print(ctx, &descriptions, args.output.format)?;
    Ok(Exit::Done)
}

/// Describes one backup of the cluster.
pub(crate) async fn one(
    ctx: &Context,
    backup: &Backup,
    details: bool,
    download: &DownloadArgs,
) -> Result<Description, CommandError> {
    let mut beside = if has_files(backup.phase()) {
        files(&Source::Server(ctx, download), backup, details).await
    } else {
        Beside::default()
    };
    beside.deletions = of_backup::<DeleteBackupRequest>(ctx, backup).await?;
    beside.pod_volumes = of_backup::<PodVolumeBackup>(ctx, backup).await?;
    Ok(describe(backup, &beside))
}

/// Objects with the labels of a backup.
async fn of_backup<K: Resource>(ctx: &Context, backup: &Backup) -> Result<Vec<K>, CommandError> {
    let selector = label::selector(label::BACKUP_NAME, name(backup));
    let mut objects = cluster::list::<K>(ctx, Some(&selector)).await?;
    // Those of an earlier backup of the same name do not count.
    let uid = backup.metadata.uid.as_ref();
    objects.retain(|object| {
        let labels = object.metadata().labels.as_ref();
        uid.is_none() || labels.and_then(|labels| labels.get(label::BACKUP_UID)) == uid
    });
    Ok(objects)
}

/// Where the files of a backup are read.
enum Source<'a> {
    Bucket(&'a direct::Bucket),
    Server(&'a Context, &'a DownloadArgs),
}

impl Source<'_> {
    async fn file<T: DeserializeOwned>(
        &self,
        kind: DownloadTargetKind,
        backup: &str,
    ) -> Fetched<T> {
        match self {
            Self::Server(ctx, args) => fetched(ctx, kind, backup, args).await,
            Self::Bucket(bucket) => match key(&kind, backup) {
                Some(key) => bucket.side(&key).await,
                None => Fetched::Absent,
            },
        }
    }
}

/// Where a file for descriptions lies in a bucket.
fn key(kind: &DownloadTargetKind, backup: &str) -> Option<String> {
    use DownloadTargetKind as Kind;
    let key = match kind {
        Kind::BackupResults => layout::results(backup),
        Kind::BackupResourceList => layout::resource_list(backup),
        Kind::BackupItemOperations => layout::item_operations(backup),
        Kind::BackupVolumeInfos => layout::volume_info(backup),
        Kind::BackupVolumeSnapshots => layout::volume_snapshots(backup),
        Kind::CsiBackupVolumeSnapshots => layout::csi_volume_snapshots(backup),
        Kind::CsiBackupVolumeSnapshotContents => layout::csi_volume_snapshot_contents(backup),
        _ => return None,
    };
    Some(key)
}

/// Fetches the files that a description is made of.
async fn files(source: &Source<'_>, backup: &Backup, details: bool) -> Beside {
    use DownloadTargetKind as Kind;
    let name = name(backup);
    let outcome = backup.status.clone().unwrap_or_default();
    let mut beside = Beside {
        details,
        ..Beside::default()
    };
    if outcome.errors > 0 || outcome.warnings > 0 {
        beside.results = source.file(Kind::BackupResults, name).await;
    }
    if details {
        beside.resources = source.file(Kind::BackupResourceList, name).await;
    }
    if details && outcome.backup_item_operations_attempted > 0 {
        beside.operations = source.file(Kind::BackupItemOperations, name).await;
    }
    beside.volumes = match source.file(Kind::BackupVolumeInfos, name).await {
        Fetched::Found(list) => Fetched::Found(Volumes {
            list,
            pieced: false,
        }),
        Fetched::Failed(reason) => Fetched::Failed(reason),
        Fetched::Skipped | Fetched::Absent => pieced(source, name, &outcome).await,
    };
    beside
}

/// The volumes of a backup that is older than the file for all of them.
async fn pieced(source: &Source<'_>, name: &str, outcome: &BackupStatus) -> Fetched<Volumes> {
    use DownloadTargetKind as Kind;
    let (mut native, mut snapshots, mut contents) = (Vec::new(), Vec::new(), Vec::new());
    if outcome.volume_snapshots_attempted > 0 {
        match source.file(Kind::BackupVolumeSnapshots, name).await {
            Fetched::Found(list) => native = list,
            Fetched::Failed(reason) => return Fetched::Failed(reason),
            Fetched::Skipped | Fetched::Absent => {}
        }
    }
    if outcome.csi_volume_snapshots_attempted > 0 {
        let files = [
            (Kind::CsiBackupVolumeSnapshots, &mut snapshots),
            (Kind::CsiBackupVolumeSnapshotContents, &mut contents),
        ];
        for (kind, into) in files {
            match source.file(kind, name).await {
                Fetched::Found(list) => *into = list,
                Fetched::Failed(reason) => return Fetched::Failed(reason),
                Fetched::Skipped | Fetched::Absent => {}
            }
        }
    }
    Fetched::Found(Volumes::pieced(&native, &snapshots, &contents))
}

/// One side file by way of the server. A description goes on without it.
pub(crate) async fn fetched<T: DeserializeOwned>(
    ctx: &Context,
    kind: DownloadTargetKind,
    target: &str,
    args: &DownloadArgs,
) -> Fetched<T> {
    match download::file(ctx, kind, target, args).await {
        Ok(None) => Fetched::Absent,
        Ok(Some(bytes)) => match serde_json::from_slice(&bytes) {
            Ok(document) => Fetched::Found(document),
            Err(error) => Fetched::Failed(format!("it is damaged: {error}")),
        },
        Err(error) => Fetched::Failed(error.message),
    }
}
