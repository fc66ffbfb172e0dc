//! Phases: their names, and transitions that lead somewhere.

use std::collections::BTreeSet;

use crate::{download_request::DownloadTargetKind, *};

/// Checks one machine; its `$new` phase is where every object begins.
macro_rules! machine {
    ($phase:ident, $new:ident) => {{
        let name = stringify!($phase);
        let mut reached = BTreeSet::from([$phase::$new.as_str()]);
        let mut open = vec![&$phase::$new];
        while let Some(phase) = open.pop() {
            for next in phase.next() {
                assert_ne!(phase, next, "{name}");
                if reached.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        for phase in $phase::ALL {
            assert!(
                reached.contains(phase.as_str()),
                "{name}: nothing leads to {phase}"
            );
            assert_eq!($phase::from(phase.as_str()), *phase);
            // Once ended, the only thing left is to be deleted.
            let ends = phase.next().iter().all(|next| next.as_str() == "Deleting");
            assert_eq!(phase.is_terminal(), ends, "{name}: {phase}");
        }
        let other = $phase::from("FromTheFuture");
        assert_eq!(
            (other.as_str(), other.is_terminal(), other.next()),
            ("FromTheFuture", false, &[][..])
        );
    }};
}

#[test]
fn every_phase_is_reached_and_only_terminal_ones_end() {
    machine!(BackupPhase, New);
    machine!(RestorePhase, New);
    machine!(SchedulePhase, New);
    machine!(LocationPhase, Available);
    machine!(RepositoryPhase, New);
    machine!(DeleteBackupRequestPhase, New);
    machine!(DownloadRequestPhase, New);
    machine!(ServerStatusRequestPhase, New);
    machine!(MoverPhase, New);
}

#[test]
fn a_backup_may_skip_the_queue_and_the_finalizing() {
    assert!(BackupPhase::New.next().contains(&BackupPhase::InProgress));
    assert!(!BackupPhase::New.next().contains(&BackupPhase::Completed));
    // Without operations on volumes there is nothing to finalize.
    assert!(
        BackupPhase::InProgress
            .next()
            .contains(&BackupPhase::Completed)
    );
}

#[test]
fn names_on_the_wire() {
    let json = serde_json::to_string(&DownloadTargetKind::CsiBackupVolumeSnapshots).unwrap();
    assert_eq!(json, "\"CSIBackupVolumeSnapshots\"");
    assert_eq!(
        format!("{:>6}", AccessMode::Other("x".to_owned())),
        "     x"
    );
}

#[test]
fn an_object_without_a_phase_is_new() {
    let mut backup = Backup::default();
    assert_eq!(backup.phase(), &BackupPhase::New);
    backup.status = serde_json::from_str(r#"{"phase":""}"#).unwrap();
    assert_eq!(backup.phase(), &BackupPhase::New);
    assert_eq!(serde_json::to_string(&backup.status).unwrap(), "{}");
    backup.status = serde_json::from_str(r#"{"phase":"Completed","startTimestamp":null}"#).unwrap();
    assert!(backup.phase().is_terminal());
}

#[test]
fn a_spec_may_be_absent_or_null() {
    for json in [
        r#"{"metadata":{}}"#,
        r#"{"metadata":{},"spec":null}"#,
        r#"{"metadata":{},"spec":{}}"#,
    ] {
        let backup: Backup = serde_json::from_str(json).unwrap();
        assert_eq!(backup.spec, BackupSpec::default(), "{json}");
    }
    assert!(serde_json::from_str::<Schedule>(r#"{"metadata":{}}"#).is_err());
}
