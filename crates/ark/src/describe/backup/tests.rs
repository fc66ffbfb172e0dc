//! The description of a backup as a whole, in both forms.

use std::collections::BTreeMap;

use ark_archive::side::{BackupVolumeInfo, ResultGroup};

use super::*;
use crate::out::style::Style;

fn backup() -> Backup {
    serde_json::from_value(json!({
        "apiVersion": "velero.io/v1",
        "kind": "Backup",
        "metadata": {
            "name": "nightly",
            "namespace": "heptio-ark",
            "labels": {"velero.io/storage-location": "default"},
        },
        "spec": {
            "includedNamespaces": ["shop", "bank"],
            "excludedResources": ["events"],
            "labelSelector": {"matchLabels": {"app": "web"}},
            "storageLocation": "default",
            "ttl": "720h0m0s",
            "hooks": {"resources": [{
                "name": "freeze",
                "pre": [{"exec": {"command": ["fsfreeze", "-f", "/data"], "container": "db"}}],
            }]},
        },
        "status": {
            "phase": "PartiallyFailed",
            "formatVersion": "1.1.0",
            "errors": 2,
            "warnings": 1,
            "progress": {"totalItems": 20, "itemsBackedUp": 18},
            "backupItemOperationsAttempted": 1,
            "backupItemOperationsCompleted": 1,
            "hookStatus": {"hooksAttempted": 2, "hooksFailed": 1},
        },
    }))
    .unwrap()
}

fn beside() -> Beside {
    let errors = ResultGroup {
        cluster: vec!["nodes a: gone".to_owned()],
        namespaces: BTreeMap::from([("shop".to_owned(), vec!["pods shop/x: gone".to_owned()])]),
        ..ResultGroup::default()
    };
    let warnings = ResultGroup {
        velero: vec!["old API".to_owned()],
        ..ResultGroup::default()
    };
    Beside {
        results: Fetched::Found(Results { errors, warnings }),
        resources: Fetched::Found(BTreeMap::from([(
            "v1/Pod".to_owned(),
            vec!["shop/a".to_owned(), "shop/b".to_owned()],
        )])),
        details: true,
        operations: Fetched::Found(vec![operation()]),
        volumes: Fetched::Found(Volumes {
            list: volumes(),
            pieced: false,
        }),
        pod_volumes: Vec::new(),
        deletions: vec![deletion()],
    }
}

fn operation() -> BackupOperation {
    serde_json::from_value(json!({
        "spec": {
            "backupName": "nightly", "backupUID": "u",
            "backupItemAction": "velero.io/csi-pvc-backupper",
            "resourceIdentifier": {
                "Group": "", "Resource": "persistentvolumeclaims", "Namespace": "shop", "Name": "data",
            },
            "operationID": "du-1", "postOperationItems": null,
        },
        "status": {
            "phase": "Completed", "nCompleted": 10, "nTotal": 10, "operationUnits": "Byte",
        },
    }))
    .unwrap()
}

fn volumes() -> Vec<BackupVolumeInfo> {
    serde_json::from_value(json!([
        {
            "pvName": "pv-1", "backupMethod": "NativeSnapshot", "result": "succeeded",
            "nativeSnapshotInfo": {
                "snapshotHandle": "snap-1", "volumeType": "gp3", "volumeAZ": "a", "iops": "3000",
            },
        },
        {
            "pvcNamespace": "shop", "pvcName": "data", "backupMethod": "CSISnapshot",
            "snapshotDataMoved": true, "result": "succeeded",
            "snapshotDataMovementInfo": {
                "operationID": "du-1", "uploaderType": "kopia", "size": 100, "incrementalSize": 10,
            },
        },
    ]))
    .unwrap()
}

fn deletion() -> DeleteBackupRequest {
    serde_json::from_value(json!({
        "apiVersion": "velero.io/v1", "kind": "DeleteBackupRequest",
        "metadata": {"name": "nightly-x"},
        "spec": {"backupName": "nightly"},
        "status": {"phase": "Processed", "errors": ["the bucket is read-only"]},
    }))
    .unwrap()
}

#[test]
fn the_text_shows_everything_in_order() {
    insta::assert_snapshot!(describe(&backup(), &beside()).to_text(Style::plain()));
}

#[test]
fn the_document_has_velero_s_keys() {
    let value = describe(&backup(), &beside()).to_value();
    let labels = &value["metadata"]["labels"];
    assert_eq!(labels["velero.io/storage-location"], "default");
    assert_eq!(value["phase"], "PartiallyFailed");
    assert_eq!(
        value["errors"],
        json!({"velero": [], "cluster": ["nodes a: gone"], "namespace": {"shop": ["pods shop/x: gone"]}})
    );
    assert_eq!(value["warnings"]["namespace"], json!([]));
    assert_eq!(
        value["spec"],
        json!({
            "namespaces": {"included": "shop, bank", "excluded": "<none>"},
            "resources": {"included": "*", "excluded": "events", "clusterScoped": "auto"},
            "labelSelector": "app=web",
            "orLabelSelectors": "<none>",
            "storageLocation": "default",
            "veleroNativeSnapshotPVs": "auto",
            "veleroSnapshotMoveData": "auto",
            "dataMover": "<none>",
            "TTL": "720h0m0s",
            "CSISnapshotTimeout": "0s",
            "itemOperationTimeout": "0s",
            "hooks": {"resources": {"freeze": {
                "namespaces": {"included": "*", "excluded": "<none>"},
                "resources": {"included": "*", "excluded": "<none>"},
                "labelSelector": "<none>",
                "preExecHook": [{
                    "container": "db", "command": "fsfreeze -f /data",
                    "onError:": "Fail", "timeout": "30s",
                }],
                "postExecHook": [],
            }}},
        })
    );
    let status = &value["status"];
    assert_eq!(status["backupFormatVersion"], "1.1.0");
    assert_eq!(status["started"], "<n/a>");
    assert_eq!(status["itemsBackedUp"], 18);
    assert_eq!(
        status["resourceList"]["v1/Pod"],
        json!(["shop/a", "shop/b"])
    );
    let volumes = &status["backupVolumes"];
    assert_eq!(volumes["nativeSnapshots"]["pv-1"]["IOPS"], "3000");
    let moved = &volumes["csiSnapshots"]["shop/data"]["dataMovement"];
    assert_eq!(moved["incrementalSize"], 10);
    assert_eq!(moved["dataMover"], "velero");
    assert_eq!(volumes["podVolumeBackups"], "<none included>");
    let attempts = &value["deletionAttempts"];
    assert_eq!(attempts["failed"], 1);
    let first = &attempts["deleteBackupRequests"][0];
    assert_eq!(first["errors"], json!(["the bucket is read-only"]));
}

#[test]
fn without_details_volumes_are_named_only() {
    let beside = Beside {
        details: false,
        ..beside()
    };
    let value = describe(&backup(), &beside).to_value();
    let volumes = &value["status"]["backupVolumes"];
    assert_eq!(
        volumes["nativeSnapshots"]["pv-1"],
        "specify --details for more information"
    );
    assert_eq!(
        volumes["csiSnapshots"]["shop/data"]["dataMovement"],
        "included, specify --details for more information"
    );
}

#[test]
fn a_queued_backup_tells_its_place() {
    let mut queued = backup();
    queued.status = Some(BackupStatus {
        phase: Some(BackupPhase::Queued),
        queue_position: 3,
        ..BackupStatus::default()
    });
    let text = describe(&queued, &Beside::default()).to_text(Style::plain());
    assert!(
        text.contains("Phase:           Queued\nQueue position:  3\n"),
        "{text}"
    );
    assert!(!text.contains("Errors:"), "{text}");
}

#[test]
fn counts_stand_in_for_results_that_cannot_be_had() {
    let failed = Beside {
        results: Fetched::Failed("no server".to_owned()),
        ..Beside::default()
    };
    let described = describe(&backup(), &failed);
    let text = described.to_text(Style::plain());
    assert!(
        text.contains("Errors:    2 (they could not be fetched: no server)\n"),
        "{text}"
    );
    assert_eq!(
        described.to_value()["errors"]["errorGettingErrors"],
        "no server"
    );
    let absent = Beside {
        results: Fetched::Absent,
        ..Beside::default()
    };
    let value = describe(&backup(), &absent).to_value();
    assert_eq!(value["errors"], json!({"count": 2}));
}
