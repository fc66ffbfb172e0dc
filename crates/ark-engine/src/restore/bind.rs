//! After the last object: claims whose volumes are made of snapshots get bound.
//!
//! A bound claim's volume gets the labels and the reclaim policy that the old one had,
//! and what the snapshot needed in the cluster goes. A claim that waits for its first pod
//! keeps its snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ark_api::label;
use ark_archive::{GroupResource, ItemKey};
use bytes::Bytes;
use serde_json::{Value, json};

use super::claim::SnapshotMaker;
use crate::csi::body::Policy;
use crate::csi::clear;
use crate::csi::source::ClaimSource;
use crate::job::Job;
use crate::object::Object;
use crate::outcome::{Issue, Severity};
use crate::port::{ApiResource, ListQuery, Patch, Target};
use crate::progress::Part;
use crate::watch::{Follower, Seen};

/// How long a claim may be without a pod before it is left to wait alone.
const FIRST_POD: Duration = Duration::from_secs(15);
/// Events that are looked through for the reason why a claim is not bound.
const EVENTS: u32 = 50;

/// Where the scheduler notes the node of a claim's first pod.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// Claims of this restore by namespace and name in the cluster.
pub(super) type Claims = BTreeMap<(String, String), ClaimSource>;

/// Waits for the claims of one restore.
pub(super) struct Binding<'a> {
    pub job: &'a Job,
    pub maker: &'a SnapshotMaker,
    /// Name of the restore.
    pub restore: &'a str,
    /// How long it may take until all are bound.
    pub timeout: Duration,
}

impl Binding<'_> {
    /// Waits until all are bound, or as long as it makes sense.
    pub(super) async fn wait(&self, mut claims: Claims) {
        if claims.is_empty() {
            return;
        }
        let mut groups: BTreeSet<String> = claims.values().map(|one| one.group.clone()).collect();
        self.follow(&mut claims).await;
        // What is still awaited needs its group.
        groups.retain(|group| !claims.values().any(|one| one.group == *group));
        for group in groups.iter().filter(|group| !group.is_empty()) {
            let cluster = self.job.ports.cluster.as_ref();
            if let Err(why) = self.maker.drop_group(cluster, group).await {
                self.job.warn(format!(
                    "the content of group snapshot {group} may be left behind: {why}"
                ));
            }
        }
    }

    /// Waits; what is not bound at the end is left in `claims`.
    async fn follow(&self, claims: &mut Claims) {
        let count = claims.len();
        self.job.enter(Part::Finalizing);
        self.job
            .stage(format!("waiting for {count} claims to be bound"));
        let ports = &self.job.ports;
        let query = ListQuery {
            label_selector: Some(label::selector(label::RESTORE_NAME, self.restore)),
            ..ListQuery::all(kind())
        };
        let mut follower = Follower::new(ports.cluster.clone(), ports.clock.clone(), query);
        // As they were seen last.
        let mut pending: BTreeMap<(String, String), Value> = BTreeMap::new();
        while !claims.is_empty() && !self.job.cancel.is_cancelled() {
            let late = follower.elapsed() >= self.timeout;
            if late || follower.elapsed() >= FIRST_POD && self.all_wait(claims, &pending).await {
                self.give_up(claims, &pending).await;
                return;
            }
            let seen = tokio::select! {
                seen = follower.next() => seen,
                () = self.job.cancel.cancelled() => return,
            };
            match seen {
                Ok(Seen::All(objects)) => {
                    let listed: BTreeSet<_> = objects.iter().map(key).collect();
                    let gone = claims.extract_if(.., |key, _| !listed.contains(key));
                    gone.for_each(|(key, _)| self.gone(&key));
                    for object in objects {
                        self.look(claims, &mut pending, &object).await;
                    }
                }
                Ok(Seen::Present(object)) => self.look(claims, &mut pending, &object).await,
                Ok(Seen::Gone(object)) => {
                    let key = key(&object);
                    if claims.remove(&key).is_some() {
                        self.gone(&key);
                    }
                }
                Ok(Seen::Quiet) => {}
                Err(error) => {
                    let why = format!("claims cannot be followed until they are bound: {error}");
                    self.job.issue(Issue::job(Severity::Error, why));
                    return;
                }
            }
        }
    }

    async fn look(
        &self,
        claims: &mut Claims,
        pending: &mut BTreeMap<(String, String), Value>,
        object: &Object,
    ) {
        let key = key(object);
        let Some(source) = claims.get(&key) else {
            return;
        };
        let claim = object.to_value().unwrap_or_default();
        match claim["status"]["phase"].as_str() {
            Some("Bound") => {
                let volume = claim["spec"]["volumeName"].as_str().unwrap_or_default();
                self.bound(&key, volume, source).await;
                claims.remove(&key);
            }
            Some("Lost") => {
                self.problem(
                    &key,
                    Severity::Error,
                    "its volume was lost before it was used",
                );
                claims.remove(&key);
            }
            _ => {
                pending.insert(key, claim);
            }
        }
    }

    /// Gives a new volume what its claim does not say, and takes the snapshot's objects
    /// out of the cluster.
    async fn bound(&self, claim: &(String, String), volume: &str, source: &ClaimSource) {
        let cluster = self.job.ports.cluster.as_ref();
        let mut patch = json!({});
        if !source.info.labels.is_empty() {
            patch["metadata"] = json!({"labels": source.info.labels});
        }
        if !source.info.reclaim_policy.is_empty() {
            patch["spec"] = json!({"persistentVolumeReclaimPolicy": source.info.reclaim_policy});
        }
        let resource = ApiResource::v1("", "persistentvolumes", "PersistentVolume", false);
        let target = Target {
            resource: &resource,
            namespace: None,
            name: volume,
        };
        let patch = Patch::Merge(Bytes::from(patch.to_string()));
        if let Err(error) = cluster.patch(target, patch).await {
            let why = format!("its volume {volume} lacks the labels and policy it had: {error}");
            self.problem(claim, Severity::Error, &why);
        }
        let Some(kinds) = self.maker.kinds() else {
            return;
        };
        let name = self.maker.snapshot_of(&claim.0, &claim.1);
        let cleared = clear::one(cluster, kinds, (&claim.0, &name), Policy::Retain).await;
        if let Err(why) = cleared {
            let why = format!("VolumeSnapshot {name} may be left behind: {why}");
            self.problem(claim, Severity::Warning, &why);
        }
    }

    /// Whether all that are left wait for a pod that nobody has scheduled.
    async fn all_wait(&self, claims: &Claims, pending: &BTreeMap<(String, String), Value>) -> bool {
        let mut waiting = BTreeMap::new();
        for key in claims.keys() {
            let Some(claim) = pending.get(key) else {
                return false;
            };
            if claim["metadata"]["annotations"][SELECTED_NODE].is_string() {
                return false;
            }
            let class = claim["spec"]["storageClassName"]
                .as_str()
                .unwrap_or_default();
            if !waiting.contains_key(class) {
                let waits = self.waits_for_pod(class).await;
                waiting.insert(class, waits);
            }
            if !waiting[class] {
                return false;
            }
        }
        true
    }

    async fn waits_for_pod(&self, class: &str) -> bool {
        let resource = ApiResource::v1("storage.k8s.io", "storageclasses", "StorageClass", false);
        let target = Target {
            resource: &resource,
            namespace: None,
            name: class,
        };
        let found = self.job.ports.cluster.get(target).await;
        let class = found.ok().flatten().and_then(|class| class.to_value().ok());
        class.is_some_and(|class| class["volumeBindingMode"] == "WaitForFirstConsumer")
    }

    async fn give_up(&self, claims: &Claims, pending: &BTreeMap<(String, String), Value>) {
        for key in claims.keys() {
            let name = self.maker.snapshot_of(&key.0, &key.1);
            let class = pending
                .get(key)
                .and_then(|claim| claim["spec"]["storageClassName"].as_str());
            let waits = match class {
                Some(class) => self.waits_for_pod(class).await,
                None => false,
            };
            let (severity, why) = if waits {
                (
                    Severity::Warning,
                    format!(
                        "it waits for its first pod; its VolumeSnapshot {name} stays until somebody \
                         deletes it after that"
                    ),
                )
            } else {
                let said = self.last_event(key).await;
                let seconds = self.timeout.as_secs();
                (
                    Severity::Error,
                    format!(
                        "it was not bound within {seconds} s: {said}; its VolumeSnapshot {name} stays"
                    ),
                )
            };
            self.problem(key, severity, &why);
        }
    }

    /// What was last said of a claim that is not bound.
    async fn last_event(&self, (namespace, claim): &(String, String)) -> String {
        let query = ListQuery {
            namespace: Some(namespace.clone()),
            field_selector: Some(format!(
                "involvedObject.kind=PersistentVolumeClaim,involvedObject.name={claim}"
            )),
            ..ListQuery::all(ApiResource::v1("", "events", "Event", true))
        };
        let page = self.job.ports.cluster.list(&query, None, EVENTS).await;
        let events = page.map(|page| page.items).unwrap_or_default();
        let values = events.iter().filter_map(|event| event.to_value().ok());
        let newest = values.max_by_key(|event| event["lastTimestamp"].as_str().map(str::to_owned));
        let said = newest.and_then(|event| event["message"].as_str().map(str::to_owned));
        said.unwrap_or_else(|| "nothing was said about it".to_owned())
    }

    fn gone(&self, claim: &(String, String)) {
        self.problem(
            claim,
            Severity::Warning,
            "it was deleted before it was bound",
        );
    }

    fn problem(&self, (namespace, name): &(String, String), severity: Severity, why: &str) {
        let key = ItemKey {
            group_resource: GroupResource {
                resource: kind().plural,
                group: String::new(),
            },
            namespace: Some(namespace.clone()),
            name: name.clone(),
        };
        self.job.issue(Issue::item(severity, &key, why));
    }
}

fn kind() -> ApiResource {
    ApiResource::v1("", "persistentvolumeclaims", "PersistentVolumeClaim", true)
}

fn key(claim: &Object) -> (String, String) {
    let head = claim.head();
    (
        head.namespace.clone().unwrap_or_default(),
        head.name.clone(),
    )
}
