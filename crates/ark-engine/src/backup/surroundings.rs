//! What validation must know besides the backup itself: plain values, gathered
//! here so that validation stays pure.

use std::collections::BTreeMap;

use ark_api::{BackupSpec, BackupStorageLocation, VolumeSnapshotLocation, label};
use k8s_openapi::api::core::v1::ConfigMap;

use crate::object::{Head, Object};
use crate::policy::NamespaceLabels;
use crate::port::{ApiResource, Cluster, ClusterError, ClusterErrorKind, ListQuery, Target};

/// Namespaces a page.
const PAGE: u32 = 500;

/// What a backup is validated against.
#[derive(Debug, Clone, Default)]
pub struct Surroundings<'a> {
    /// The storage locations that there are.
    pub locations: &'a [BackupStorageLocation],
    /// The snapshot locations that there are.
    pub snapshot_locations: &'a [VolumeSnapshotLocation],
    /// Namespaces that a label of theirs keeps out of backups.
    pub excluded_namespaces: Vec<String>,
    /// Labels of all namespaces, which policies may choose by; only known if the
    /// backup names policies.
    pub namespaces: NamespaceLabels,
    /// Data of the `ConfigMap` that the backup's `resourcePolicy` names, if both
    /// exist.
    pub policy_data: Option<BTreeMap<String, String>>,
}

impl<'a> Surroundings<'a> {
    /// Only locations: nothing else is known.
    pub fn of_locations(locations: &'a [BackupStorageLocation]) -> Self {
        Self {
            locations,
            ..Self::default()
        }
    }

    /// Looks into the cluster. `namespace` is the one that has the policies.
    ///
    /// # Errors
    /// What the cluster answers; without it nothing can be said of the backup.
    pub async fn look(
        cluster: &dyn Cluster,
        namespace: &str,
        spec: &BackupSpec,
        locations: &'a [BackupStorageLocation],
    ) -> Result<Self, ClusterError> {
        let hidden = format!("{}=true", label::EXCLUDE_FROM_BACKUP);
        let hidden = namespaces(cluster, Some(hidden)).await?;
        let mut around = Self {
            excluded_namespaces: hidden.into_iter().map(|head| head.name).collect(),
            ..Self::of_locations(locations)
        };
        if let Some(reference) = &spec.resource_policy {
            let all = namespaces(cluster, None).await?;
            around.namespaces = all.into_iter().map(|one| (one.name, one.labels)).collect();
            around.policy_data = data(cluster, namespace, &reference.name).await?;
        }
        Ok(around)
    }
}

async fn namespaces(
    cluster: &dyn Cluster,
    label_selector: Option<String>,
) -> Result<Vec<Head>, ClusterError> {
    let query = ListQuery {
        resource: ApiResource::namespaces(),
        namespace: None,
        label_selector,
        field_selector: None,
        at: None,
    };
    let mut heads = Vec::new();
    let mut see = |namespace: Object| heads.push(namespace.head().clone());
    cluster.list_each(&query, PAGE, &mut see).await?;
    Ok(heads)
}

async fn data(
    cluster: &dyn Cluster,
    namespace: &str,
    name: &str,
) -> Result<Option<BTreeMap<String, String>>, ClusterError> {
    let target = Target {
        resource: &ApiResource::v1("", "configmaps", "ConfigMap", true),
        namespace: Some(namespace),
        name,
    };
    let Some(object) = cluster.get(target).await? else {
        return Ok(None);
    };
    let object: ConfigMap =
        serde_json::from_slice(&object.json()).map_err(|error| ClusterError {
            kind: ClusterErrorKind::Malformed,
            operation: format!("get {target}"),
            message: error.to_string(),
            retry_after: None,
        })?;
    Ok(Some(object.data.unwrap_or_default()))
}
