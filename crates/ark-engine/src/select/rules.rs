//! Which kinds a backup collects, and which may come along with others.
//!
//! The table is Velero's (old filters: `includedResources`, `excludedResources`,
//! `includeClusterResources`; new filters: one pair of lists for cluster-scoped
//! and one for namespaced kinds). One difference is on purpose: a backup without
//! any filter collects everything, cluster-scoped kinds too.

use super::label::LabelFilter;
use super::names::IncludeExclude;
use super::resource::ResourceFilter;
use crate::port::ApiResource;

/// The kinds that hold CSI snapshots. They enter a backup with the volume they
/// belong to, never by listing.
const LISTED_NEVER: &[&str] = &[
    "volumesnapshots.snapshot.storage.k8s.io",
    "volumesnapshotcontents.snapshot.storage.k8s.io",
];

/// How kinds are chosen.
#[derive(Debug, Clone)]
pub enum KindRules {
    /// One pair of lists for all kinds.
    Old {
        /// Included and excluded kinds.
        filter: ResourceFilter,
        /// `includeClusterResources`: unset means *when it makes sense*.
        cluster_resources: Option<bool>,
    },
    /// One pair of lists a scope.
    New {
        /// Cluster-scoped kinds.
        cluster: ResourceFilter,
        /// Whether cluster-scoped kinds are included by name or `*`.
        cluster_included: bool,
        /// Namespaced kinds.
        namespaced: ResourceFilter,
    },
}

/// Everything that decides what a backup holds.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Namespaces in and out.
    pub namespaces: IncludeExclude,
    /// Kinds in and out.
    pub kinds: KindRules,
    /// Labels that listed objects must have.
    pub labels: LabelFilter,
}

impl Selection {
    /// Whether objects of this kind are listed and saved by themselves.
    pub fn collects(&self, resource: &ApiResource) -> bool {
        let name = resource.group_resource();
        if LISTED_NEVER.contains(&name.as_str()) {
            return false;
        }
        match (&self.kinds, resource.namespaced) {
            (KindRules::Old { filter, .. }, true) => filter.allows(&name),
            (
                KindRules::Old {
                    filter,
                    cluster_resources,
                },
                false,
            ) => match cluster_resources {
                Some(wanted) => *wanted && filter.allows(&name),
                None => self.namespaces.is_everything() && filter.allows(&name),
            },
            (KindRules::New { namespaced, .. }, true) => namespaced.allows(&name),
            (
                KindRules::New {
                    cluster,
                    cluster_included,
                    namespaced,
                },
                false,
            ) => {
                if *cluster_included {
                    cluster.allows(&name)
                } else {
                    cluster.is_everything()
                        && namespaced.is_everything()
                        && self.namespaces.is_everything()
                }
            }
        }
    }

    /// Whether an object of this kind may be saved because another refers to it.
    pub fn admits(&self, resource: &ApiResource) -> bool {
        let name = resource.group_resource();
        match (&self.kinds, resource.namespaced) {
            (KindRules::Old { filter, .. }, true) => filter.allows(&name),
            (
                KindRules::Old {
                    filter,
                    cluster_resources,
                },
                false,
            ) => match cluster_resources {
                Some(false) => false,
                Some(true) => !filter.excludes(&name),
                None => filter.allows(&name),
            },
            (KindRules::New { namespaced, .. }, true) => namespaced.allows(&name),
            (KindRules::New { cluster, .. }, false) => !cluster.excludes(&name),
        }
    }

    /// Whether definitions follow their custom resources: they do unless the
    /// filters speak of definitions themselves.
    pub fn definitions_follow(&self) -> bool {
        const CRDS: &str = "customresourcedefinitions.apiextensions.k8s.io";
        let filter = match &self.kinds {
            KindRules::Old { filter, .. } => filter,
            KindRules::New { cluster, .. } => cluster,
        };
        !filter.names(CRDS) && !filter.excludes(CRDS)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::port::Discovery;

    pub(crate) fn resource(group: &str, plural: &str, kind: &str, namespaced: bool) -> ApiResource {
        ApiResource {
            group: group.into(),
            version: "v1".into(),
            plural: plural.into(),
            singular: kind.to_lowercase(),
            kind: kind.into(),
            namespaced,
            verbs: ["create", "delete", "get", "list"].map(String::from).into(),
            short_names: vec![],
            preferred: true,
        }
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    fn old(ns: &[&str], inc: &[&str], exc: &[&str], cluster: Option<bool>) -> Selection {
        let discovery = Discovery::default();
        Selection {
            namespaces: IncludeExclude::new(&names(ns), &[]).unwrap(),
            kinds: KindRules::Old {
                filter: ResourceFilter::resolve(&names(inc), &names(exc), &discovery),
                cluster_resources: cluster,
            },
            labels: LabelFilter::default(),
        }
    }

    fn answers(selection: &Selection) -> (bool, bool, bool) {
        let volumes = resource("", "persistentvolumes", "PersistentVolume", false);
        let pods = resource("", "pods", "Pod", true);
        (
            selection.collects(&volumes),
            selection.admits(&volumes),
            selection.collects(&pods),
        )
    }

    #[test]
    fn cluster_scoped_kinds_follow_the_table() {
        // (collected, admitted with others, pods collected)
        assert_eq!(answers(&old(&[], &[], &[], None)), (true, true, true));
        assert_eq!(
            answers(&old(&["shop"], &[], &[], None)),
            (false, true, true)
        );
        assert_eq!(
            answers(&old(&["shop"], &["pods"], &[], None)),
            (false, false, true)
        );
        assert_eq!(
            answers(&old(&["shop"], &[], &[], Some(true))),
            (true, true, true)
        );
        assert_eq!(
            answers(&old(&["shop"], &["pods"], &[], Some(true))),
            (false, true, true)
        );
        assert_eq!(
            answers(&old(&[], &[], &[], Some(false))),
            (false, false, true)
        );
        assert_eq!(
            answers(&old(&[], &[], &["persistentvolumes"], Some(true))),
            (false, false, true)
        );
    }

    #[test]
    fn snapshots_enter_only_with_their_volumes() {
        let kind = resource(
            "snapshot.storage.k8s.io",
            "volumesnapshots",
            "VolumeSnapshot",
            true,
        );
        assert!(!old(&[], &[], &[], None).collects(&kind));
        assert!(old(&[], &[], &[], None).admits(&kind));
    }

    #[test]
    fn definitions_follow_unless_named() {
        let crds = "customresourcedefinitions.apiextensions.k8s.io";
        assert!(old(&["shop"], &[], &[], None).definitions_follow());
        assert!(!old(&["shop"], &[crds], &[], None).definitions_follow());
        assert!(!old(&["shop"], &[], &[crds], None).definitions_follow());
        assert!(old(&["shop"], &["*"], &[], None).definitions_follow());
    }
}
