//! What validation must know besides the backup itself: plain values, gathered
//! here so that validation stays pure.

use std::collections::BTreeMap;

use ark_api::{BackupSpec, BackupStorageLocation, label};
use k8s_openapi::api::core::v1::ConfigMap;

use crate::port::{ApiResource, Cluster, ClusterError, ClusterErrorKind, ListQuery, Target};

/// Namespaces a page.
const PAGE: u32 = 500;

/// What a backup is validated against.
#[derive(Debug, Clone, Default)]
pub struct Surroundings<'a> {
    /// The storage locations that there are.
    pub locations: &'a [BackupStorageLocation],
    /// Namespaces that a label of theirs keeps out of backups.
    pub excluded_namespaces: Vec<String>,
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
        let policies = spec.resource_policy.as_ref();
        Ok(Self {
            locations,
            excluded_namespaces: excluded_namespaces(cluster).await?,
            policy_data: match policies {
                Some(reference) => data(cluster, namespace, &reference.name).await?,
                None => None,
            },
        })
    }
}

async fn excluded_namespaces(cluster: &dyn Cluster) -> Result<Vec<String>, ClusterError> {
    let query = ListQuery {
        resource: ApiResource::namespaces(),
        namespace: None,
        label_selector: Some(format!("{}=true", label::EXCLUDE_FROM_BACKUP)),
        field_selector: None,
        at: None,
    };
    let mut names = Vec::new();
    let mut token = None;
    loop {
        let page = cluster.list(&query, token.as_deref(), PAGE).await?;
        names.extend(page.items.iter().map(|one| one.head().name.clone()));
        match page.next {
            Some(next) => token = Some(next),
            None => return Ok(names),
        }
    }
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
