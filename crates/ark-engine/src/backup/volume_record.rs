//! What became of the data of each volume, as the backup's side files, its counts and
//! its problems tell it. Pure.

mod operation;

use ark_archive::side::{
    BackupOperation, BackupVolumeInfo, CsiSnapshotInfo, NativeSnapshotInfo, VolumeSnapshot,
    VolumeSnapshotPhase, VolumeSnapshotSpec, VolumeSnapshotStatus,
};
use ark_archive::{GroupResource, ItemKey};
use jiff::Timestamp;

use super::snapshot::{Outcome, TakenClaim, TakenClaims, TakenDisk, TakenDisks};
use super::volumes::{Choice, DiskSource, Subject};
use crate::csi::source::METHOD;
use crate::outcome::{Issue, Severity};
use crate::policy::Method;
use crate::port::stamp;

/// The volumes of a backup that has ended.
#[derive(Debug, Default)]
pub(super) struct VolumeRecord {
    /// One entry a volume.
    pub infos: Vec<BackupVolumeInfo>,
    /// Snapshots that were asked for of a cloud.
    pub snapshots: Vec<VolumeSnapshot>,
    /// CSI snapshots that were asked for, as operations that take their time.
    pub operations: Vec<BackupOperation>,
    /// Data that should be in the backup and is not.
    pub issues: Vec<Issue>,
    /// Lines for the log: each volume's method and who chose it.
    pub notes: Vec<String>,
}

impl VolumeRecord {
    /// `backup` is name and UID.
    pub(super) fn new(
        choices: Vec<Choice>,
        (mut disks, mut claims): (TakenDisks, TakenClaims),
        backup: (&str, &str),
    ) -> Self {
        let mut record = Self::default();
        for choice in choices {
            let Subject::Volume { name, .. } = &choice.subject else {
                record.without(&choice);
                continue;
            };
            if let Some(taken) = disks.remove(name) {
                record.disk(&choice, taken, backup);
            } else if let Some(taken) = claims.remove(name) {
                record.claim(&choice, &taken, backup);
            } else {
                record.without(&choice);
            }
        }
        record
    }

    /// How many snapshots of a cloud are of use.
    pub(super) fn completed(&self) -> usize {
        let phases = self.snapshots.iter().map(|one| one.status.phase);
        phases
            .filter(|phase| *phase == Some(VolumeSnapshotPhase::Completed))
            .count()
    }

    fn disk(&mut self, choice: &Choice, taken: TakenDisk, (backup, uid): (&str, &str)) {
        let TakenDisk {
            source: DiskSource { location, disk },
            snapshot,
            outcome,
            begun,
            ended,
        } = taken;
        let made = snapshot.unwrap_or_default();
        let how = format!("a snapshot in location `{location}`");
        let (mut info, phase) = self.ended(choice, &outcome, (begun, ended), (&how, &made.id));
        "NativeSnapshot".clone_into(&mut info.backup_method);
        info.native_snapshot_info = Some(NativeSnapshotInfo {
            snapshot_handle: made.id.clone(),
            volume_type: made.disk_type.clone(),
            volume_az: made.zone.clone(),
            iops: made.iops.map(|iops| iops.to_string()).unwrap_or_default(),
            phase: format!("{phase:?}"),
        });
        self.snapshots.push(VolumeSnapshot {
            spec: VolumeSnapshotSpec {
                backup_name: backup.to_owned(),
                backup_uid: uid.to_owned(),
                location,
                persistent_volume_name: info.pv_name.clone(),
                provider_volume_id: disk.id,
                volume_type: made.disk_type,
                volume_az: made.zone,
                volume_iops: made.iops,
            },
            status: VolumeSnapshotStatus {
                provider_snapshot_id: made.id,
                phase: Some(phase),
            },
        });
        self.infos.push(info);
    }

    fn claim(&mut self, choice: &Choice, taken: &TakenClaim, backup: (&str, &str)) {
        let cut = taken.cut.clone().unwrap_or_default();
        let how = match &taken.group {
            Some(_) => format!("a CSI group snapshot of class `{}`", taken.class),
            None => format!("a CSI snapshot of class `{}`", taken.class),
        };
        let times = (taken.begun, taken.ended);
        let (mut info, phase) = self.ended(choice, &taken.outcome, times, (&how, &cut.handle));
        let operation = operation::of(taken, backup);
        METHOD.clone_into(&mut info.backup_method);
        info.preserve_local_snapshot = true;
        info.csi_snapshot_info = Some(CsiSnapshotInfo {
            snapshot_handle: cut.handle,
            size: cut.bytes,
            driver: taken.source.driver.clone(),
            vsc_name: cut.content,
            operation_id: operation.spec.operation_id.clone(),
            ready_to_use: Some(phase == VolumeSnapshotPhase::Completed),
            volume_group_snapshot_handle: cut.group,
        });
        self.operations.push(operation);
        self.infos.push(info);
    }

    /// What all snapshots have in common; `how` and its handle are for people.
    fn ended(
        &mut self,
        choice: &Choice,
        outcome: &Outcome,
        (begun, ended): (Timestamp, Option<Timestamp>),
        (how, handle): (&str, &str),
    ) -> (BackupVolumeInfo, VolumeSnapshotPhase) {
        let (phase, result) = match outcome {
            Outcome::Completed => (VolumeSnapshotPhase::Completed, "succeeded"),
            Outcome::Failed(_) | Outcome::Pending(_) => (VolumeSnapshotPhase::Failed, "failed"),
        };
        let why = match outcome {
            Outcome::Completed => None,
            Outcome::Failed(why) => Some(why.as_str()),
            Outcome::Pending(_) => Some("its snapshot was not completed in time"),
        };
        if let Some(why) = why {
            self.missed(&choice.subject, why);
        }
        self.notes.push(format!(
            "{}: {how}, {}: {}",
            title(&choice.subject),
            choice.chosen_by,
            why.unwrap_or(handle),
        ));
        let mut info = info(choice);
        result.clone_into(&mut info.result);
        info.start_timestamp = Some(stamp(begun).0.to_string());
        info.completion_timestamp = ended.map(|at| stamp(at).0.to_string());
        (info, phase)
    }

    fn missed(&mut self, subject: &Subject, why: &str) {
        let whose = match subject {
            Subject::OfPod { volume, .. } => format!("the data of its volume `{volume}`"),
            _ => "its data".to_owned(),
        };
        let message = format!("{whose} is not saved: {why}");
        self.issues
            .push(Issue::item(Severity::Error, &key(subject), message));
    }

    /// A volume of which no snapshot was asked for.
    fn without(&mut self, choice: &Choice) {
        let what = match choice.method {
            Method::Skipped => "left out",
            Method::NotWanted => "no snapshot is wanted",
            Method::Snapshot => "to be saved by a snapshot",
            Method::Files => "to be saved as files",
            Method::Custom => "left to another program",
        };
        let has_data = !matches!(choice.subject, Subject::Claim(_));
        let missing = missing(choice.method).filter(|_| has_data);
        if let Some(why) = missing {
            self.missed(&choice.subject, why);
        }
        let reason = match missing {
            Some(why) => format!("{what}, {}: {why}", choice.chosen_by),
            None => format!("{what}, {}", choice.chosen_by),
        };
        self.notes
            .push(format!("{}: {reason}", title(&choice.subject)));
        if !matches!(choice.subject, Subject::OfPod { .. }) {
            self.infos.push(BackupVolumeInfo {
                skipped: true,
                skipped_reason: reason,
                ..info(choice)
            });
        }
    }
}

/// Why data is missing that should be there.
fn missing(method: Method) -> Option<&'static str> {
    match method {
        Method::Snapshot => Some(
            "no snapshot location of the backup knows its disk. Make one for its provider, leave \
             the volume out by a volume policy, or set snapshotVolumes to false",
        ),
        Method::Files => Some("this version does not copy the files of volumes"),
        Method::Custom => Some("a rule leaves it to another program, and this version knows none"),
        Method::Skipped | Method::NotWanted => None,
    }
}

fn info(choice: &Choice) -> BackupVolumeInfo {
    let mut info = BackupVolumeInfo {
        chosen_by: choice.chosen_by.clone(),
        ..BackupVolumeInfo::default()
    };
    let claim = match &choice.subject {
        Subject::Volume {
            name,
            claim,
            info: facts,
        } => {
            info.pv_name.clone_from(name);
            info.pv_info = Some(facts.clone());
            claim.as_ref()
        }
        Subject::Claim(claim) => Some(claim),
        Subject::OfPod { .. } => None,
    };
    if let Some((namespace, name)) = claim {
        info.pvc_namespace.clone_from(namespace);
        info.pvc_name.clone_from(name);
    }
    info
}

fn title(subject: &Subject) -> String {
    match subject {
        Subject::Volume {
            name,
            claim: Some((namespace, claim)),
            ..
        } => format!("volume {name} of claim {namespace}/{claim}"),
        Subject::Volume { name, .. } => format!("volume {name}"),
        Subject::Claim((namespace, name)) => format!("claim {namespace}/{name}"),
        Subject::OfPod {
            pod: (namespace, pod),
            volume,
        } => format!("volume `{volume}` of pod {namespace}/{pod}"),
    }
}

fn key(subject: &Subject) -> ItemKey {
    let (resource, namespace, name) = match subject {
        Subject::Volume { name, .. } => ("persistentvolumes", None, name),
        Subject::Claim((namespace, name)) => ("persistentvolumeclaims", Some(namespace), name),
        Subject::OfPod {
            pod: (namespace, name),
            ..
        } => ("pods", Some(namespace), name),
    };
    ItemKey {
        group_resource: GroupResource {
            resource: resource.to_owned(),
            group: String::new(),
        },
        namespace: namespace.cloned(),
        name: name.clone(),
    }
}
