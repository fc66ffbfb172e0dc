//! The inside of a backup: its objects, found by kind and name and read one by one.
//!
//! A bucket that is read with the caller's own credentials is read by ranges where
//! the backup has an index. By way of the server the whole archive comes, and is
//! unpacked into a file without a name.

mod wanted;

use std::io::{Seek as _, SeekFrom, Write as _};

use ark_api::{Backup, DownloadTargetKind};
use ark_archive::{Entry, layout};
use ark_engine::archive::Archive;
use ark_engine::select::Glob;
use clap::Args;
use clap_complete::ArgValueCandidates;

pub use self::wanted::{Wanted, wanted};
use crate::cmd::backup::logs::has_files;
use crate::context::Context;
use crate::direct::Bucket;
use crate::download::{self, DownloadArgs};
use crate::error::{CommandError, chain};
use crate::{cluster, live};

/// Which backup, where it is, and a namespace of it.
#[derive(Debug, Clone, Default, Args)]
pub struct InsideArgs {
    /// Name of the backup
    #[arg(add = ArgValueCandidates::new(live::names))]
    name: String,

    /// Only objects of this namespace of the backup; may have `*` and `?`
    #[arg(long = "in", value_name = "NAMESPACE", value_parser = Glob::parse)]
    within: Option<Glob>,

    /// Read the bucket with your own credentials: a directory, or a bucket as `s3://`, `gs://` or `azblob://BUCKET/PREFIX`
    #[arg(long, value_name = "DIR|URL")]
    from: Option<String>,

    #[command(flatten)]
    download: DownloadArgs,
}

impl InsideArgs {
    /// Name of the backup.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens the backup's archive.
    pub async fn open(&self, ctx: &Context) -> Result<Archive, CommandError> {
        match &self.from {
            Some(url) => Bucket::open(url).await?.archive(ctx, &self.name).await,
            None => by_way_of_the_server(ctx, &self.name, &self.download).await,
        }
    }

    /// The objects that are wanted, each once, in the order of namespace, kind and
    /// name.
    pub fn select<'a>(&self, archive: &'a Archive, wanted: Option<&Wanted>) -> Vec<Entry<'a>> {
        let in_namespace = |entry: &Entry<'_>| match (&self.within, &entry.group.namespace) {
            (Some(glob), Some(namespace)) => glob.matches(namespace),
            (Some(_), None) => false,
            (None, _) => true,
        };
        let mut entries: Vec<Entry<'a>> = archive
            .catalog()
            .iter()
            .filter(in_namespace)
            .filter(|entry| {
                let kind = &entry.group.group_resource;
                wanted.is_none_or(|wanted| wanted.matches(kind, entry.name))
            })
            .collect();
        entries.sort_by(|a, b| order(a).cmp(&order(b)));
        entries
    }
}

fn order<'a>(entry: &Entry<'a>) -> (Option<&'a str>, &'a str, &'a str, &'a str) {
    let kind = &entry.group.group_resource;
    let namespace = entry.group.namespace.as_deref();
    (namespace, &kind.resource, &kind.group, entry.name)
}

async fn by_way_of_the_server(
    ctx: &Context,
    name: &str,
    args: &DownloadArgs,
) -> Result<Archive, CommandError> {
    let backup: Backup = cluster::get(ctx, name).await?;
    check_has_data(&backup)?;
    let dir = ctx.scratch_dir();
    let what = || {
        format!(
            "cannot keep the data of backup `{name}` in `{}`",
            dir.display()
        )
    };
    let mut file =
        tempfile::tempfile_in(&dir).map_err(|error| CommandError::because(what(), &error))?;
    let kind = DownloadTargetKind::BackupContents;
    let found = download::each(ctx, kind, name, args, &mut |chunk| {
        let written = file.write_all(&chunk);
        written.map_err(|error| CommandError::because(what(), &error))
    })
    .await?;
    if !found {
        return Err(missing(name));
    }
    let start = file.seek(SeekFrom::Start(0));
    start.map_err(|error| CommandError::because(what(), &error))?;
    let key = layout::contents(name);
    let unpacked = tokio::task::spawn_blocking(move || Archive::unpack(&key, file, &dir)).await;
    let unpacked = unpacked.map_err(|error| CommandError::failed(error.to_string()))?;
    unpacked.map_err(|error| CommandError::failed(chain(&error)))
}

/// Refuses a backup that has no files in its location.
pub fn check_has_data(backup: &Backup) -> Result<(), CommandError> {
    if has_files(backup.phase()) {
        return Ok(());
    }
    let name = crate::listing::name(backup);
    let message = format!(
        "backup `{name}` has no data: it is in phase {}",
        backup.phase()
    );
    Err(CommandError::failed(message)
        .hint(format!("`ark backup describe {name}` shows how it goes")))
}

/// What to say of a backup whose archive is gone.
pub fn missing(name: &str) -> CommandError {
    CommandError::failed(format!(
        "the data of backup `{name}` is not in its location"
    ))
}
