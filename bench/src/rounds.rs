//! The rounds: in each, the raw limit and Ark one right after the other, in
//! alternating order, on the same cluster or on clusters of the same making.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use ark_engine::backup::Options;
use serde::Serialize;

use crate::ark::{self, Measured, Server};
use crate::cluster::Cluster;
use crate::dataset::{Creation, DataSet};
use crate::inside::Inside;
use crate::meter::{self, Meter, Usage};
use crate::raw;
use crate::say;

/// Backups of a round.
const BACKUPS: usize = 3;

/// What is compared, and how.
pub(crate) struct Setting {
    /// The program.
    pub(crate) ark: PathBuf,
    /// The directory that is the backup location.
    pub(crate) bucket: PathBuf,
    /// Where servers log.
    pub(crate) logs: PathBuf,
    /// What the clusters hold.
    pub(crate) data: DataSet,
    /// Connections of the raw posts.
    pub(crate) connections: usize,
    /// Longest wait for others to leave the machine alone before a measurement.
    pub(crate) patience: Duration,
    /// Whether restores are measured.
    pub(crate) restores: bool,
    /// Whether the command line without a server is measured, too.
    pub(crate) direct: bool,
}

/// One measured run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    /// Time and processor time.
    #[serde(flatten)]
    pub(crate) usage: Usage,
    /// Peak of Ark's resident memory in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peak: Option<u64>,
    /// Bytes of JSON read or sent, or of the archive.
    pub(crate) bytes: u64,
    /// Objects.
    pub(crate) items: u64,
}

/// Listings and a backup, one right after the other.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupPair {
    /// The pages, at whatever revision is newest.
    pub(crate) raw_list: Run,
    /// The pages, all at one revision.
    pub(crate) raw_list_at_revision: Run,
    /// A backup by the server.
    pub(crate) backup: Run,
    /// What the server had resident before the backup, in bytes.
    pub(crate) resident_before: u64,
}

/// Posts and a restore, one right after the other.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RestorePair {
    /// The bodies, posted.
    pub(crate) raw_post: Run,
    /// A restore by the server.
    pub(crate) restore: Run,
}

/// One round.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Round {
    /// Backups take moments, so there are several.
    pub(crate) backups: Vec<BackupPair>,
    /// A restore takes much longer.
    pub(crate) restore: Option<RestorePair>,
    /// A backup by the command line alone.
    pub(crate) direct_backup: Option<Run>,
    /// A restore by the command line alone.
    pub(crate) direct_restore: Option<Run>,
}

/// The cluster that is backed up, with its server.
pub(crate) struct Source {
    pub(crate) cluster: Cluster,
    pub(crate) server: Server,
    /// What a backup lists: paths of collections.
    collections: Vec<String>,
}

impl Source {
    /// Starts a cluster, fills it and starts the server.
    pub(crate) async fn start(setting: &Setting) -> Result<Self> {
        say("starting the cluster that is backed up");
        let cluster = Cluster::start()?;
        ark::install(&cluster, &setting.bucket).await?;
        cluster.fill(setting.data, &[]).await?;
        let collections = Inside::connect(&cluster, &setting.bucket)
            .await?
            .collections()
            .await?;
        let server =
            Server::start(&setting.ark, &cluster, &setting.logs.join("source.log")).await?;
        cluster.settle().await?;
        let source = Self {
            cluster,
            server,
            collections,
        };
        // The first listing of a server's life pays for what later ones share.
        for at_revision in [false, true] {
            source
                .raw_list(at_revision, &Options::default(), Duration::ZERO)
                .await?;
        }
        Ok(source)
    }

    /// Fetches and throws away what a backup fetches.
    pub(crate) async fn raw_list(
        &self,
        at_revision: bool,
        options: &Options,
        patience: Duration,
    ) -> Result<Run> {
        let endpoint = &self.cluster.endpoint;
        let revision = if at_revision {
            Some(crate::inside::revision(endpoint).await?)
        } else {
            None
        };
        // A listing leaves the API server garbage to collect, which is nobody else's.
        self.cluster.settle().await?;
        meter::calm(patience).await;
        let meter = Meter::start(&self.cluster.processes);
        let listed = raw::list(endpoint, &self.collections, options, revision.as_deref()).await?;
        let usage = meter.stop();
        Ok(Run {
            usage,
            peak: None,
            bytes: listed.bytes as u64,
            items: listed.pages as u64,
        })
    }
}

impl Setting {
    /// One round; `number` counts from 0 and decides the order.
    pub(crate) async fn round(&self, source: &Source, number: usize) -> Result<Round> {
        let mut backups = Vec::new();
        for pair in 0..BACKUPS {
            backups.push(self.backup_pair(source, number * BACKUPS + pair).await?);
        }
        let name = backup_name(number * BACKUPS);
        let direct_backup = if self.direct {
            source.cluster.settle().await?;
            meter::calm(self.patience).await;
            Some(
                self.direct_backup(source, &format!("{name}-direct"))
                    .await?,
            )
        } else {
            None
        };
        let restore = if self.restores {
            Some(self.restore_pair(&name, number).await?)
        } else {
            None
        };
        let direct_restore = if self.direct && self.restores {
            Some(self.direct_restore(&name).await?)
        } else {
            None
        };
        Ok(Round {
            backups,
            restore,
            direct_backup,
            direct_restore,
        })
    }

    async fn backup_pair(&self, source: &Source, number: usize) -> Result<BackupPair> {
        let options = Options::default();
        let name = backup_name(number);
        let resident_before = source.server.resident()?;
        let (raw_list, raw_list_at_revision, backup);
        if number.is_multiple_of(2) {
            raw_list = source.raw_list(false, &options, self.patience).await?;
            backup = self.backup(source, &name).await?;
            raw_list_at_revision = source.raw_list(true, &options, self.patience).await?;
        } else {
            raw_list_at_revision = source.raw_list(true, &options, self.patience).await?;
            backup = self.backup(source, &name).await?;
            raw_list = source.raw_list(false, &options, self.patience).await?;
        }
        say(&format!(
            "  list {:.2} s, at one revision {:.2} s, backup {:.2} s",
            raw_list.usage.seconds, raw_list_at_revision.usage.seconds, backup.usage.seconds
        ));
        Ok(BackupPair {
            raw_list,
            raw_list_at_revision,
            backup,
            resident_before,
        })
    }

    async fn restore_pair(&self, name: &str, number: usize) -> Result<RestorePair> {
        let (raw_post, restore);
        if number.is_multiple_of(2) {
            raw_post = self.raw_post(name).await?;
            restore = self.restore(name).await?;
        } else {
            restore = self.restore(name).await?;
            raw_post = self.raw_post(name).await?;
        }
        say(&format!(
            "  post {:.2} s, restore {:.2} s",
            raw_post.usage.seconds, restore.usage.seconds
        ));
        Ok(RestorePair { raw_post, restore })
    }

    async fn backup(&self, source: &Source, name: &str) -> Result<Run> {
        source.cluster.settle().await?;
        meter::calm(self.patience).await;
        let measured = source.server.backup(&source.cluster, name).await?;
        if measured.items < self.data.objects as u64 {
            bail!("the backup has only {} objects", measured.items);
        }
        self.with_archive(measured, name)
    }

    async fn direct_backup(&self, source: &Source, name: &str) -> Result<Run> {
        let measured =
            ark::direct_backup(&self.ark, &source.cluster, &self.direct_bucket(), name).await?;
        let size = ark::archive_size(&self.direct_bucket(), name)?;
        Ok(run(measured, size))
    }

    /// A server would take notice of backups that appear in its bucket.
    fn direct_bucket(&self) -> PathBuf {
        self.bucket.with_extension("direct")
    }

    fn with_archive(&self, measured: Measured, name: &str) -> Result<Run> {
        let size = ark::archive_size(&self.bucket, name)?;
        Ok(run(measured, size))
    }

    /// Posts the bodies to an empty cluster that has the definitions already.
    pub(crate) async fn raw_post(&self, name: &str) -> Result<Run> {
        let cluster = Cluster::start()?;
        cluster.define().await?;
        cluster.settle().await?;
        meter::calm(self.patience).await;
        let (namespaces, creations) = self.bodies(name);
        let bytes = crate::cluster::size(&creations) as u64;
        let done = Arc::default();
        let meter = Meter::start(&cluster.processes);
        raw::create(&cluster.endpoint, &namespaces, self.connections, &done).await?;
        raw::create(&cluster.endpoint, &creations, self.connections, &done).await?;
        let usage = meter.stop();
        cluster.check_complete(self.data).await?;
        Ok(Run {
            usage,
            peak: None,
            bytes,
            items: creations.len() as u64,
        })
    }

    /// What a restore sends: the objects with the labels that it puts on them.
    fn bodies(&self, name: &str) -> (Arc<Vec<Creation>>, Arc<Vec<Creation>>) {
        let labels = [
            (ark_api::label::BACKUP_NAME, name),
            (ark_api::label::RESTORE_NAME, name),
        ];
        let namespaces = self.data.namespace_creations(&labels);
        (Arc::new(namespaces), Arc::new(self.data.creations(&labels)))
    }

    /// Restores into an empty cluster.
    async fn restore(&self, name: &str) -> Result<Run> {
        let cluster = Cluster::start()?;
        ark::install(&cluster, &self.bucket).await?;
        let log = self.logs.join("target.log");
        let server = Server::start(&self.ark, &cluster, &log).await?;
        let measured = server.restore(&cluster, name, self.patience).await?;
        cluster.check_complete(self.data).await?;
        self.with_archive(measured, name)
    }

    async fn direct_restore(&self, name: &str) -> Result<Run> {
        let cluster = Cluster::start()?;
        cluster.settle().await?;
        let name = format!("{name}-direct");
        let bucket = self.direct_bucket();
        let measured = ark::direct_restore(&self.ark, &cluster, &bucket, &name).await?;
        cluster.check_complete(self.data).await?;
        Ok(run(measured, ark::archive_size(&bucket, &name)?))
    }
}

fn run(measured: Measured, bytes: u64) -> Run {
    Run {
        usage: measured.usage,
        peak: Some(measured.peak),
        bytes,
        items: measured.items,
    }
}

/// The name of the backup with this number, counting from 0.
pub(crate) fn backup_name(number: usize) -> String {
    format!("backup-{number}")
}

/// Makes the directories of a setting below `dir`.
pub(crate) fn directories(dir: &Path) -> Result<(PathBuf, PathBuf)> {
    let (bucket, logs) = (dir.join("bucket"), dir.join("logs"));
    std::fs::create_dir_all(&bucket)?;
    std::fs::create_dir_all(&logs)?;
    Ok((bucket, logs))
}
