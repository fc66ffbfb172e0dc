//! What the disks of every cloud must do, as functions: one property each, run by the
//! tests of a provider against a server.
//!
//! [`conformance_tests!`](crate::conformance_tests) makes a test of each property;
//! a property that is added here is so tested everywhere.
//!
//! # Assumptions
//! The cloud may be shared with other tests and may keep what a property leaves behind.

pub mod request;

use std::collections::BTreeSet;
use std::time::Duration;

use ark_engine::port::{
    Disk, DiskError, DiskErrorKind, DiskRequest, Disks, Snapshot, SnapshotRequest, SnapshotState,
    Tags,
};
use async_trait::async_trait;
use serde_json::{Value, json};

/// The key that the properties look for.
const OWNER: &str = "ark.heptio.com/backup-uid";
/// How long a server for tests may take for a snapshot.
const PATIENCE: Duration = Duration::from_mins(1);
/// Snapshots that are asked for in one call: more than a page has in any cloud's list
/// that names what it wants.
const MANY: usize = 60;

/// The cloud under test.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Its disks.
    fn disks(&self) -> &dyn Disks;
    /// Makes a disk, and for each form in which a `PersistentVolume` can name it such an
    /// object.
    async fn volumes(&self) -> Vec<Value>;
    /// Two zones of one region.
    fn zones(&self) -> [&'static str; 2];
    /// A disk that does not exist.
    fn missing_disk(&self) -> Disk;
    /// The id of a snapshot that does not exist.
    fn missing_snapshot(&self) -> String;
    /// A name that nothing else has: up to 30 lower-case letters, digits and hyphens.
    fn unique_name(&self) -> String;
}

/// A property that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// The cloud answered otherwise than it must.
    #[error("{0}")]
    Answer(String),
    /// A call failed that must not.
    #[error("a call failed that must not")]
    Call(#[from] DiskError),
}

/// What a property says.
pub type Verdict = Result<(), Violation>;

/// One test for each property. The argument is an async function that makes a
/// [`Subject`](crate::conformance::Subject).
#[macro_export]
macro_rules! conformance_tests {
    ($subject:path) => {
        $crate::conformance_tests! { $subject;
            volumes_are_recognised, snapshots_complete, tokens_name_one_deed,
            disks_come_of_snapshots, what_is_gone_is_no_error_to_delete,
            what_is_missing_is_told, many_snapshots_are_seen_at_once,
            volumes_go_with_their_disks,
        }
    };
    ($subject:path; $($property:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $property() {
                let subject = $subject().await;
                let verdict = $crate::conformance::$property(&subject).await;
                verdict.unwrap_or_else(|violation| panic!("{violation:?}"));
            }
        )*
    };
}

/// Fails the property with a message unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(Violation::Answer(format!($($message)+)));
        }
    };
}

/// Each form of a volume names the same disk; volumes of others name none; another disk
/// can be put behind each.
pub async fn volumes_are_recognised(subject: &impl Subject) -> Verdict {
    let disks = subject.disks();
    let mut found = BTreeSet::new();
    for mut volume in subject.volumes().await {
        let disk = known(disks, &volume)?;
        // Its zone may be known to the cloud alone.
        let snapshot = begin(subject, disk.clone(), &subject.unique_name()).await?;
        found.insert((disk.id.clone(), snapshot.zone, snapshot.disk_type));
        let other = Disk {
            id: subject.missing_disk().id,
            zone: disk.zone,
        };
        disks.set_disk(&mut volume, &other);
        let now = known(disks, &volume)?;
        ensure!(now.id == other.id, "set {other:?}, then {now:?}");
    }
    ensure!(found.len() == 1, "one disk, seen as {found:?}");
    for source in [
        json!({"nfs": {"server": "nfs", "path": "/"}}),
        json!({"hostPath": {"path": "/"}}),
        json!({"csi": {"driver": "nfs.csi.k8s.io", "volumeHandle": "vol-0123"}}),
    ] {
        let volume = json!({"metadata": {"name": "pv"}, "spec": source});
        ensure!(
            disks.disk_of(&volume).is_none(),
            "takes {volume} for its own"
        );
    }
    Ok(())
}

/// A snapshot is begun, completed, found by what it was told, and gone when deleted.
pub async fn snapshots_complete(subject: &impl Subject) -> Verdict {
    let (disks, name) = (subject.disks(), subject.unique_name());
    let snapshot = begin(subject, any_disk(subject).await?, &name).await?;
    completed(disks, std::slice::from_ref(&snapshot.id)).await?;
    let found = disks.find_snapshots(OWNER, Some(&name)).await?;
    let [one] = found.as_slice() else {
        return Err(Violation::Answer(format!("one was made: {found:?}")));
    };
    ensure!(one.id == snapshot.id, "made {snapshot:?}, found {one:?}");
    for (key, value) in tags(&name) {
        let own = key == OWNER || key.starts_with("velero.io/");
        ensure!(
            !own || one.tags.get(&key) == Some(&value),
            "{key} is not {value} in {one:?}"
        );
    }
    let all = disks.find_snapshots(OWNER, None).await?;
    ensure!(all.contains(one), "with any value it is not among {all:?}");
    disks.delete_snapshot(&snapshot.id).await?;
    let states = disks.snapshot_states(&[snapshot.id]).await?;
    ensure!(states.is_empty(), "deleted, and yet {states:?}");
    let left = disks.find_snapshots(OWNER, Some(&name)).await?;
    ensure!(left.is_empty(), "deleted, and yet {left:?}");
    Ok(())
}

/// With the same token a snapshot and a disk are made once.
pub async fn tokens_name_one_deed(subject: &impl Subject) -> Verdict {
    let (disks, name) = (subject.disks(), subject.unique_name());
    let disk = any_disk(subject).await?;
    let first = begin(subject, disk.clone(), &name).await?;
    let second = begin(subject, disk, &name).await?;
    ensure!(
        first == second,
        "one token, two answers: {first:?} and {second:?}"
    );
    let found = disks.find_snapshots(OWNER, Some(&name)).await?;
    ensure!(found.len() == 1, "one token, and there are {found:?}");
    completed(disks, std::slice::from_ref(&first.id)).await?;
    let request = disk_request(&first, &name);
    let one = disks.create_disk(&request).await?;
    let two = disks.create_disk(&request).await?;
    ensure!(one == two, "one token, two disks: {one:?} and {two:?}");
    let found = disks.find_disks(OWNER, Some(&name)).await?;
    ensure!(found.len() == 1, "one token, and there are {found:?}");
    Ok(())
}

/// A disk that is made of a snapshot is of its kind and zone, can be found, can itself
/// be behind a volume and be the source of a snapshot.
pub async fn disks_come_of_snapshots(subject: &impl Subject) -> Verdict {
    let (disks, name) = (subject.disks(), subject.unique_name());
    let mut volumes = subject.volumes().await;
    let source = known(disks, &volumes[0])?;
    let snapshot = begin(subject, source.clone(), &name).await?;
    completed(disks, std::slice::from_ref(&snapshot.id)).await?;
    let made = disks.create_disk(&disk_request(&snapshot, &name)).await?;
    ensure!(made.id != source.id, "the disk itself was answered");
    let found = disks.find_disks(OWNER, Some(&name)).await?;
    ensure!(
        found.iter().any(|disk| disk.id == made.id),
        "made {made:?}, found {found:?}"
    );
    for volume in &mut volumes {
        disks.set_disk(volume, &made);
        let now = known(disks, volume)?;
        ensure!(now.id == made.id, "set {made:?}, then {now:?}");
    }
    let again = begin(subject, made.clone(), &subject.unique_name()).await?;
    ensure!(
        (&again.disk_type, &again.zone, again.iops)
            == (&snapshot.disk_type, &snapshot.zone, snapshot.iops),
        "a disk of {snapshot:?} is {again:?}"
    );
    disks.delete_disk(&made).await?;
    let left = disks.find_disks(OWNER, Some(&name)).await?;
    ensure!(left.is_empty(), "deleted, and yet {left:?}");
    Ok(())
}

/// A disk is made in another zone than its snapshot's, and the volume says so.
pub async fn volumes_go_with_their_disks(subject: &impl Subject) -> Verdict {
    let (disks, name) = (subject.disks(), subject.unique_name());
    let [old, new] = subject.zones();
    let snapshot = begin(subject, any_disk(subject).await?, &name).await?;
    completed(disks, std::slice::from_ref(&snapshot.id)).await?;
    let mut request = disk_request(&snapshot, &name);
    new.clone_into(&mut request.zone);
    let made = disks.create_disk(&request).await?;
    ensure!(made.zone == new, "asked for {new}, made {made:?}");
    let key = "topology.kubernetes.io/zone";
    for mut volume in subject.volumes().await {
        volume["metadata"]["labels"][key] = old.into();
        let terms =
            json!([{"matchExpressions": [{"key": key, "operator": "In", "values": [old]}]}]);
        volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"] = terms;
        ensure!(known(disks, &volume)?.zone == old, "{volume} is in {old}");
        disks.set_disk(&mut volume, &made);
        let now = known(disks, &volume)?;
        ensure!(now == made, "set {made:?}, then {now:?}");
        let text = volume.to_string();
        ensure!(
            !text.contains(&format!("\"{old}\"")),
            "{old} is left in {text}"
        );
    }
    Ok(())
}

/// What does not exist, or not any more, is deleted: no error.
pub async fn what_is_gone_is_no_error_to_delete(subject: &impl Subject) -> Verdict {
    let (disks, name) = (subject.disks(), subject.unique_name());
    let snapshot = begin(subject, any_disk(subject).await?, &name).await?;
    disks.delete_snapshot(&snapshot.id).await?;
    disks.delete_snapshot(&snapshot.id).await?;
    disks.delete_snapshot(&subject.missing_snapshot()).await?;
    disks.delete_disk(&subject.missing_disk()).await?;
    Ok(())
}

/// A call on what does not exist says so, and what about.
pub async fn what_is_missing_is_told(subject: &impl Subject) -> Verdict {
    let (disks, name) = (subject.disks(), subject.unique_name());
    let gone = subject.missing_disk();
    let answer = begin(subject, gone.clone(), &name).await;
    told(answer, &gone.id)?;
    let snapshot = Snapshot {
        id: subject.missing_snapshot(),
        ..begin(subject, any_disk(subject).await?, &name).await?
    };
    let request = disk_request(&snapshot, &subject.unique_name());
    told(disks.create_disk(&request).await, &snapshot.id)?;
    let states = disks.snapshot_states(&[snapshot.id]).await?;
    ensure!(states.is_empty(), "missing, and yet {states:?}");
    Ok(())
}

/// The states of many snapshots are asked for in one go, with one that is missing.
pub async fn many_snapshots_are_seen_at_once(subject: &impl Subject) -> Verdict {
    let (disks, owner) = (subject.disks(), subject.unique_name());
    let disk = any_disk(subject).await?;
    let mut ids = Vec::new();
    for number in 0..MANY {
        let request = SnapshotRequest {
            disk: disk.clone(),
            token: format!("{owner}-{number}"),
            tags: tags(&owner),
        };
        ids.push(disks.create_snapshot(&request).await?.id);
    }
    completed(disks, &ids).await?;
    let mut asked = ids.clone();
    asked.push(subject.missing_snapshot());
    let states = disks.snapshot_states(&asked).await?;
    ensure!(states.len() == MANY, "{} of {MANY}", states.len());
    let found = disks.find_snapshots(OWNER, Some(&owner)).await?;
    ensure!(found.len() == MANY, "found {} of {MANY}", found.len());
    for id in &ids {
        disks.delete_snapshot(id).await?;
    }
    Ok(())
}

fn tags(name: &str) -> Tags {
    let tags = [
        (OWNER, name),
        ("velero.io/backup", name),
        ("velero.io/pv", "pvc-0123"),
        ("example.com/Team", "Größe & Co. = 100 %"),
        ("plain", ""),
    ];
    tags.map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

fn known(disks: &dyn Disks, volume: &Value) -> Result<Disk, Violation> {
    let disk = disks.disk_of(volume);
    disk.ok_or_else(|| Violation::Answer(format!("does not know {volume}")))
}

async fn any_disk(subject: &impl Subject) -> Result<Disk, Violation> {
    known(subject.disks(), &subject.volumes().await[0])
}

async fn begin(subject: &impl Subject, disk: Disk, name: &str) -> Result<Snapshot, DiskError> {
    let request = SnapshotRequest {
        disk,
        token: name.to_owned(),
        tags: tags(name),
    };
    subject.disks().create_snapshot(&request).await
}

fn disk_request(snapshot: &Snapshot, name: &str) -> DiskRequest {
    DiskRequest {
        tags: tags(name),
        ..request::disk_of(snapshot, name)
    }
}

async fn completed(disks: &dyn Disks, ids: &[String]) -> Verdict {
    let wait = async {
        loop {
            let states = disks.snapshot_states(ids).await?;
            ensure!(states.len() == ids.len(), "begun, and missing: {states:?}");
            let failed = |state: &&SnapshotState| matches!(state, SnapshotState::Failed(_));
            if let Some(state) = states.values().find(failed) {
                return Err(Violation::Answer(format!("{state:?}")));
            }
            if states
                .values()
                .all(|state| *state == SnapshotState::Completed)
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let ended = tokio::time::timeout(PATIENCE, wait).await;
    ended.unwrap_or_else(|_| Err(Violation::Answer("is not completed".to_owned())))
}

fn told<T: std::fmt::Debug>(answer: Result<T, DiskError>, id: &str) -> Verdict {
    match answer {
        Err(error) if error.kind == DiskErrorKind::NotFound && error.to_string().contains(id) => {
            Ok(())
        }
        other => Err(Violation::Answer(format!(
            "NotFound that names {id} expected, not {other:?}"
        ))),
    }
}
