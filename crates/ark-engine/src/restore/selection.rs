//! Which objects of a backup a restore is about, by their keys. Pure; labels,
//! which only the objects themselves have, are checked when they are loaded.

use ark_api::RestoreSpec;
use ark_archive::ItemKey;

use super::Rule;
use super::order::NAMESPACES;
use crate::csi;
use crate::port::Discovery;
use crate::select::{IncludeExclude, ResourceFilter};

/// Kinds that are never restored: they describe a cluster's own machines, its
/// history, or the bookkeeping of backups.
pub const NEVER: &[&str] = &[
    "nodes",
    "events",
    "events.events.k8s.io",
    "backups.velero.io",
    "restores.velero.io",
    "resticrepositories.velero.io",
    "csinodes.storage.k8s.io",
    "volumeattachments.storage.k8s.io",
    "backuprepositories.velero.io",
];

/// Records of volume data in the backup: they tell where the data of claims is, and are
/// not objects to have in a cluster again.
const RECORDS: &[&str] = &["datauploads.velero.io", csi::SNAPSHOTS, csi::CONTENTS];

/// The filters of one restore, with names of kinds resolved.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    kinds: ResourceFilter,
    namespaces: IncludeExclude,
    cluster_scoped: Option<bool>,
}

impl Selection {
    /// Resolves the kinds that the spec names through what the cluster serves.
    pub(crate) fn new(
        spec: &RestoreSpec,
        namespaces: &IncludeExclude,
        discovery: &Discovery,
    ) -> Self {
        Self {
            kinds: ResourceFilter::resolve(
                &spec.included_resources,
                &spec.excluded_resources,
                discovery,
            ),
            namespaces: namespaces.clone(),
            cluster_scoped: spec.include_cluster_resources,
        }
    }

    /// Whether the restore selects an object by itself.
    pub(crate) fn selects(&self, key: &ItemKey, kind: &str) -> Result<(), Rule> {
        self.admits(key, kind)?;
        let unwanted = self.cluster_scoped.is_none() && !self.namespaces.is_everything();
        if key.namespace.is_none() && kind != NAMESPACES && unwanted {
            return Err(Rule::ClusterScope);
        }
        Ok(())
    }

    /// Whether an object that another one needs may be restored: cluster-scoped
    /// ones may, unless they are explicitly unwanted.
    pub(crate) fn admits(&self, key: &ItemKey, kind: &str) -> Result<(), Rule> {
        if NEVER.contains(&kind) {
            return Err(Rule::NeverRestored);
        }
        if RECORDS.contains(&kind) {
            return Err(Rule::VolumeRecord);
        }
        if !self.kinds.allows(kind) {
            return Err(Rule::ResourceFilter);
        }
        // A namespace lies in itself, as far as filters go.
        let home = match &key.namespace {
            Some(namespace) => Some(namespace),
            None if kind == NAMESPACES => Some(&key.name),
            None => None,
        };
        match home {
            Some(home) if !self.namespaces.allows(home) => Err(Rule::NamespaceFilter),
            None if self.cluster_scoped == Some(false) => Err(Rule::ClusterScope),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selection(spec: serde_json::Value) -> Selection {
        let spec: RestoreSpec = serde_json::from_value(spec).unwrap();
        let namespaces =
            IncludeExclude::new(&spec.included_namespaces, &spec.excluded_namespaces).unwrap();
        Selection::new(&spec, &namespaces, &Discovery::default())
    }

    fn key(kind: &str, namespace: Option<&str>, name: &str) -> ItemKey {
        ItemKey {
            group_resource: kind.parse().unwrap(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    #[test]
    fn cluster_scope_follows_the_namespace_filter_unless_told_otherwise() {
        let volume = key("persistentvolumes", None, "v");
        let namespace = key("namespaces", None, "shop");
        for (spec, selects, admits) in [
            (json!({}), Ok(()), Ok(())),
            (
                json!({"includedNamespaces": ["shop"]}),
                Err(Rule::ClusterScope),
                Ok(()),
            ),
            (
                json!({"excludedNamespaces": ["bank"]}),
                Err(Rule::ClusterScope),
                Ok(()),
            ),
            (
                json!({"includedNamespaces": ["shop"], "includeClusterResources": true}),
                Ok(()),
                Ok(()),
            ),
            (
                json!({"includeClusterResources": false}),
                Err(Rule::ClusterScope),
                Err(Rule::ClusterScope),
            ),
        ] {
            let selection = selection(spec.clone());
            assert_eq!(
                selection.selects(&volume, "persistentvolumes"),
                selects,
                "{spec}"
            );
            assert_eq!(
                selection.admits(&volume, "persistentvolumes"),
                admits,
                "{spec}"
            );
            assert_eq!(
                selection.selects(&namespace, "namespaces"),
                Ok(()),
                "{spec}"
            );
        }
    }

    #[test]
    fn each_filter_gives_its_rule() {
        let selection = selection(json!({
            "includedNamespaces": ["shop*"], "excludedResources": ["secrets"],
        }));
        let of = |kind: &str, namespace: Option<&str>| {
            selection.selects(&key(kind, namespace, "x"), kind)
        };
        assert_eq!(of("pods", Some("shop-1")), Ok(()));
        assert_eq!(of("pods", Some("bank")), Err(Rule::NamespaceFilter));
        assert_eq!(of("namespaces", None), Err(Rule::NamespaceFilter));
        assert_eq!(of("secrets", Some("shop-1")), Err(Rule::ResourceFilter));
        assert_eq!(of("events", Some("shop-1")), Err(Rule::NeverRestored));
        assert_eq!(
            of("datauploads.velero.io", Some("shop-1")),
            Err(Rule::VolumeRecord)
        );
    }
}
