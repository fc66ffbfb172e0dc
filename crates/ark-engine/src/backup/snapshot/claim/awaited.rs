//! Following snapshots, and groups of them, until they show their moment and until they
//! can be used: on one watch each, however many there are.
//!
//! A driver that refuses is told from one that is slow by the code of its answer: a
//! refusal is believed when it lasts, slowness has the time that the backup gives it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::{ClaimSnapshots, Cut, World, every, tell};
use crate::backup::snapshot::{Outcome, lock};
use crate::csi::body::{self, Policy};
use crate::csi::state::{self, State};
use crate::csi::{Kinds, clear, group};
use crate::object::Object;
use crate::port::{ClusterError, Patch, Target};
use crate::watch::{Follower, Seen};

/// How long a driver may go on refusing before it is believed.
const REFUSAL: Duration = Duration::from_secs(10);
/// How far snapshots are awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    Cut,
    Ready,
}

/// What is followed: snapshots, or groups of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Single,
    Group,
}

/// Snapshots and groups by namespace and name, with their volumes.
type Pending = BTreeMap<(String, String), Vec<String>>;

impl ClaimSnapshots<'_> {
    pub(super) async fn await_both(&self, names: &BTreeSet<String>, goal: Goal, timeout: Duration) {
        futures::join!(
            self.await_all(Awaited::Single, names, goal, timeout),
            self.await_all(Awaited::Group, names, goal, timeout)
        );
    }

    /// Follows the snapshots of these volumes until each has got to the goal or failed.
    async fn await_all(
        &self,
        what: Awaited,
        names: &BTreeSet<String>,
        goal: Goal,
        timeout: Duration,
    ) {
        let Some(World { kinds, .. }) = self.world.get() else {
            return;
        };
        let resource = match (what, &kinds.groups) {
            (Awaited::Single, _) => &kinds.snapshots,
            (Awaited::Group, Some(groups)) => &groups.groups,
            (Awaited::Group, None) => return,
        };
        let all = self.pending(what, names, goal).len();
        if all == 0 {
            return;
        }
        let ports = &self.job.ports;
        let (cluster, clock) = (ports.cluster.clone(), ports.clock.clone());
        let query = every(resource, Some(&self.uid));
        let mut follower = Follower::new(cluster, clock, query);
        let (mut told, mut looked) = (usize::MAX, false);
        loop {
            let pending = self.pending(what, names, goal);
            if pending.is_empty() || self.job.cancel.is_cancelled() {
                return;
            }
            if goal == Goal::Ready && told != pending.len() {
                told = pending.len();
                let of = match what {
                    Awaited::Single => "CSI snapshots",
                    Awaited::Group => "CSI group snapshots",
                };
                let done = all - told;
                self.job.stage(format!("{done} of {all} {of} are ready"));
            }
            if looked && follower.elapsed() >= timeout {
                for volume in pending.values().flatten() {
                    let why = self.too_slow(volume, goal, timeout);
                    self.fail(kinds, volume, why).await;
                }
                return;
            }
            let seen = tokio::select! {
                seen = follower.next() => seen,
                () = self.job.cancel.cancelled() => return,
            };
            looked = true;
            if !self.see(kinds, seen, &pending).await {
                follower.again();
            }
        }
    }

    /// Takes in what the watch shows of the pending snapshots; whether all of it could be.
    async fn see(
        &self,
        kinds: &Kinds,
        seen: Result<Seen, ClusterError>,
        pending: &Pending,
    ) -> bool {
        let mut well = true;
        match seen {
            Ok(Seen::All(objects)) => {
                let mut missing = pending.clone();
                for object in objects {
                    if let Some(volumes) = missing.remove(&key(&object)) {
                        well &= self.look(kinds, &volumes, &object).await;
                    }
                }
                for volume in missing.values().flatten() {
                    self.fail(kinds, volume, gone()).await;
                }
            }
            Ok(Seen::Present(object)) => {
                if let Some(volumes) = pending.get(&key(&object)) {
                    well = self.look(kinds, volumes, &object).await;
                }
            }
            Ok(Seen::Gone(object)) => {
                for volume in pending.get(&key(&object)).into_iter().flatten() {
                    self.fail(kinds, volume, gone()).await;
                }
            }
            Ok(Seen::Quiet) => {
                for volume in pending.values().flatten() {
                    if let Some(why) = self.refusal(volume) {
                        self.fail(kinds, volume, why).await;
                    }
                }
            }
            Err(error) => {
                for volume in pending.values().flatten() {
                    let why = format!("its snapshot cannot be followed: {error}");
                    self.fail(kinds, volume, why).await;
                }
            }
        }
        well
    }

    /// Takes in a snapshot, or a group of them, as it is now; `false` if it is to be looked
    /// at again though nothing changes.
    async fn look(&self, kinds: &Kinds, volumes: &[String], object: &Object) -> bool {
        let Ok(snapshot) = object.to_value() else {
            return true;
        };
        let state = state::of(&snapshot);
        // Once it is cut an old complaint stays until it is ready.
        let refuses = state == State::Asked;
        self.note_complaint(volumes, state::complaint(&snapshot), refuses);
        let (State::Cut(content) | State::Ready(content)) = &state else {
            return true;
        };
        let are_cut = {
            let taken = lock(&self.taken);
            let mut all = volumes.iter().filter_map(|volume| taken.get(volume));
            all.all(|one| one.cut.is_some())
        };
        if !are_cut {
            let secured = match (volumes, &kinds.groups) {
                (_, Some(groups)) if object.head().kind == group::KIND => {
                    self.secure_group(groups, volumes, content).await
                }
                ([volume], _) => self.secure(kinds, volume, content, snapshot).await,
                _ => Ok(()),
            };
            if let Err(error) = secured {
                self.note_complaint(volumes, Some(&error), false);
                return false;
            }
        }
        if matches!(state, State::Ready(_)) {
            let mut taken = lock(&self.taken);
            for volume in volumes {
                if let Some(one) = taken.get_mut(volume)
                    && one.cut.is_some()
                {
                    one.outcome = Outcome::Completed;
                    one.ended = Some(self.job.ports.clock.now());
                }
            }
        }
        true
    }

    /// Keeps the content of a snapshot that is cut, whatever happens to the claim, and
    /// notes what the storage system calls it.
    async fn secure(
        &self,
        kinds: &Kinds,
        volume: &str,
        content: &str,
        snapshot: Value,
    ) -> Result<(), String> {
        let target = Target {
            resource: &kinds.contents,
            namespace: None,
            name: content,
        };
        let patch = Patch::Merge(Bytes::from(body::keep(&self.labels).to_string()));
        let kept = self.job.ports.cluster.patch(target, patch).await;
        let kept = kept.map_err(|error| error.to_string())?;
        let kept = kept.to_value().map_err(|error| error.to_string())?;
        let status = &kept["status"];
        let Some(handle) = status["snapshotHandle"].as_str() else {
            return Err(format!("its content {content} has no handle yet"));
        };
        let cut = Cut {
            content: content.to_owned(),
            handle: handle.to_owned(),
            bytes: status["restoreSize"].as_i64().unwrap_or_default(),
            group: String::new(),
        };
        if let Some(taken) = lock(&self.taken).get_mut(volume) {
            taken.cut = Some(cut);
            let claim = taken.source.claim.clone();
            lock(&self.documents).insert(claim, (snapshot, kept));
        }
        Ok(())
    }

    /// The volumes whose snapshots are still on their way to the goal.
    fn pending(&self, what: Awaited, names: &BTreeSet<String>, goal: Goal) -> Pending {
        let taken = lock(&self.taken);
        let mut pending = Pending::new();
        for (volume, one) in taken.iter().filter(|(volume, _)| names.contains(*volume)) {
            let reached = goal == Goal::Cut && one.cut.is_some();
            let name = match (what, &one.group) {
                (Awaited::Single, None) => &one.snapshot,
                (Awaited::Group, Some(group)) => group,
                _ => continue,
            };
            if matches!(one.outcome, Outcome::Pending(_)) && !reached {
                let key = (one.source.claim.0.clone(), name.clone());
                pending.entry(key).or_default().push(volume.clone());
            }
        }
        pending
    }

    /// Notes what is complained of now; without a complaint, that all is well again.
    /// `refuses`: it may mean that there will be no snapshot.
    fn note_complaint(&self, volumes: &[String], complaint: Option<&str>, refuses: bool) {
        let now = self.job.ports.clock.now();
        let refuses = refuses && complaint.is_some_and(state::is_refusal);
        let mut taken = lock(&self.taken);
        for volume in volumes {
            if let Some(one) = taken.get_mut(volume) {
                one.refused = refuses.then(|| one.refused.unwrap_or(now));
                one.complaint = complaint.map(str::to_owned);
            }
        }
    }

    /// Why a snapshot will not come, if its driver has said so for a while.
    fn refusal(&self, volume: &str) -> Option<String> {
        let taken = lock(&self.taken);
        let one = taken.get(volume)?;
        let refusing = self.job.ports.clock.now().duration_since(one.refused?);
        let complaint = one.complaint.as_deref()?;
        let lasts = Duration::try_from(refusing).is_ok_and(|time| time >= REFUSAL);
        lasts.then(|| format!("its CSI driver refuses the snapshot: {complaint}"))
    }

    fn too_slow(&self, volume: &str, goal: Goal, timeout: Duration) -> String {
        let what = match goal {
            Goal::Cut => "taken",
            Goal::Ready => "ready",
        };
        let taken = lock(&self.taken);
        let complaint = taken.get(volume).and_then(|one| one.complaint.as_deref());
        let said = complaint.map_or_else(
            || "its CSI driver reports no error".to_owned(),
            |complaint| format!("the last that was heard of it: {complaint}"),
        );
        let seconds = timeout.as_secs();
        format!("its snapshot was not {what} within {seconds} s; {said}")
    }

    /// Notes a failure, and removes what there is of the snapshot.
    async fn fail(&self, kinds: &Kinds, volume: &str, why: String) {
        let (namespace, snapshot, group) = {
            let mut taken = lock(&self.taken);
            let Some(one) = taken.get_mut(volume) else {
                return;
            };
            one.outcome = Outcome::Failed(why);
            one.ended = Some(self.job.ports.clock.now());
            let namespace = one.source.claim.0.clone();
            (namespace, one.snapshot.clone(), one.group.clone())
        };
        let cluster = self.job.ports.cluster.as_ref();
        let cleared = match (&group, &kinds.groups) {
            (Some(group), Some(groups)) => {
                clear::one_group(cluster, groups, (&namespace, group), Policy::Delete).await
            }
            _ => clear::one(cluster, kinds, (&namespace, &snapshot), Policy::Delete).await,
        };
        tell(self.job, cleared.err().into_iter().collect());
    }
}

fn key(snapshot: &Object) -> (String, String) {
    let head = snapshot.head();
    let namespace = head.namespace.clone().unwrap_or_default();
    (namespace, head.name.clone())
}

fn gone() -> String {
    "its VolumeSnapshot was deleted while it was awaited".to_owned()
}
