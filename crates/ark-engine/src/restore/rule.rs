//! The named rules by which an object of a backup is left out of a restore.
//!
//! A plan and a report count what they leave out by these names, so that
//! "nothing is missing" can be checked. No decisions here.

use std::fmt;

/// Why an object is left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Its kind is never restored: nodes, events, bookkeeping of backups.
    NeverRestored,
    /// The filter on kinds leaves it out.
    ResourceFilter,
    /// The filter on namespaces leaves it out.
    NamespaceFilter,
    /// It is cluster-scoped and such objects are not wanted.
    ClusterScope,
    /// Its labels do not match the selectors.
    LabelSelector,
    /// A pod or job that has run to its end.
    Finished,
    /// The API's picture of a pod that a node runs by itself.
    MirrorPod,
    /// An API service that the API server registers by itself.
    AutomanagedApiService,
    /// A token that was generated for a service account.
    GeneratedToken,
    /// A volume that its storage class makes anew for the claim.
    DynamicVolume,
    /// A custom resource that records a volume's data in the backup.
    VolumeRecord,
}

impl Rule {
    /// The rule as a clause: `left out: <text>`.
    pub fn text(self) -> &'static str {
        match self {
            Self::NeverRestored => "kinds that are never restored",
            Self::ResourceFilter => "kinds that the restore does not include",
            Self::NamespaceFilter => "namespaces that the restore does not include",
            Self::ClusterScope => "cluster-scoped objects that the restore does not include",
            Self::LabelSelector => "labels that the selectors do not match",
            Self::Finished => "pods and jobs that have finished",
            Self::MirrorPod => "mirror pods, which nodes make themselves",
            Self::AutomanagedApiService => "API services that the API server makes itself",
            Self::GeneratedToken => "generated service account tokens",
            Self::DynamicVolume => "volumes that are provisioned anew for their claims",
            Self::VolumeRecord => "records of volume data in the backup",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
