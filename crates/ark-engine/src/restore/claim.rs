//! New volumes for claims whose data is in a CSI snapshot.
//!
//! The snapshot's handle from the backup becomes a content and a snapshot in this
//! cluster, of which the claim's storage class makes the volume. Both objects are named
//! after the restore and the claim, so that a restore that died and runs again finds what
//! it made; they go when the claim is bound, see [`super::bind`].

use std::collections::BTreeMap;

use ark_api::label;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use super::apply::{Action, Applier, Outcome, failed, target};
use super::prepare::Prepared;
use crate::csi::body::{self, Named, Policy, Stored};
use crate::csi::class::Class;
use crate::csi::source::ClaimSource;
use crate::csi::{GROUP, Kinds, clear, group};
use crate::object::Object;
use crate::outcome::{Issue, Severity};
use crate::port::{
    ApiResource, Cluster, ClusterError, ClusterErrorKind, CreateOptions, Discovery, Patch, Target,
};
use crate::quantity::raise;

/// What it takes to make volumes of snapshots.
pub(super) struct SnapshotMaker {
    kinds: Option<Kinds>,
    classes: OnceCell<Vec<Class>>,
    restore: String,
    labels: BTreeMap<String, String>,
}

impl SnapshotMaker {
    /// For a restore, by name and UID, in a cluster that serves this.
    pub(super) fn new(discovery: &Discovery, (name, uid): (&str, &str)) -> Self {
        Self {
            kinds: Kinds::of(discovery),
            classes: OnceCell::new(),
            restore: uid.to_owned(),
            labels: [
                (label::RESTORE_NAME.to_owned(), label::valid_value(name)),
                (label::RESTORE_UID.to_owned(), uid.to_owned()),
            ]
            .into(),
        }
    }

    /// The kinds of snapshots, where the cluster serves them.
    pub(super) fn kinds(&self) -> Option<&Kinds> {
        self.kinds.as_ref()
    }

    /// The name of the content that stands for a group while claims are made of its
    /// snapshots.
    fn group_content(&self, group: &str) -> String {
        hex::encode(Sha256::digest(format!("{}/{group}", self.restore)))
    }

    /// Takes the contents of groups away again.
    ///
    /// # Errors
    /// Why one remains, as a sentence.
    pub(super) async fn drop_group(
        &self,
        cluster: &dyn Cluster,
        group: &str,
    ) -> Result<(), String> {
        let Some(groups) = self.kinds.as_ref().and_then(|kinds| kinds.groups.as_ref()) else {
            return Ok(());
        };
        let target = Target {
            resource: &groups.contents,
            namespace: None,
            name: &self.group_content(group),
        };
        let deleted = cluster.delete(target).await;
        deleted.map(drop).map_err(|error| error.to_string())
    }

    /// The name of the snapshot that a claim is made of; no other claim and no other
    /// restore has it.
    pub(super) fn snapshot_of(&self, namespace: &str, claim: &str) -> String {
        let deed = format!("{}/{namespace}/{claim}", self.restore);
        hex::encode(Sha256::digest(deed))
    }
}

impl Applier {
    /// Brings a claim into the cluster whose volume is made of a snapshot. One that
    /// exists is left with the volume that it has.
    ///
    /// # Errors
    /// As [`Applier::apply`].
    pub(super) async fn apply_with_snapshot(
        &self,
        item: &Prepared,
        source: &ClaimSource,
    ) -> Result<Outcome, ClusterError> {
        match self.cluster.get(target(item)).await {
            Ok(Some(live)) if !live.head().deleting => return Ok(self.settle(item, &live).await),
            Err(error) if error.kind == ClusterErrorKind::Unauthorized => return Err(error),
            // The post will tell.
            _ => {}
        }
        let Some(kinds) = self.snapshots.kinds() else {
            return Ok(failed(
                item,
                "its data is in a CSI snapshot, and the cluster does not serve CSI snapshots \
                 (snapshot.storage.k8s.io): install the snapshot controller and the driver, or set \
                 restorePVs to false for an empty volume",
            ));
        };
        let namespace = item.key.namespace.as_deref().unwrap_or_default();
        let name = self.snapshots.snapshot_of(namespace, &item.key.name);
        let claim: Value = serde_json::from_slice(&item.body).unwrap_or_default();
        if let Err(error) = self.bring(kinds, (namespace, &name), source, &claim).await {
            let problem = format!("its snapshot cannot be brought into the cluster: {error}");
            return Ok(failed(item, problem));
        }
        let posted = self.post(&with_snapshot(item, claim, &name, source)).await;
        let made = matches!(&posted, Ok(outcome) if outcome.action == Action::Created);
        if made {
            return posted;
        }
        let cluster = self.cluster.as_ref();
        let left = clear::one(cluster, kinds, (namespace, &name), Policy::Retain).await;
        let mut outcome = posted?;
        if let Err(why) = left {
            let message = format!("VolumeSnapshot {namespace}/{name} may be left behind: {why}");
            let issue = Issue::item(Severity::Warning, &item.key, message);
            outcome.issues.push(issue);
        }
        Ok(outcome)
    }

    /// Makes the content and the snapshot, unless they are there.
    async fn bring(
        &self,
        kinds: &Kinds,
        (namespace, name): (&str, &str),
        source: &ClaimSource,
        claim: &Value,
    ) -> Result<(), ClusterError> {
        let of = Named {
            namespace,
            name,
            labels: &self.snapshots.labels,
        };
        let classes = self.classes(kinds).await?;
        let stored = Stored {
            driver: &source.driver,
            handle: &source.handle,
            class: classes.iter().find(|class| class.driver == source.driver),
            volume_mode: Some(claim["spec"]["volumeMode"].as_str().unwrap_or("Filesystem")),
        };
        if let Some(groups) = kinds.groups.as_ref().filter(|_| !source.group.is_empty()) {
            self.bring_group(groups, of, source).await?;
        }
        let content = body::content(&kinds.contents.version, of, &stored, Policy::Retain);
        self.make(&kinds.contents, None, &content).await?;
        let snapshot = body::of_content(&kinds.snapshots.version, of);
        self.make(&kinds.snapshots, Some(namespace), &snapshot)
            .await
    }

    /// A snapshot of a group gets ready only where a content stands for the group.
    async fn bring_group(
        &self,
        kinds: &group::Kinds,
        of: Named<'_>,
        source: &ClaimSource,
    ) -> Result<(), ClusterError> {
        let name = self.snapshots.group_content(&source.group);
        let of = Named { name: &name, ..of };
        let stored = group::Stored {
            driver: &source.driver,
            group: &source.group,
            snapshots: std::slice::from_ref(&source.handle),
        };
        let content = group::content(&kinds.contents.version, of, &stored, Policy::Retain);
        self.make(&kinds.contents, None, &content).await?;
        let target = Target {
            resource: &kinds.contents,
            namespace: None,
            name: &name,
        };
        let status = Bytes::from(group::has_handle(&source.group).to_string());
        let patched = self.cluster.patch(target, Patch::MergeStatus(status)).await;
        patched.map(drop)
    }

    /// The classes of this cluster, those that this restore brought included.
    async fn classes(&self, kinds: &Kinds) -> Result<&[Class], ClusterError> {
        let list = async || kinds.read_classes(self.cluster.as_ref()).await;
        let classes: &Vec<Class> = self.snapshots.classes.get_or_try_init(list).await?;
        Ok(classes)
    }

    async fn make(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        body: &Value,
    ) -> Result<(), ClusterError> {
        let body = Bytes::from(body.to_string());
        let mut attempt = 1;
        loop {
            let options = CreateOptions::default();
            let made: Result<Object, ClusterError> = self
                .cluster
                .create(resource, namespace, body.clone(), options)
                .await;
            match made {
                Ok(_) => return Ok(()),
                Err(error) if error.kind == ClusterErrorKind::AlreadyExists => return Ok(()),
                Err(error) if error.is_retryable() && attempt < super::apply::ATTEMPTS => {
                    self.wait(attempt, &error).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// The same request for a claim whose volume is made of this snapshot.
fn with_snapshot(item: &Prepared, mut claim: Value, name: &str, source: &ClaimSource) -> Prepared {
    if let Some(spec) = claim["spec"].as_object_mut() {
        spec.remove("volumeName");
        spec.remove("dataSourceRef");
        let snapshot = json!({"apiGroup": GROUP, "kind": "VolumeSnapshot", "name": name});
        spec.insert("dataSource".to_owned(), snapshot);
    }
    if let Some(request) = claim.pointer_mut("/spec/resources/requests/storage") {
        raise(request, source.bytes);
    }
    Prepared {
        body: Bytes::from(claim.to_string()),
        ..item.clone()
    }
}
