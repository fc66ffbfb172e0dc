//! CSI snapshots as the objects of the API group `snapshot.storage.k8s.io` that they are:
//! a `VolumeSnapshot` of a claim, its `VolumeSnapshotContent`, and the class that says
//! how. [`body`], [`class`] and [`state`] are pure: what to send, and what answers mean.
//!
//! The rules of these objects are those of the CSI external-snapshotter (its API types
//! and its controllers); the annotations are Velero's.

pub(crate) mod body;
pub(crate) mod class;
pub(crate) mod clear;
pub(crate) mod dispose;
pub(crate) mod group;
pub(crate) mod source;
pub(crate) mod state;

use crate::port::{ApiResource, Cluster, ClusterError, Discovery, ListQuery};

/// API group.
pub(crate) const GROUP: &str = "snapshot.storage.k8s.io";
/// Classes a page.
const CLASSES_PAGE: u32 = 100;
/// `plural.group` of the snapshots.
pub(crate) const SNAPSHOTS: &str = "volumesnapshots.snapshot.storage.k8s.io";
/// `plural.group` of their contents.
pub(crate) const CONTENTS: &str = "volumesnapshotcontents.snapshot.storage.k8s.io";

/// The kinds, as a cluster serves them.
#[derive(Debug, Clone)]
pub(crate) struct Kinds {
    pub snapshots: ApiResource,
    pub contents: ApiResource,
    pub classes: ApiResource,
    /// Those of groups, where the cluster serves them, too.
    pub groups: Option<group::Kinds>,
}

impl Kinds {
    /// `None` where the cluster does not serve them all.
    pub(crate) fn of(discovery: &Discovery) -> Option<Self> {
        let find = |plural: &str| discovery.preferred(plural, GROUP).cloned();
        Some(Self {
            snapshots: find("volumesnapshots")?,
            contents: find("volumesnapshotcontents")?,
            classes: find("volumesnapshotclasses")?,
            groups: group::Kinds::of(discovery),
        })
    }

    /// The classes that there are.
    pub(crate) async fn read_classes(
        &self,
        cluster: &dyn Cluster,
    ) -> Result<Vec<class::Class>, ClusterError> {
        let query = ListQuery::all(self.classes.clone());
        let objects = cluster.list_all(&query, CLASSES_PAGE).await?;
        let values = objects.iter().filter_map(|one| one.to_value().ok());
        Ok(values.map(|class| class::Class::read(&class)).collect())
    }
}

/// Driver and handle of a persistent volume, if it is a CSI volume.
pub(crate) fn volume_of(volume: &serde_json::Value) -> Option<(&str, &str)> {
    let csi = &volume["spec"]["csi"];
    let driver = csi["driver"].as_str().filter(|driver| !driver.is_empty())?;
    Some((driver, csi["volumeHandle"].as_str().unwrap_or_default()))
}
