//! `ark orphans`: what backups and restores left in a cloud, against what backups list.

use std::collections::BTreeSet;

use ark_api::{Backup, BackupPhase, DownloadTargetKind, Restore};
use ark_archive::side::VolumeSnapshot;
use ark_engine::object::Object;
use ark_engine::orphans::{self, Known, Orphan};
use ark_engine::port::{ApiResource, Cluster as _, ListQuery};
use clap::Args;
use serde_json::{Value, json};

use crate::args::output::FormatArgs;
use crate::cluster;
use crate::cmd::backup::describe::fetched;
use crate::context::Context;
use crate::describe::Fetched;
use crate::download::DownloadArgs;
use crate::error::{CommandError, Exit};
use crate::listing::name;
use crate::out::document::{self, Format, ObjectFormat};
use crate::out::table::{Cell, Table};

/// Volumes a page.
const PAGE: u32 = 500;

const EXAMPLES: &str = "\
Examples:
  ark orphans
  ark orphans -o name";

/// Show what backups and restores left in a cloud
///
/// Compares the snapshots that carry Ark's tags with those that the backups list, and the
/// disks that restores made with the cluster's volumes. Nothing is changed; the exit code
/// is 3 if there is anything to show.
///
/// A snapshot location without a secret of its own is asked with the credentials of your
/// environment, which may be another account than the server's. What other clusters made
/// with the same account is shown as well, unless their backups are listed here.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct OrphansArgs {
    #[command(flatten)]
    output: FormatArgs,

    #[command(flatten)]
    download: DownloadArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: OrphansArgs) -> Result<Exit, CommandError> {
    let connection = ctx.connect().await?;
    let locations = ark_server::open_snapshot_locations(connection, ctx.namespace()).await;
    let locations = locations.map_err(|error| {
        CommandError::because("the snapshot locations cannot be opened", &error)
    })?;
    let found = orphans::find(&locations).await;
    let known = Known {
        volumes: volumes(ctx).await?,
        ..known(ctx, &args.download).await?
    };
    let report = orphans::compare(&locations, found, &known).await;
    for (location, why) in &report.unseen {
        ctx.talk
            .warn(format!("snapshot location `{location}`: {why}"));
    }
    ctx.printer
        .print(shown(ctx, &report.orphans, args.output.format)?)?;
    if report.orphans.is_empty() && report.unseen.is_empty() {
        ctx.talk.say("Nothing is left over and nothing is missing");
        return Ok(Exit::Done);
    }
    Ok(Exit::ItemFailures)
}

fn shown(ctx: &Context, orphans: &[Orphan], format: Format) -> Result<String, CommandError> {
    let items = || -> Value {
        let items = orphans.iter().map(|orphan| {
            json!({
                "location": orphan.location, "id": orphan.id, "problem": orphan.problem.text(),
                "madeBy": orphan.maker,
            })
        });
        json!({"orphans": items.collect::<Vec<_>>()})
    };
    Ok(match format {
        Format::Json => document::text(&items(), ObjectFormat::Json)?,
        Format::Yaml => document::text(&items(), ObjectFormat::Yaml)?,
        Format::Name => {
            let mut ids: Vec<&str> = orphans.iter().map(|one| one.id.as_str()).collect();
            // Each on a line that ends.
            ids.extend((!ids.is_empty()).then_some(""));
            ids.join("\n")
        }
        Format::Table | Format::Wide if orphans.is_empty() => String::new(),
        Format::Table | Format::Wide => {
            let mut table = Table::new(["LOCATION", "ID", "MADE BY UID", "PROBLEM"]);
            for orphan in orphans {
                table.push(vec![
                    Cell::from(orphan.location.as_str()),
                    Cell::from(orphan.id.as_str()),
                    Cell::from(orphan.maker.as_str()),
                    Cell::from(orphan.problem.text()),
                ]);
            }
            table.render(ctx.printer.style())
        }
    })
}

/// What the backups list, and who is at work.
async fn known(ctx: &Context, download: &DownloadArgs) -> Result<Known, CommandError> {
    let mut known = Known::default();
    for restore in cluster::list::<Restore>(ctx, None).await? {
        let uid = restore.metadata.uid.clone();
        let running = uid.filter(|_| !restore.phase().is_terminal());
        known.restoring.extend(running);
    }
    for backup in cluster::list::<Backup>(ctx, None).await? {
        match backup.phase() {
            BackupPhase::Completed | BackupPhase::PartiallyFailed | BackupPhase::Deleting => {
                listed(ctx, &backup, download, &mut known.snapshots).await?;
            }
            BackupPhase::Failed | BackupPhase::FailedValidation => {}
            _ => known.unfinished.extend(backup.metadata.uid.clone()),
        }
    }
    Ok(known)
}

async fn listed(
    ctx: &Context,
    backup: &Backup,
    download: &DownloadArgs,
    into: &mut BTreeSet<(String, String)>,
) -> Result<(), CommandError> {
    let attempted = |backup: &Backup| backup.status.as_ref().map(|s| s.volume_snapshots_attempted);
    if attempted(backup).unwrap_or_default() == 0 {
        return Ok(());
    }
    let kind = DownloadTargetKind::BackupVolumeSnapshots;
    match fetched::<Vec<VolumeSnapshot>>(ctx, kind, name(backup), download).await {
        Fetched::Found(list) => {
            let ids = list.into_iter();
            let ids = ids.map(|one| (one.spec.location, one.status.provider_snapshot_id));
            into.extend(ids.filter(|(_, id)| !id.is_empty()));
            Ok(())
        }
        Fetched::Absent | Fetched::Skipped => Ok(()),
        // All its snapshots would seem to be left over.
        Fetched::Failed(reason) => {
            let what = format!("the snapshots of backup `{}` cannot be read", name(backup));
            Err(CommandError::failed(format!("{what}: {reason}")))
        }
    }
}

async fn volumes(ctx: &Context) -> Result<Vec<Value>, CommandError> {
    let query = ListQuery::all(ApiResource::v1(
        "",
        "persistentvolumes",
        "PersistentVolume",
        false,
    ));
    let mut volumes = Vec::new();
    let mut see = |volume: Object| volumes.extend(volume.to_value().ok());
    let connection = ctx.connect().await?;
    connection.list_each(&query, PAGE, &mut see).await?;
    Ok(volumes)
}
