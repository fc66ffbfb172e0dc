//! In which order kinds return: a static table of waves. Pure.
//!
//! Everything of a wave is created at once, a wave begins when the one before
//! has ended. The order is Velero's; kinds that it names one after the other
//! share a wave where neither needs the other (each wave says why). What is in
//! no list needs nothing that an earlier wave has not brought, so all of it is
//! one wave. Last come the guards: kinds that decide over writes to other kinds.
//! A webhook whose backend does not run yet, or a quota whose usage nobody has
//! counted yet, would refuse objects that were fine when they were saved.

use ark_archive::GroupResource;

/// A step of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What the wave brings, for people.
    pub name: &'static str,
    /// The kinds, as `plural.group`.
    pub kinds: &'static [&'static str],
}

/// Kinds without which other kinds do not exist. They have a pass of their own:
/// the rest is planned against what the cluster serves after it.
pub const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Namespaces are made when the first object needs them, see
/// `namespaces`; in the order they only have a place.
pub const NAMESPACES: &str = "namespaces";

/// The waves before [`THE_REST`].
const FIRST: &[Step] = &[
    Step {
        name: "custom resource definitions",
        kinds: &[DEFINITIONS],
    },
    Step {
        name: "namespaces",
        kinds: &[NAMESPACES],
    },
    // Classes of two separate APIs.
    Step {
        name: "storage classes",
        kinds: &[
            "storageclasses.storage.k8s.io",
            "volumesnapshotclasses.snapshot.storage.k8s.io",
        ],
    },
    Step {
        name: "contents of volume snapshots",
        kinds: &["volumesnapshotcontents.snapshot.storage.k8s.io"],
    },
    // Records of moved data and snapshots do not name each other.
    Step {
        name: "volume snapshots",
        kinds: &[
            "volumesnapshots.snapshot.storage.k8s.io",
            "datauploads.velero.io",
        ],
    },
    Step {
        name: "persistent volumes",
        kinds: &["persistentvolumes"],
    },
    Step {
        name: "persistent volume claims",
        kinds: &["persistentvolumeclaims"],
    },
    // Only bindings join roles and accounts.
    Step {
        name: "roles and service accounts",
        kinds: &[
            "clusterroles.rbac.authorization.k8s.io",
            "roles.rbac.authorization.k8s.io",
            "serviceaccounts",
        ],
    },
    // Both need the roles, neither the other.
    Step {
        name: "role bindings",
        kinds: &[
            "clusterrolebindings.rbac.authorization.k8s.io",
            "rolebindings.rbac.authorization.k8s.io",
        ],
    },
    // Tokens among the secrets need their accounts; pods need all of these.
    Step {
        name: "secrets, config maps and limits",
        kinds: &[
            "secrets",
            "configmaps",
            "limitranges",
            "priorityclasses.scheduling.k8s.io",
        ],
    },
    // Before their controllers, which would make new pods otherwise.
    Step {
        name: "pods",
        kinds: &["pods"],
    },
    // Taken over by controllers of later waves, as pods are. Cluster classes and
    // endpoints have nothing to do with either.
    Step {
        name: "replica sets, revisions and endpoints",
        kinds: &[
            "replicasets.apps",
            "controllerrevisions.apps",
            "clusterclasses.cluster.x-k8s.io",
            "endpoints",
        ],
    },
    Step {
        name: "services",
        kinds: &["services"],
    },
];

/// The wave of all kinds that no list names.
const THE_REST: Step = Step {
    name: "everything else",
    kinds: &[],
};

/// The waves after it: kinds whose controllers act on what they find.
const LAST: &[Step] = &[
    Step {
        name: "cluster bootstraps",
        kinds: &["clusterbootstraps.run.tanzu.vmware.com"],
    },
    Step {
        name: "clusters",
        kinds: &["clusters.cluster.x-k8s.io"],
    },
    Step {
        name: "cluster resource sets",
        kinds: &["clusterresourcesets.addons.cluster.x-k8s.io"],
    },
    Step {
        name: "apps",
        kinds: &["apps.kappctrl.k14s.io"],
    },
    Step {
        name: "package installs",
        kinds: &["packageinstalls.packaging.carvel.dev"],
    },
    Step {
        name: "quotas, webhooks and API services",
        kinds: &[
            "resourcequotas",
            "validatingwebhookconfigurations.admissionregistration.k8s.io",
            "mutatingwebhookconfigurations.admissionregistration.k8s.io",
            "validatingadmissionpolicybindings.admissionregistration.k8s.io",
            "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
            "apiservices.apiregistration.k8s.io",
        ],
    },
];

/// All waves, first to last.
pub fn steps() -> impl Iterator<Item = Step> {
    FIRST
        .iter()
        .copied()
        .chain([THE_REST])
        .chain(LAST.iter().copied())
}

/// Number of the wave that a kind belongs to, in [`steps`].
pub fn wave_of(kind: &GroupResource) -> usize {
    let name = kind.to_string();
    steps()
        .position(|step| step.kinds.contains(&name.as_str()))
        .unwrap_or(FIRST.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn wave(kind: &str) -> usize {
        wave_of(&kind.parse().unwrap())
    }

    /// Velero's default order of priorities; what it has no name for is `*`.
    const VELERO: &[&str] = &[
        "customresourcedefinitions.apiextensions.k8s.io",
        "namespaces",
        "storageclasses.storage.k8s.io",
        "volumesnapshotclasses.snapshot.storage.k8s.io",
        "volumesnapshotcontents.snapshot.storage.k8s.io",
        "volumesnapshots.snapshot.storage.k8s.io",
        "datauploads.velero.io",
        "persistentvolumes",
        "persistentvolumeclaims",
        "clusterroles.rbac.authorization.k8s.io",
        "roles.rbac.authorization.k8s.io",
        "serviceaccounts",
        "clusterrolebindings.rbac.authorization.k8s.io",
        "rolebindings.rbac.authorization.k8s.io",
        "secrets",
        "configmaps",
        "limitranges",
        "priorityclasses.scheduling.k8s.io",
        "pods",
        "replicasets.apps",
        "clusterclasses.cluster.x-k8s.io",
        "endpoints",
        "services",
        "widgets.example.com",
        "clusterbootstraps.run.tanzu.vmware.com",
        "clusters.cluster.x-k8s.io",
        "clusterresourcesets.addons.cluster.x-k8s.io",
        "apps.kappctrl.k14s.io",
        "packageinstalls.packaging.carvel.dev",
    ];

    #[test]
    fn the_waves_never_turn_the_known_order_around() {
        let waves: Vec<usize> = VELERO.iter().map(|kind| wave(kind)).collect();
        assert!(waves.is_sorted(), "{waves:?}");
    }

    #[test]
    fn what_is_needed_comes_before_what_needs_it() {
        for (first, then) in [
            (
                "customresourcedefinitions.apiextensions.k8s.io",
                "widgets.example.com",
            ),
            ("namespaces", "serviceaccounts"),
            ("storageclasses.storage.k8s.io", "persistentvolumeclaims"),
            ("persistentvolumes", "persistentvolumeclaims"),
            ("persistentvolumeclaims", "pods"),
            ("serviceaccounts", "secrets"),
            ("serviceaccounts", "pods"),
            (
                "roles.rbac.authorization.k8s.io",
                "rolebindings.rbac.authorization.k8s.io",
            ),
            (
                "clusterroles.rbac.authorization.k8s.io",
                "rolebindings.rbac.authorization.k8s.io",
            ),
            ("priorityclasses.scheduling.k8s.io", "pods"),
            ("pods", "replicasets.apps"),
            ("replicasets.apps", "deployments.apps"),
            ("controllerrevisions.apps", "statefulsets.apps"),
            ("endpoints", "services"),
            (
                "deployments.apps",
                "validatingwebhookconfigurations.admissionregistration.k8s.io",
            ),
            (
                "packageinstalls.packaging.carvel.dev",
                "apiservices.apiregistration.k8s.io",
            ),
            ("statefulsets.apps", "resourcequotas"),
        ] {
            assert!(wave(first) < wave(then), "{first} before {then}");
        }
    }

    #[test]
    fn no_kind_is_in_two_waves() {
        let all: Vec<_> = steps().flat_map(|step| step.kinds).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!(steps().filter(|step| step.kinds.is_empty()).count(), 1);
    }
}
