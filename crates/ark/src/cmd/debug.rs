//! `ark debug`: one file with what others need to understand a problem. What
//! cannot be had is told in the bundle and does not end the command.

mod bundle;
mod redact;

use std::path::PathBuf;

use ark_api::{
    Backup, BackupRepository, BackupStorageLocation, DataDownload, DataUpload, DeleteBackupRequest,
    DownloadTargetKind, PodVolumeBackup, PodVolumeRestore, Restore, Schedule,
    VolumeSnapshotLocation,
};
use ark_kube::SourcePod;
use clap::Args;
use clap_complete::ArgValueCandidates;
use jiff::tz::TimeZone;
use serde_json::Value;

use self::bundle::Bundle;
use self::redact::redacted;
use crate::cluster::{self, Resource};
use crate::cmd::{backup, restore, version};
use crate::context::Context;
use crate::download::{self, DownloadArgs};
use crate::error::{CommandError, Exit, chain};
use crate::listing::name;
use crate::live;
use crate::out::describe::Description;
use crate::out::document::{self, ObjectFormat};
use crate::out::human;
use crate::out::style::Style;

/// Of a longer log, only so much is taken.
const MAX_LOG: u64 = 64 << 20;

const EXAMPLES: &str = "\
Examples:
  ark debug
  ark debug --backup nightly
  ark debug --restore nightly-20260301120000 --output /tmp/bundle.tar.gz";

/// Collect what others need to understand a problem
///
/// The bundle holds Ark's resources, the logs of the server's pods, versions, and
/// description and log of the backup and restore that are named. Secrets are never
/// read; what looks like a credential in a location's config is masked. Names of
/// namespaces and objects are in it: look at it before you give it away.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct DebugArgs {
    /// Also describe this backup and take its log
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(live::backups))]
    backup: Option<String>,

    /// Also describe this restore and take its log
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(live::restores))]
    restore: Option<String>,

    /// File to write [default: bundle-YYYY-MM-DD-HH-MM-SS.tar.gz]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Tell each step
    #[arg(long)]
    verbose: bool,

    #[command(flatten)]
    download: DownloadArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: DebugArgs) -> Result<Exit, CommandError> {
    // A bundle about the wrong name helps nobody.
    let named_backup = match &args.backup {
        Some(name) => Some(cluster::get::<Backup>(ctx, name).await?),
        None => None,
    };
    let named_restore = match &args.restore {
        Some(name) => Some(cluster::get::<Restore>(ctx, name).await?),
        None => None,
    };
    let path = args.output.clone().unwrap_or_else(|| {
        let now = ctx.now().to_zoned(TimeZone::system());
        PathBuf::from(format!(
            "bundle-{}.tar.gz",
            now.strftime("%Y-%m-%d-%H-%M-%S")
        ))
    });
    let mut collector = Collector {
        ctx,
        args: &args,
        bundle: Bundle::create(&path)?,
    };
    collector.versions().await?;
    collector.all_resources().await?;
    collector.server_logs().await?;
    if let Some(backup) = &named_backup {
        collector.backup(backup).await?;
    }
    if let Some(restore) = &named_restore {
        collector.restore(restore).await?;
    }
    let size = collector.bundle.finish()?;
    ctx.talk.say(format_args!(
        "The bundle is in `{}` ({})",
        path.display(),
        human::bytes(size)
    ));
    ctx.talk.hint(
        "look at what it holds before you give it away: names of namespaces and objects are in it",
    );
    Ok(Exit::Done)
}

struct Collector<'a> {
    ctx: &'a Context,
    args: &'a DebugArgs,
    bundle: Bundle,
}

impl Collector<'_> {
    /// Puts a file in, or the reason why there is none.
    fn put(
        &mut self,
        name: &str,
        content: Result<Vec<u8>, CommandError>,
    ) -> Result<(), CommandError> {
        if self.args.verbose {
            self.ctx.talk.say(format_args!("{name}"));
        }
        match content {
            Ok(bytes) => self.bundle.file(name, &bytes),
            Err(error) => {
                let message = format!("{}\n", error.message);
                if self.args.verbose {
                    self.ctx.talk.warn(message.trim_end());
                }
                self.bundle
                    .file(&format!("{name}.error.txt"), message.as_bytes())
            }
        }
    }

    async fn versions(&mut self) -> Result<(), CommandError> {
        let text = version::both(self.ctx).await;
        self.put("version.txt", Ok(text.into_bytes()))
    }

    async fn all_resources(&mut self) -> Result<(), CommandError> {
        self.resources::<Backup>().await?;
        self.resources::<Restore>().await?;
        self.resources::<Schedule>().await?;
        self.resources::<BackupStorageLocation>().await?;
        self.resources::<VolumeSnapshotLocation>().await?;
        self.resources::<DeleteBackupRequest>().await?;
        self.resources::<PodVolumeBackup>().await?;
        self.resources::<PodVolumeRestore>().await?;
        self.resources::<BackupRepository>().await?;
        self.resources::<DataUpload>().await?;
        self.resources::<DataDownload>().await
    }

    async fn resources<K: Resource>(&mut self) -> Result<(), CommandError> {
        let file = format!("resources/{}.yaml", K::KIND.to_lowercase());
        let content = cluster::list::<K>(self.ctx, None).await.and_then(|list| {
            let items: Vec<Value> = list
                .iter()
                .filter_map(|object| serde_json::to_value(object).ok())
                .map(redacted)
                .collect();
            let list = document::list("v1", "", &items);
            Ok(document::text(&list, ObjectFormat::Yaml)?.into_bytes())
        });
        self.put(&file, content)
    }

    async fn server_logs(&mut self) -> Result<(), CommandError> {
        let connection = self.ctx.connect().await?;
        let found = connection
            .source_pods(self.ctx.namespace(), download::PODS)
            .await;
        let pods: Vec<SourcePod> = match found {
            Ok(pods) => pods,
            Err(error) => return self.put("logs", Err(CommandError::failed(chain(&error)))),
        };
        for pod in &pods {
            for container in &pod.containers {
                let log = connection.pod_log(pod, container, MAX_LOG).await;
                let log = log
                    .map(|bytes| bytes.to_vec())
                    .map_err(|error| CommandError::failed(chain(&error)));
                self.put(&format!("logs/{}/{container}.log", pod.name), log)?;
            }
        }
        Ok(())
    }

    async fn backup(&mut self, object: &Backup) -> Result<(), CommandError> {
        let described = backup::describe::one(self.ctx, object, true, &self.args.download).await;
        self.job(
            "backup",
            name(object),
            described,
            DownloadTargetKind::BackupLog,
        )
        .await
    }

    async fn restore(&mut self, object: &Restore) -> Result<(), CommandError> {
        let described = restore::describe::one(self.ctx, object, true, &self.args.download).await;
        self.job(
            "restore",
            name(object),
            described,
            DownloadTargetKind::RestoreLog,
        )
        .await
    }

    /// Description and log of a backup or restore, in a folder of its own.
    async fn job(
        &mut self,
        what: &str,
        name: &str,
        described: Result<Description, CommandError>,
        log: DownloadTargetKind,
    ) -> Result<(), CommandError> {
        let text = described.map(|one| one.to_text(Style::plain()).into_bytes());
        self.put(&format!("{what}-{name}/describe.txt"), text)?;
        let log = match download::file(self.ctx, log, name, &self.args.download).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(CommandError::failed(
                "there is no such file in the location",
            )),
            Err(error) => Err(error),
        };
        self.put(&format!("{what}-{name}/log.txt"), log)
    }
}
