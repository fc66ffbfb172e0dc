//! `ark backup describe`.

use ark_api::{Backup, DeleteBackupRequest, DownloadTargetKind, label};
use ark_archive::layout;
use clap::Args;
use serde::de::DeserializeOwned;

use super::logs::has_files;
use crate::args::which::LookArgs;
use crate::context::Context;
use crate::describe::backup::{Beside, describe};
use crate::describe::{self, Fetched};
use crate::download::{self, DownloadArgs};
use crate::error::{CommandError, Exit};
use crate::listing::name;
use crate::out::document::TextFormat;
use crate::{cluster, direct};

/// Show everything about backups
#[derive(Debug, Clone, Default, Args)]
pub struct DescribeArgs {
    #[command(flatten)]
    which: LookArgs,

    /// Also list the objects
    #[arg(long)]
    details: bool,

    /// Form of the output: text, json or yaml
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    output: TextFormat,

    /// Read the bucket with your own credentials: a directory or `s3://BUCKET/PREFIX`
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
            let mut beside = Beside {
                results: bucket.side(&layout::results(name)).await,
                ..Beside::default()
            };
            if args.details {
                beside.resources = bucket.side(&layout::resource_list(name)).await;
            }
            descriptions.push(describe(&backup, &beside));
        }
    } else {
        let backups =
            cluster::select::<Backup>(ctx, &args.which.names, args.which.selector()).await?;
        for backup in &backups {
            descriptions.push(describe(backup, &beside(ctx, backup, &args).await?));
        }
    }
    describe::print(ctx, &descriptions, args.output)?;
    Ok(Exit::Done)
}

/// Fetches what a description shows besides the resource.
async fn beside(
    ctx: &Context,
    backup: &Backup,
    args: &DescribeArgs,
) -> Result<Beside, CommandError> {
    let selector = format!(
        "{}={}",
        label::BACKUP_NAME,
        label::valid_value(name(backup))
    );
    let mut deletions = cluster::list::<DeleteBackupRequest>(ctx, Some(&selector)).await?;
    let uid = backup.metadata.uid.as_ref();
    deletions.retain(|request| {
        let labels = request.metadata.labels.as_ref();
        uid.is_none() || labels.and_then(|labels| labels.get(label::BACKUP_UID)) == uid
    });
    let mut beside = Beside {
        deletions,
        ..Beside::default()
    };
    if !has_files(backup.phase()) {
        return Ok(beside);
    }
    let outcome = backup.status.clone().unwrap_or_default();
    if outcome.errors > 0 || outcome.warnings > 0 {
        let kind = DownloadTargetKind::BackupResults;
        beside.results = fetched(ctx, kind, name(backup), &args.download).await;
    }
    if args.details {
        let kind = DownloadTargetKind::BackupResourceList;
        beside.resources = fetched(ctx, kind, name(backup), &args.download).await;
    }
    Ok(beside)
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
