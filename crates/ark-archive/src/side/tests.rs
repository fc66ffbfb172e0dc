//! Side files in the very form that Velero and old Ark wrote them.

use serde_json::json;

use super::*;

fn packed(json: &serde_json::Value) -> Vec<u8> {
    encode(json).unwrap()
}

fn unpacked(bytes: &[u8]) -> String {
    String::from_utf8(gunzip::gunzip(bytes, 1 << 20).unwrap()).unwrap()
}

#[test]
fn documents_end_with_a_newline_and_pack_the_same_each_time() {
    let mut list = ResourceList::new();
    list.insert("v1/Pod".into(), vec!["shop/b".into(), "shop/a".into()]);
    list.insert("apps/v1/Deployment".into(), vec!["shop/web".into()]);
    sort(&mut list);
    let bytes = encode(&list).unwrap();
    assert_eq!(bytes, encode(&list).unwrap());
    assert_eq!(bytes[3..8], [0; 5], "no name, no time");
    assert_eq!(
        unpacked(&bytes),
        "{\"apps/v1/Deployment\":[\"shop/web\"],\"v1/Pod\":[\"shop/a\",\"shop/b\"]}\n"
    );
    assert_eq!(
        decode::<ResourceList>("list", &bytes, 1 << 20).unwrap(),
        list
    );
}

#[test]
fn results_leave_out_what_is_empty_and_take_the_old_key() {
    assert_eq!(
        unpacked(&encode(&Results::default()).unwrap()),
        "{\"errors\":{},\"warnings\":{}}\n"
    );
    let old = json!({
        "errors": {"ark": ["e1"], "velero": ["e0"], "namespaces": {"shop": ["e2"], "x": null}},
        "warnings": {"cluster": ["w"], "namespaces": null},
    });
    let results: Results = decode("results", &packed(&old), 1 << 20).unwrap();
    assert_eq!(results.errors.velero, ["e0", "e1"]);
    assert_eq!(results.errors.namespaces["shop"], ["e2"]);
    assert_eq!(results.warnings.cluster, ["w"]);
    let empty: Results = decode("results", &packed(&json!({})), 1 << 20).unwrap();
    assert_eq!(empty, Results::default());
}

#[test]
fn snapshots_take_both_spellings() {
    let with = |key: &str| {
        json!([{"spec": {"backupName": "b", "backupUID": "u", "location": "l", key: "pv-1",
                         "providerVolumeID": "vol-1", "volumeType": "gp3", "volumeIOPS": 100},
                "status": {"providerSnapshotID": "snap-1", "phase": "Completed"}}])
    };
    let today = with("persistentVolumeName");
    for json in [&today, &with("PersistentVolumeName")] {
        let list: Vec<VolumeSnapshot> = decode("snapshots", &packed(json), 1 << 20).unwrap();
        assert_eq!(list[0].spec.persistent_volume_name, "pv-1");
        assert_eq!(list[0].status.phase, Some(VolumeSnapshotPhase::Completed));
        assert_eq!(serde_json::to_value(&list).unwrap(), today);
    }
}

#[test]
fn operations_name_objects_with_capital_keys() {
    let json = json!([{
        "spec": {"backupName": "b", "backupUID": "u", "backupItemAction": "velero.io/csi",
                 "resourceIdentifier": {"Group": "", "Resource": "persistentvolumeclaims",
                                        "Namespace": "shop", "Name": "data"},
                 "operationID": "op-1", "postOperationItems": null},
        "status": {"phase": "InProgress", "nCompleted": 3, "created": "2026-01-02T03:04:05Z"},
    }]);
    let list: Vec<BackupOperation> = decode("operations", &packed(&json), 1 << 20).unwrap();
    assert_eq!(list[0].spec.resource_identifier.namespace, "shop");
    assert_eq!(list[0].status.phase, Some(OperationPhase::InProgress));
    let mut expected = json;
    expected[0]["spec"]["postOperationItems"] = json!([]);
    assert_eq!(serde_json::to_value(&list).unwrap(), expected);
}

#[test]
fn volume_info_keeps_the_odd_capitals() {
    let json = json!([{
        "pvcName": "data", "pvcNamespace": "shop", "pvName": "pv-1", "backupMethod": "CSISnapshot",
        "snapshotDataMoved": true, "preserveLocalSnapshot": false, "skipped": false,
        "startTimestamp": "2026-01-02T03:04:05Z",
        "csiSnapshotInfo": {"snapshotHandle": "unknown", "size": 1024, "driver": "ebs.csi.aws.com",
                            "vscName": "unknown", "operationID": "unknown", "ReadyToUse": null},
        "snapshotDataMovementInfo": {"dataMover": "velero", "uploaderType": "kopia",
                                     "snapshotHandle": "k1", "operationID": "op", "size": 5,
                                     "Phase": "Completed"},
        "nativeSnapshotInfo": {"snapshotHandle": "s", "volumeType": "gp3", "volumeAZ": "a",
                               "iops": "100", "Phase": "Completed"},
        "pvbInfo": {"uploaderType": "kopia", "volumeName": "v", "podName": "p",
                    "podNamespace": "shop", "Phase": "Completed"},
        "pvInfo": {"reclaimPolicy": "Delete", "labels": {"a": "b"}},
    }]);
    let list: Vec<BackupVolumeInfo> = decode("volumes", &packed(&json), 1 << 20).unwrap();
    assert_eq!(serde_json::to_value(&list).unwrap(), json);
    let minimal: RestoreVolumeInfo = serde_json::from_value(json!({"pvName": "x"})).unwrap();
    assert_eq!(
        serde_json::to_value(&minimal).unwrap(),
        json!({"pvName": "x", "snapshotDataMoved": false})
    );
}

#[test]
fn other_content_is_named() {
    let error = decode::<Results>("b-results.gz", b"plain", 10).unwrap_err();
    assert_eq!(error.to_string(), "cannot unpack b-results.gz");
    let error = decode::<Results>("b-results.gz", &packed(&json!("text")), 100).unwrap_err();
    assert_eq!(error.to_string(), "cannot read b-results.gz");
    let large = packed(&json!({"errors": {"velero": ["x".repeat(1000)]}}));
    assert!(matches!(
        decode::<Results>("r", &large, 100),
        Err(SideError::Unpack { .. })
    ));
}
