//! Claims of one group: one `VolumeGroupSnapshot` for all of them, so that their snapshots
//! show the same instant. Its content says what the storage system calls each; the
//! objects of the single snapshots are not looked at, and belong to the group.

use std::collections::BTreeMap;

use ark_api::label;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{ClaimSnapshots, Cut, PAGE, TakenClaim, World, every};
use crate::backup::snapshot::{Outcome, lock};
use crate::backup::volumes::ClaimSource;
use crate::csi::body::Named;
use crate::csi::{self, Kinds, group};
use crate::port::{Patch, Target};

/// Volumes and their claims.
type Members = Vec<(String, ClaimSource)>;

/// Claims that are snapshotted together.
pub(super) struct Group {
    namespace: String,
    /// The value of the label that they share.
    value: String,
    members: Members,
}

impl ClaimSnapshots<'_> {
    pub(super) async fn group_classes(&self, kinds: &Kinds) -> Vec<group::Class> {
        let Some(groups) = &kinds.groups else {
            return Vec::new();
        };
        let query = every(&groups.classes, None);
        match self.job.ports.cluster.list_all(&query, PAGE).await {
            Ok(objects) => {
                let values = objects.iter().filter_map(|class| class.to_value().ok());
                values.map(|class| group::Class::read(&class)).collect()
            }
            Err(error) => {
                self.job
                    .warn(format!("no group snapshots can be taken: {error}"));
                Vec::new()
            }
        }
    }

    /// Parts claims that are in groups from those that are not. Where the cluster does not
    /// know groups, each is taken alone, and that is told.
    pub(super) fn split(&self, wanted: Members) -> (Vec<Group>, Members) {
        let world = self.world.get();
        let are_known = world.is_some_and(|world| world.kinds.groups.is_some());
        let mut groups: BTreeMap<(String, String), Members> = BTreeMap::new();
        let mut single = Members::new();
        for (volume, source) in wanted {
            let (namespace, claim) = &source.claim;
            match &source.group {
                Some(value) if are_known => {
                    let key = (namespace.clone(), value.clone());
                    groups.entry(key).or_default().push((volume, source));
                }
                Some(value) => {
                    self.job.warn(format!(
                        "claim {namespace}/{claim}: it is in group `{value}`, but the cluster does not serve \
                         group snapshots ({}): its snapshot is taken alone",
                        group::GROUP
                    ));
                    single.push((volume, source));
                }
                None => single.push((volume, source)),
            }
        }
        let group = |((namespace, value), members)| Group {
            namespace,
            value,
            members,
        };
        (groups.into_iter().map(group).collect(), single)
    }

    /// Asks for the snapshots of a group.
    pub(super) async fn begin_group(&self, group: Group) {
        let begun = self.job.ports.clock.now();
        let name = self.name_for(&group.namespace, &group.value);
        let made = match self.group_class(&group) {
            Ok(class) => {
                let made = self.make_group(&group, &name, &class).await;
                made.map(|()| class)
            }
            Err(why) => Err(why),
        };
        for (volume, source) in group.members {
            let (class, outcome) = match &made {
                Ok(class) => (class.clone(), Outcome::Pending(None)),
                Err(why) => (String::new(), Outcome::Failed(why.clone())),
            };
            let taken = TakenClaim {
                snapshot: self.name_for(&source.claim.0, &source.claim.1),
                source,
                class,
                group: Some(name.clone()),
                cut: None,
                outcome,
                begun,
                ended: made.is_err().then(|| self.job.ports.clock.now()),
                complaint: None,
                refused: None,
            };
            lock(&self.taken).insert(volume, taken);
        }
    }

    fn group_class(&self, group: &Group) -> Result<String, String> {
        let classes = self.world.get().map(|world| world.group_classes.as_slice());
        let drivers = group
            .members
            .iter()
            .map(|(_, source)| source.driver.as_str());
        let mut drivers: Vec<&str> = drivers.collect();
        drivers.sort_unstable();
        drivers.dedup();
        let [driver] = drivers.as_slice() else {
            return Err(format!(
                "its group `{}` has volumes of several CSI drivers ({}): a group needs one",
                group.value,
                drivers.join(", ")
            ));
        };
        let mut asked = group.members.iter();
        let asked = asked.find_map(|(_, source)| source.group_class.as_deref());
        let class = group::choose(
            classes.unwrap_or_default(),
            driver,
            asked,
            &self.annotations,
        )?;
        Ok(class.name.clone())
    }

    async fn make_group(&self, group: &Group, name: &str, class: &str) -> Result<(), String> {
        let Some(World { kinds, .. }) = self.world.get() else {
            return Ok(());
        };
        let Some(groups) = &kinds.groups else {
            return Ok(());
        };
        let named = Named {
            namespace: &group.namespace,
            name,
            labels: &self.labels,
        };
        let selector = (self.group_key.as_str(), group.value.as_str());
        let body = group::body(&groups.groups.version, named, selector, class);
        self.post(&groups.groups, &group.namespace, &body).await
    }

    /// Keeps the content of a group that is cut, and notes what the storage system calls
    /// its members.
    pub(super) async fn secure_group(
        &self,
        kinds: &group::Kinds,
        volumes: &[String],
        content: &str,
    ) -> Result<(), String> {
        let target = Target {
            resource: &kinds.contents,
            namespace: None,
            name: content,
        };
        let patch = Patch::Merge(Bytes::from(group::keep(&self.labels).to_string()));
        let kept = self.job.ports.cluster.patch(target, patch).await;
        let kept = kept.map_err(|error| error.to_string())?;
        let kept = kept.to_value().map_err(|error| error.to_string())?;
        let Some((handle, members)) = group::members(&kept) else {
            return Err(format!("its content {content} has no handles yet"));
        };
        let mut taken = lock(&self.taken);
        for volume in volumes {
            let Some(one) = taken.get_mut(volume) else {
                continue;
            };
            let member = members
                .iter()
                .find(|member| member.volume == one.source.volume);
            let Some(member) = member else {
                one.outcome = Outcome::Failed(format!(
                    "its driver took the group's snapshots without it; is its label {} still there?",
                    self.group_key
                ));
                one.ended = Some(self.job.ports.clock.now());
                continue;
            };
            let cut = Cut {
                content: format!("{}-content", one.snapshot),
                handle: member.handle.clone(),
                bytes: member.bytes,
                group: handle.clone(),
            };
            let documents = documents(one, &cut);
            lock(&self.documents).insert(one.source.claim.clone(), documents);
            one.cut = Some(cut);
        }
        Ok(())
    }
}

/// A snapshot and its content as they would be if it had been taken alone: what a restore
/// needs is in them.
fn documents(one: &TakenClaim, cut: &Cut) -> (Value, Value) {
    let (namespace, claim) = &one.source.claim;
    let api_version = format!("{}/v1", csi::GROUP);
    let created = one.begun;
    let snapshot = json!({
        "apiVersion": api_version, "kind": "VolumeSnapshot",
        "metadata": {"namespace": namespace, "name": one.snapshot, "annotations":
            {label::CSI_GROUP_SNAPSHOT_HANDLE: cut.group}},
        "spec": {"source": {"persistentVolumeClaimName": claim}},
        "status": {"boundVolumeSnapshotContentName": cut.content, "readyToUse": true,
            "creationTime": created.to_string(), "restoreSize": cut.bytes.to_string()},
    });
    let content = json!({
        "apiVersion": api_version, "kind": "VolumeSnapshotContent",
        "metadata": {"name": cut.content},
        "spec": {"deletionPolicy": "Retain", "driver": one.source.driver,
            "source": {"volumeHandle": one.source.volume},
            "volumeSnapshotRef": {"namespace": namespace, "name": one.snapshot}},
        "status": {"snapshotHandle": cut.handle, "readyToUse": true, "restoreSize": cut.bytes,
            "volumeGroupSnapshotHandle": cut.group},
    });
    (snapshot, content)
}
