//! CSI snapshots as operations that outlast the collecting of objects. Pure.

use ark_archive::side::{
    BackupOperation, BackupOperationSpec, OperationPhase, OperationStatus, ResourceIdentifier,
};

use crate::backup::snapshot::{Outcome, TakenClaim};
use crate::csi::GROUP;
use crate::port::stamp;

/// A CSI snapshot as Velero's plugin that takes them reports it.
pub(super) fn of(taken: &TakenClaim, (backup, uid): (&str, &str)) -> BackupOperation {
    let namespace = taken.source.claim.0.as_str();
    let identifier = |resource: &str, namespace: &str, name: &str| ResourceIdentifier {
        group: GROUP.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    let snapshot = identifier("volumesnapshots", namespace, &taken.snapshot);
    let content = taken.cut.iter();
    let content = content.map(|cut| identifier("volumesnapshotcontents", "", &cut.content));
    let items = std::iter::once(snapshot.clone()).chain(content).collect();
    let begun = stamp(taken.begun);
    let (phase, error) = match &taken.outcome {
        Outcome::Completed => (OperationPhase::Completed, String::new()),
        Outcome::Failed(why) => (OperationPhase::Failed, why.clone()),
        Outcome::Pending(_) => (
            OperationPhase::Failed,
            "it was not ready in time".to_owned(),
        ),
    };
    BackupOperation {
        spec: BackupOperationSpec {
            backup_name: backup.to_owned(),
            backup_uid: uid.to_owned(),
            backup_item_action: "velero.io/csi-volumesnapshot-backupper".to_owned(),
            resource_identifier: snapshot,
            operation_id: format!("{namespace}/{}/{}", taken.snapshot, begun.0),
            post_operation_items: items,
        },
        status: OperationStatus {
            phase: Some(phase),
            error,
            created: Some(begun.0.to_string()),
            started: Some(begun.0.to_string()),
            updated: taken.ended.map(|at| stamp(at).0.to_string()),
            ..OperationStatus::default()
        },
    }
}
