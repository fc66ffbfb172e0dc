//! `ark backup create`.

use ark_api::backup::BackupUploaderConfig;
use ark_api::{Backup, BackupSpec, GoDuration, Schedule, TypedLocalObjectReference, label};
use clap::Args;

use crate::args::output::{CreateOutputArgs, MetadataArgs};
use crate::args::scope::{ScopeArgs, check_pair};
use crate::args::value::{Map, boolean, duration, merged, ordered_resources};
use crate::args::wait::WaitArgs;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::{cluster, direct, follow, name, out};

const EXAMPLES: &str = "\
Examples:
  ark backup create nightly --wait
  ark backup create web --selector app=web --ttl 72h
  ark backup create shop --include-namespaces shop,shop-db --exclude-resources events
  ark backup create nightly --direct --to s3://my-backups";

/// Create a backup
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct CreateArgs {
    /// Name of the backup [default with --from-schedule: SCHEDULE-TIME]
    #[arg(required_unless_present = "from_schedule")]
    pub name: Option<String>,

    /// Take everything but the name from this schedule's template
    #[arg(long, value_name = "SCHEDULE")]
    pub from_schedule: Option<String>,

    #[command(flatten)]
    wait: WaitArgs,

    #[command(flatten)]
    direct: DirectArgs,

    #[command(flatten)]
    scope: ScopeArgs,

    #[command(flatten)]
    scoped: ScopedResourceArgs,

    #[command(flatten)]
    volumes: VolumeArgs,

    #[command(flatten)]
    keeping: KeepingArgs,

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
    #[arg(long, requires = "to", conflicts_with_all = ["from_schedule", "wait", "output"])]
    direct: bool,

    /// Where to with --direct: a directory or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "DIR|URL", requires = "direct")]
    to: Option<String>,
}

/// Resources by scope.
#[expect(
    clippy::struct_field_names,
    reason = "the names of the flags are Velero's"
)]
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection by scope (instead of the resource flags above)")]
struct ScopedResourceArgs {
    /// Cluster-scoped resources to include
    #[arg(long, value_delimiter = ',', value_name = "RESOURCES")]
    include_cluster_scoped_resources: Vec<String>,

    /// Cluster-scoped resources to leave out
    #[arg(long, value_delimiter = ',', value_name = "RESOURCES")]
    exclude_cluster_scoped_resources: Vec<String>,

    /// Namespaced resources to include
    #[arg(long, value_delimiter = ',', value_name = "RESOURCES")]
    include_namespace_scoped_resources: Vec<String>,

    /// Namespaced resources to leave out
    #[arg(long, value_delimiter = ',', value_name = "RESOURCES")]
    exclude_namespace_scoped_resources: Vec<String>,
}

/// Volumes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Volumes")]
struct VolumeArgs {
    /// Whether to take snapshots of volumes [default: where possible]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean)]
    snapshot_volumes: Option<bool>,

    /// Whether to move the data of snapshots into the backup location [default: the server's]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean)]
    snapshot_move_data: Option<bool>,

    /// What moves the data of snapshots [default: the built-in one]
    #[arg(long, value_name = "NAME")]
    data_mover: Option<String>,

    /// Whether to back up the files of all pod volumes [default: the server's]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean)]
    default_volumes_to_fs_backup: Option<bool>,

    /// Where snapshots go, one location for each provider
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    volume_snapshot_locations: Vec<String>,

    /// `ConfigMap` with policies that decide on volumes
    #[arg(long, value_name = "NAME")]
    resource_policies_configmap: Option<String>,

    /// How long to wait for a CSI snapshot [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    csi_snapshot_timeout: Option<GoDuration>,

    /// How many files of a volume to read at once [default: one per processor]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i64).range(1..))]
    parallel_files_upload: Option<i64>,
}

/// Where the backup is kept and for how long.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Keeping")]
struct KeepingArgs {
    /// Location to keep the backup in [default: the default location]
    #[arg(long, value_name = "NAME")]
    storage_location: Option<String>,

    /// How long to keep the backup, such as 72h [default: 720h]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    ttl: Option<GoDuration>,

    /// Objects to back up first: `pods=NS/A,NS/B;persistentvolumes=C`
    #[arg(long, value_name = "RESOURCE=NAMES;..", value_parser = ordered_resources)]
    ordered_resources: Vec<Map>,

    /// How long operations of items may go on after the items are collected [default: 4h]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    item_operation_timeout: Option<GoDuration>,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: CreateArgs) -> Result<Exit, CommandError> {
    args.check()?;
    if let Some(to) = &args.direct.to {
        let backup = args.backup(args.name.as_deref().unwrap_or_default(), ctx.namespace());
        return direct::backup(ctx, backup, to).await;
    }
    let backup = match &args.from_schedule {
        Some(schedule) => from_schedule(ctx, &args, schedule).await?,
        None => args.backup(args.name.as_deref().unwrap_or_default(), ctx.namespace()),
    };
    if let Some(format) = args.output.output {
        out::document::print(&ctx.printer, &backup, format)?;
        return Ok(Exit::Done);
    }
    let created = cluster::create(ctx, &backup).await?;
    let name = created.metadata.name.as_deref().unwrap_or_default();
    if args.wait.wait {
        return follow::backup(ctx, name, args.wait.timeout()).await;
    }
    ctx.talk.say(format_args!("Backup `{name}` is requested"));
    ctx.talk.hint(format_args!(
        "follow it with `ark backup describe {name}` or `ark backup logs {name}`"
    ));
    Ok(Exit::Done)
}

async fn from_schedule(
    ctx: &Context,
    args: &CreateArgs,
    schedule: &str,
) -> Result<Backup, CommandError> {
    let schedule: Schedule = cluster::get(ctx, schedule).await?;
    let base = schedule.metadata.name.as_deref().unwrap_or_default();
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| name::timestamped(base, ctx.now()));
    Ok(of_schedule(
        &schedule,
        args.metadata.metadata(&name, ctx.namespace()),
    ))
}

/// The backup that a schedule would make now.
fn of_schedule(schedule: &Schedule, mut metadata: ark_api::ObjectMeta) -> Backup {
    let template = schedule
        .spec
        .template
        .metadata
        .as_ref()
        .map(|template| template.labels.clone());
    let inherited = match template {
        Some(labels) if !labels.is_empty() => labels,
        _ => schedule.metadata.labels.clone().unwrap_or_default(),
    };
    let labels = metadata.labels.get_or_insert_default();
    for (key, value) in inherited {
        labels.entry(key).or_insert(value);
    }
    let name = schedule.metadata.name.clone().unwrap_or_default();
    labels.insert(label::SCHEDULE_NAME.to_owned(), label::valid_value(&name));
    Backup {
        metadata,
        spec: schedule.spec.template.clone(),
        status: None,
    }
}

impl CreateArgs {
    fn check(&self) -> Result<(), CommandError> {
        self.scope.check()?;
        let scoped = &self.scoped;
        check_pair(
            "cluster-scoped-resources",
            &scoped.include_cluster_scoped_resources,
            &scoped.exclude_cluster_scoped_resources,
        )?;
        check_pair(
            "namespace-scoped-resources",
            &scoped.include_namespace_scoped_resources,
            &scoped.exclude_namespace_scoped_resources,
        )?;
        if self.uses_scoped() && self.uses_unscoped() {
            return Err(CommandError::usage(
                "the flags for resources by scope cannot be combined with --include-resources, \
                 --exclude-resources and --include-cluster-resources",
            ));
        }
        Ok(())
    }

    fn uses_scoped(&self) -> bool {
        let scoped = &self.scoped;
        ![
            &scoped.include_cluster_scoped_resources,
            &scoped.exclude_cluster_scoped_resources,
            &scoped.include_namespace_scoped_resources,
            &scoped.exclude_namespace_scoped_resources,
        ]
        .iter()
        .all(|names| names.is_empty())
    }

    fn uses_unscoped(&self) -> bool {
        !self.scope.include_resources.is_empty()
            || !self.scope.exclude_resources.is_empty()
            || self.scope.include_cluster_resources.is_some()
    }

    /// The object that these flags ask for.
    fn backup(&self, name: &str, namespace: &str) -> Backup {
        let (scope, scoped, volumes, keeping) = (
            self.scope.clone(),
            self.scoped.clone(),
            self.volumes.clone(),
            &self.keeping,
        );
        let spec = BackupSpec {
            included_namespaces: scope.include_namespaces.clone(),
            excluded_namespaces: scope.exclude_namespaces.clone(),
            included_resources: scope.include_resources.clone(),
            excluded_resources: scope.exclude_resources.clone(),
            include_cluster_resources: scope.include_cluster_resources,
            included_cluster_scoped_resources: scoped.include_cluster_scoped_resources,
            excluded_cluster_scoped_resources: scoped.exclude_cluster_scoped_resources,
            included_namespace_scoped_resources: scoped.include_namespace_scoped_resources,
            excluded_namespace_scoped_resources: scoped.exclude_namespace_scoped_resources,
            or_label_selectors: scope.any_of(),
            label_selector: scope.selector,
            snapshot_volumes: volumes.snapshot_volumes,
            snapshot_move_data: volumes.snapshot_move_data,
            datamover: volumes.data_mover.unwrap_or_default(),
            default_volumes_to_fs_backup: volumes.default_volumes_to_fs_backup,
            volume_snapshot_locations: volumes.volume_snapshot_locations,
            resource_policy: volumes.resource_policies_configmap.map(config_map),
            csi_snapshot_timeout: volumes.csi_snapshot_timeout,
            uploader_config: volumes.parallel_files_upload.map(|parallel_files_upload| {
                BackupUploaderConfig {
                    parallel_files_upload,
                }
            }),
            storage_location: keeping.storage_location.clone().unwrap_or_default(),
            ttl: keeping.ttl,
            ordered_resources: merged(&keeping.ordered_resources),
            item_operation_timeout: keeping.item_operation_timeout,
            ..BackupSpec::default()
        };
        Backup {
            metadata: self.metadata.metadata(name, namespace),
            spec,
            status: None,
        }
    }
}

/// A reference to a `ConfigMap` in the form that Velero's clients write.
pub(crate) fn config_map(name: String) -> TypedLocalObjectReference {
    TypedLocalObjectReference {
        api_group: None,
        kind: "configmap".to_owned(),
        name,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_template_s_labels_replace_the_schedule_s() {
        let mut schedule = Schedule::default();
        schedule.metadata.name = Some("nightly".to_owned());
        schedule.metadata.labels = Some(BTreeMap::from([("a".to_owned(), "1".to_owned())]));
        let made = of_schedule(&schedule, ark_api::ObjectMeta::default());
        let labels = made.metadata.labels.unwrap();
        assert_eq!(labels["a"], "1");
        assert_eq!(labels[label::SCHEDULE_NAME], "nightly");

        let own = BTreeMap::from([("b".to_owned(), "2".to_owned())]);
        schedule.spec.template.metadata = Some(ark_api::backup::TemplateMetadata { labels: own });
        let labels = of_schedule(&schedule, ark_api::ObjectMeta::default())
            .metadata
            .labels
            .unwrap();
        assert_eq!(
            labels.keys().collect::<Vec<_>>(),
            ["b", label::SCHEDULE_NAME]
        );
    }

    #[test]
    fn the_two_families_of_resource_flags_do_not_mix() {
        let mut args = CreateArgs::default();
        args.scope.include_cluster_resources = Some(true);
        assert!(args.check().is_ok());
        args.scoped.exclude_cluster_scoped_resources = vec!["nodes".to_owned()];
        assert!(args.check().is_err());
    }
}
