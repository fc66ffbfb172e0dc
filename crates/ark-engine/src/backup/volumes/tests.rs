//! What is decided of volumes, and what the record then says of them.

use serde_json::json;

use super::super::volume_record::VolumeRecord;
use super::*;

fn policies(rules: &str) -> ResourcePolicies {
    let text = format!("version: v1\nvolumePolicies: {rules}");
    ResourcePolicies::read("rules", &[("k".to_owned(), text)].into()).unwrap()
}

fn volumes(policies: &ResourcePolicies) -> Volumes {
    let none = SnapshotLocations::default();
    let mut volumes = Volumes::default();
    let disk = |name: &str, class: &str| {
        json!({"metadata": {"name": name, "labels": {"l": "v"}}, "spec": {
            "storageClassName": class, "capacity": {"storage": "1Gi"}, "persistentVolumeReclaimPolicy": "Retain",
            "csi": {"driver": "d"}, "claimRef": {"namespace": "shop", "name": format!("claim-{name}")}}})
    };
    let claim = |name: &str, volume: &str| {
        json!({"metadata": {"namespace": "shop", "name": name, "labels": {"app": name}},
               "spec": {"volumeName": volume}, "status": {"phase": if volume.is_empty() {"Pending"} else {"Bound"}}})
    };
    let pod = json!({"metadata": {"namespace": "shop", "name": "web", "annotations": {"backup.velero.io/backup-volumes": "b,cache"}},
        "spec": {"volumes": [{"name": "b", "persistentVolumeClaim": {"claimName": "claim-b"}}, {"name": "cache", "emptyDir": {}}]}});
    volumes.see("pods", &pod, policies, &none);
    for (name, class) in [("a", "scratch"), ("b", "gold"), ("c", "gold")] {
        volumes.see("persistentvolumes", &disk(name, class), policies, &none);
        let claim = claim(&format!("claim-{name}"), name);
        volumes.see("persistentvolumeclaims", &claim, policies, &none);
    }
    volumes.see(
        "persistentvolumeclaims",
        &claim("waiting", ""),
        policies,
        &none,
    );
    volumes
}

fn record(policies: &ResourcePolicies, snapshot_volumes: Option<bool>) -> VolumeRecord {
    let choices = volumes(policies).decide(policies, snapshot_volumes, "group");
    VolumeRecord::new(choices, Default::default(), ("b", "uid"))
}

fn missed(record: &VolumeRecord) -> Vec<&str> {
    let issues = record.issues.iter();
    issues
        .map(|issue| issue.message.split(": ").next().unwrap())
        .collect()
}

#[test]
fn without_rules_everything_unsaved_is_an_error_and_recorded() {
    let none = ResourcePolicies::default();
    let all = record(&none, None);
    insta::assert_yaml_snapshot!(all.infos);
    insta::assert_yaml_snapshot!(all.notes);
    assert_eq!(
        missed(&all),
        [
            "persistentvolumes a",
            "persistentvolumes b",
            "persistentvolumes c",
            "pods shop/web"
        ]
    );
    let silent = record(&none, Some(false));
    assert_eq!(
        missed(&silent),
        ["persistentvolumes b", "pods shop/web"],
        "what a pod asks for is missed anyway"
    );
    assert_eq!(
        silent.infos[0].skipped_reason,
        "no snapshot is wanted, by snapshotVolumes: false of the backup"
    );
}

#[test]
fn rules_decide_and_what_they_skip_is_not_missed() {
    let rules = policies(
        "[{conditions: {storageClass: [scratch]}, action: {type: skip}},
          {conditions: {pvcPhase: [Pending]}, action: {type: skip}},
          {conditions: {pvcLabels: {app: claim-c}}, action: {type: snapshot}},
          {conditions: {csi: {}}, action: {type: skip}}]",
    );
    let some = record(&rules, Some(false));
    let said: Vec<_> = some
        .infos
        .iter()
        .map(|info| (info.pvc_name.as_str(), info.skipped_reason.as_str()))
        .collect();
    insta::assert_yaml_snapshot!(said);
    assert_eq!(
        missed(&some),
        ["persistentvolumes c", "pods shop/web"],
        "one snapshot, and the pod's cache"
    );
    let all = policies("[{conditions: {}, action: {type: skip}}]");
    assert!(missed(&record(&all, None)).is_empty());
}

#[test]
fn the_modes_of_a_claim_decide_over_the_volume_bound_to_it() {
    let rules = policies(
        "[{conditions: {pvcVolumeMode: Block, pvcAccessModes: [ReadWriteOnce]}, action: {type: skip}}]",
    );
    let none = SnapshotLocations::default();
    let mut volumes = Volumes::default();
    for (name, mode) in [("block", "Block"), ("files", "Filesystem")] {
        let key = json!({"namespace": "shop", "name": name});
        // Those of the volume itself do not count.
        let disk =
            json!({"metadata": {"name": name}, "spec": {"claimRef": key, "volumeMode": "Block"}});
        let claim = json!({"metadata": key, "status": {"phase": "Bound"}, "spec": {
            "volumeName": name, "volumeMode": mode, "accessModes": ["ReadWriteOnce"]}});
        volumes.see("persistentvolumes", &disk, &rules, &none);
        volumes.see("persistentvolumeclaims", &claim, &rules, &none);
    }
    let choices = volumes.decide(&rules, Some(false), "group");
    let by_rule = choices
        .iter()
        .filter(|choice| choice.method == Method::Skipped);
    let names: Vec<_> = by_rule
        .map(|choice| match &choice.subject {
            Subject::Volume { name, .. } => name.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["block"]);
}
