//! `ark restore create`.

use ark_api::restore::{ExistingResourcePolicy, RestoreStatusSpec, RestoreUploaderConfig};
use ark_api::{Backup, BackupPhase, GoDuration, Restore, RestoreSpec, label, zone};
use clap::{ArgGroup, Args};
use clap_complete::ArgValueCandidates;

use crate::args::backup::config_map;
use crate::args::output::{CreateOutputArgs, MetadataArgs};
use crate::args::scope::ScopeArgs;
use crate::args::value::{Map, boolean, duration, mappings, merged};
use crate::args::wait::WaitArgs;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::{cluster, direct, follow, live, name};

const EXAMPLES: &str = "\
Examples:
  ark restore create --from-backup nightly --wait
  ark restore create --from-backup nightly --include-namespaces shop
  ark restore create --from-backup nightly --namespace-mappings shop:shop-test
  ark restore create --from-backup nightly --direct --from s3://my-backups";

/// Restore a backup
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("source").required(true).args(["from_backup", "from_schedule"]))]
pub struct CreateArgs {
    /// Name of the restore [default: BACKUP-TIME]
    pub name: Option<String>,

    /// Backup to restore
    #[arg(long, value_name = "BACKUP", add = ArgValueCandidates::new(live::backups))]
    pub from_backup: Option<String>,

    /// Restore the latest successful backup of this schedule
    #[arg(long, value_name = "SCHEDULE", add = ArgValueCandidates::new(live::schedules))]
    pub from_schedule: Option<String>,

    /// With --from-schedule: take the latest backup even if some of its items failed
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean, requires = "from_schedule")]
    allow_partially_failed: Option<bool>,

    #[command(flatten)]
    wait: WaitArgs,

    #[command(flatten)]
    direct: DirectArgs,

    #[command(flatten)]
    scope: ScopeArgs,

    #[command(flatten)]
    changes: ChangeArgs,

    #[command(flatten)]
    volumes: VolumeArgs,

    #[command(flatten)]
    metadata: MetadataArgs,

    #[command(flatten)]
    output: CreateOutputArgs,
}

/// Working without a server.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Without a server")]
struct DirectArgs {
    /// Do it here and now with your own kubeconfig; nothing is installed in the cluster
    #[arg(long, requires = "from", conflicts_with_all = ["from_schedule", "wait", "output"])]
    direct: bool,

    /// Where from with --direct: a directory, or a bucket as `s3://`, `gs://` or `azblob://BUCKET/PREFIX`
    #[arg(long, value_name = "DIR|URL", requires = "direct")]
    from: Option<String>,
}

/// What changes on the way, and what happens to objects that exist.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Changes")]
struct ChangeArgs {
    /// New names for namespaces
    #[arg(long, value_name = "FROM:TO,..", value_parser = mappings)]
    namespace_mappings: Vec<Map>,

    /// What to do with objects that exist: none leaves them, update patches them
    #[arg(long, value_name = "POLICY", value_parser = ["none", "update"], hide_possible_values = true)]
    existing_resource_policy: Option<String>,

    /// Whether services keep their node ports [default: no]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean)]
    preserve_nodeports: Option<bool>,

    /// Resources that get their status back [default: none]
    #[arg(long, value_delimiter = ',', value_name = "RESOURCES")]
    status_include_resources: Vec<String>,

    /// Resources that do not get their status back
    #[arg(long, value_delimiter = ',', value_name = "RESOURCES")]
    status_exclude_resources: Vec<String>,

    /// `ConfigMap` with rules that change objects before they are created
    #[arg(long, value_name = "NAME")]
    resource_modifier_configmap: Option<String>,
}

/// Volumes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Volumes")]
struct VolumeArgs {
    /// Whether to restore volumes from snapshots [default: where possible]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean)]
    restore_volumes: Option<bool>,

    /// Other zones for new disks
    #[arg(long, value_name = "FROM:TO,..", value_parser = mappings)]
    zone_mappings: Vec<Map>,

    /// Whether runs of zeros in files become holes
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean)]
    write_sparse_files: Option<bool>,

    /// How many files of a volume to write at once [default: one per processor]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i64).range(1..))]
    parallel_files_download: Option<i64>,

    /// How long operations of items may go on after the items are restored [default: 4h]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    item_operation_timeout: Option<GoDuration>,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: CreateArgs) -> Result<Exit, CommandError> {
    args.scope.check()?;
    let restore = args.restore(ctx);
    if let Some(from) = &args.direct.from {
        return direct::restore(ctx, restore, from).await;
    }
    let restore = args.resolve(ctx, restore).await?;
    if args.output.print(ctx, &restore)? {
        return Ok(Exit::Done);
    }
    let created = cluster::create(ctx, &restore).await?;
    let name = created.metadata.name.as_deref().unwrap_or_default();
    if args.wait.wait {
        return follow::restore(ctx, name, args.wait.timeout()).await;
    }
    ctx.talk.say(format_args!("Restore `{name}` is requested"));
    ctx.talk.hint(format_args!(
        "follow it with `ark restore describe {name}` or `ark restore logs {name}`"
    ));
    Ok(Exit::Done)
}

impl CreateArgs {
    /// Looks at the source: a backup must exist, and the latest backup of a
    /// schedule is chosen here when partly failed ones count.
    async fn resolve(&self, ctx: &Context, mut restore: Restore) -> Result<Restore, CommandError> {
        if let (Some(schedule), Some(true)) = (&self.from_schedule, self.allow_partially_failed) {
            let selector = label::selector(label::SCHEDULE_NAME, schedule);
            let backups = cluster::list::<Backup>(ctx, Some(&selector)).await?;
            restore.spec.backup_name = latest(&backups).ok_or_else(|| {
                CommandError::failed(format!(
                    "schedule `{schedule}` has no backup that is completed or partially failed"
                ))
            })?;
            restore.spec.schedule_name.clear();
        } else if self.from_backup.is_some() && !self.output.prints() {
            cluster::get::<Backup>(ctx, &restore.spec.backup_name).await?;
        }
        Ok(restore)
    }

    /// The object that these flags ask for.
    fn restore(&self, ctx: &Context) -> Restore {
        let (scope, changes, volumes) = (
            self.scope.clone(),
            self.changes.clone(),
            self.volumes.clone(),
        );
        let source = self.from_backup.as_ref().or(self.from_schedule.as_ref());
        let name = self.name.clone().unwrap_or_else(|| {
            name::timestamped(source.map(String::as_str).unwrap_or_default(), ctx.now())
        });
        let status_included = !changes.status_include_resources.is_empty()
            || !changes.status_exclude_resources.is_empty();
        let uploader = RestoreUploaderConfig {
            write_sparse_files: volumes.write_sparse_files,
            parallel_files_download: volumes.parallel_files_download.unwrap_or_default(),
        };
        let spec = RestoreSpec {
            backup_name: self.from_backup.clone().unwrap_or_default(),
            schedule_name: self.from_schedule.clone().unwrap_or_default(),
            included_namespaces: scope.include_namespaces.clone(),
            excluded_namespaces: scope.exclude_namespaces.clone(),
            included_resources: scope.include_resources.clone(),
            excluded_resources: scope.exclude_resources.clone(),
            include_cluster_resources: scope.include_cluster_resources,
            or_label_selectors: scope.any_of(),
            label_selector: scope.selector,
            namespace_mapping: merged(&changes.namespace_mappings),
            existing_resource_policy: changes
                .existing_resource_policy
                .map(ExistingResourcePolicy::from),
            preserve_node_ports: changes.preserve_nodeports,
            restore_status: status_included.then_some(RestoreStatusSpec {
                included_resources: changes.status_include_resources,
                excluded_resources: changes.status_exclude_resources,
            }),
            resource_modifier: changes.resource_modifier_configmap.map(config_map),
            restore_pvs: volumes.restore_volumes,
            uploader_config: (uploader != RestoreUploaderConfig::default()).then_some(uploader),
            item_operation_timeout: volumes.item_operation_timeout,
            ..RestoreSpec::default()
        };
        let mut metadata = self.metadata.metadata(&name, ctx.namespace());
        zone::request(&mut metadata, &merged(&volumes.zone_mappings));
        Restore {
            metadata,
            spec,
            status: None,
        }
    }
}

/// Name of the youngest backup that can be restored.
fn latest(backups: &[Backup]) -> Option<String> {
    backups
        .iter()
        .filter(|backup| {
            matches!(
                backup.phase(),
                BackupPhase::Completed | BackupPhase::PartiallyFailed
            )
        })
        .max_by_key(|backup| {
            let status = backup.status.as_ref();
            status
                .and_then(|status| status.start_timestamp.as_ref())
                .map(|time| time.0)
        })
        .and_then(|backup| backup.metadata.name.clone())
}

#[cfg(test)]
mod tests {
    use ark_api::{BackupStatus, Time};
    use jiff::Timestamp;

    use super::*;

    fn backup(name: &str, phase: BackupPhase, start: i64) -> Backup {
        let mut backup = Backup::default();
        backup.metadata.name = Some(name.to_owned());
        backup.status = Some(BackupStatus {
            phase: Some(phase),
            start_timestamp: Some(Time(Timestamp::from_second(start).unwrap())),
            ..BackupStatus::default()
        });
        backup
    }

    #[test]
    fn the_latest_usable_backup_is_taken() {
        let backups = [
            backup("old", BackupPhase::Completed, 1),
            backup("young", BackupPhase::PartiallyFailed, 2),
            backup("broken", BackupPhase::Failed, 3),
        ];
        assert_eq!(latest(&backups).as_deref(), Some("young"));
        assert_eq!(latest(&[]), None);
    }
}
