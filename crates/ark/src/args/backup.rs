//! What a backup holds, where it goes and how long it stays: the flags that backups
//! and schedules have in common.

use ark_api::backup::BackupUploaderConfig;
use ark_api::{BackupSpec, GoDuration, TypedLocalObjectReference};
use clap::Args;

use super::scope::{ScopeArgs, check_pair};
use super::value::{Map, boolean, duration, merged, ordered_resources};
use crate::error::CommandError;

/// The flags behind a backup's spec.
#[derive(Debug, Clone, Default, Args)]
pub struct BackupArgs {
    #[command(flatten)]
    scope: ScopeArgs,

    #[command(flatten)]
    scoped: ScopedResourceArgs,

    #[command(flatten)]
    volumes: VolumeArgs,

    #[command(flatten)]
    keeping: KeepingArgs,
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

impl BackupArgs {
    /// Refuses what cannot mean anything.
    pub fn check(&self) -> Result<(), CommandError> {
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

    /// Whether any of these flags says something.
    pub fn is_given(&self) -> bool {
        let mut spec = self.spec();
        // The default value of the flag.
        spec.included_namespaces.retain(|name| name != "*");
        spec != BackupSpec::default()
    }

    /// The spec that these flags ask for.
    pub fn spec(&self) -> BackupSpec {
        let (scope, scoped, volumes, keeping) = (
            self.scope.clone(),
            self.scoped.clone(),
            self.volumes.clone(),
            &self.keeping,
        );
        BackupSpec {
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
    use super::*;

    #[test]
    fn the_two_families_of_resource_flags_do_not_mix() {
        let mut args = BackupArgs::default();
        assert!(!args.is_given());
        args.scope.include_namespaces = vec!["*".to_owned()];
        assert!(!args.is_given());
        args.scope.include_cluster_resources = Some(true);
        assert!(args.is_given());
        assert!(args.check().is_ok());
        args.scoped.exclude_cluster_scoped_resources = vec!["nodes".to_owned()];
        assert!(args.check().is_err());
    }
}
