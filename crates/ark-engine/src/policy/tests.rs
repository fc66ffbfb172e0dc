//! Documents as people write them, good and bad, and what they decide.

use serde_json::{Value, json};

use super::*;

fn read(text: &str) -> Result<ResourcePolicies, Vec<String>> {
    let data = BTreeMap::from([("policies.yaml".to_owned(), text.to_owned())]);
    ResourcePolicies::read("rules", &data)
}

fn rules(conditions: &str) -> ResourcePolicies {
    let text = format!(
        "version: v1\nvolumePolicies:\n- conditions: {conditions}\n  action: {{type: skip}}\n"
    );
    read(&text).unwrap()
}

fn disk() -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"},
        "spec": {
            "capacity": {"storage": "20Gi"}, "storageClassName": "gold",
            "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Delete", "volumeMode": "Filesystem",
            "claimRef": {"kind": "PersistentVolumeClaim", "namespace": "shop", "name": "data"},
            "csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1", "volumeAttributes": {"type": "io2", "a": "b"}},
        }
    })
}

fn share() -> Value {
    json!({"spec": {"capacity": {"storage": "1Ti"}, "nfs": {"server": "nas", "path": "/export"}}})
}

fn claim() -> Value {
    json!({"metadata": {"labels": {"app": "db", "env": "test"}}, "status": {"phase": "Bound"}})
}

#[test]
fn every_condition_decides() {
    let disk = Volume::persistent(&disk()).claimed_by(&claim());
    let share = Volume::persistent(&share());
    let pending = Volume::default().claimed_by(&json!({"status": {"phase": "Pending"}}));
    // Conditions, and whether they hold of the disk, the share, the pending claim.
    let table = [
        ("{}", [true, true, true]),
        ("{capacity: '10Gi,20Gi'}", [true, false, false]),
        ("{capacity: ',100Gi'}", [true, false, false]),
        ("{capacity: '500Gi,'}", [false, true, false]),
        ("{storageClass: [gold, silver]}", [true, false, false]),
        ("{storageClass: []}", [true, true, true]),
        ("{nfs: {}}", [false, true, false]),
        ("{nfs: {server: nas}}", [false, true, false]),
        ("{nfs: {server: nas, path: /other}}", [false, false, false]),
        ("{csi: {}}", [true, false, false]),
        (
            "{csi: {driver: ebs.csi.aws.com, volumeAttributes: {type: io2}}}",
            [true, false, false],
        ),
        (
            "{csi: {volumeAttributes: {type: gp3}}}",
            [false, false, false],
        ),
        ("{csi: {driver: other}}", [false, false, false]),
        ("{volumeTypes: [nfs, emptyDir]}", [false, true, false]),
        ("{volumeTypes: [csi, nfs]}", [true, true, false]),
        ("{pvcLabels: {app: db}}", [true, false, false]),
        ("{pvcLabels: {app: db, env: prod}}", [false, false, false]),
        ("{pvcPhase: [Pending, Lost]}", [false, false, true]),
        (
            "{pvcPhase: [Bound], storageClass: [gold]}",
            [true, false, false],
        ),
        (
            "{pvcPhase: [Bound], storageClass: [silver]}",
            [false, false, false],
        ),
    ];
    for (conditions, expected) in table {
        let rules = rules(conditions);
        let found = [&disk, &share, &pending].map(|volume| rules.rule_for(volume).is_some());
        assert_eq!(found, expected, "{conditions}");
    }
}

#[test]
fn modes_are_those_of_the_claim_as_it_is_written() {
    let claim = |spec: Value| Volume::persistent(&disk()).claimed_by(&json!({"spec": spec}));
    let block =
        claim(json!({"volumeMode": "Block", "accessModes": ["ReadOnlyMany", "ReadWriteOnce"]}));
    let files = claim(json!({"volumeMode": "Filesystem", "accessModes": ["ReadWriteOnce"]}));
    let unsaid = claim(json!({}));
    let unclaimed = Volume::persistent(&disk());
    // Conditions, and whether they hold of each.
    let table = [
        ("{pvcVolumeMode: Block}", [true, false, false, false]),
        ("{pvcVolumeMode: block}", [false, false, false, false]),
        ("{pvcVolumeMode: Filesystem}", [false, true, false, false]),
        ("{pvcVolumeMode: Holographic}", [false, false, false, false]),
        ("{pvcVolumeMode: ''}", [true, true, true, true]),
        (
            "{pvcAccessModes: [ReadWriteOnce]}",
            [false, true, false, false],
        ),
        (
            "{pvcAccessModes: [ReadWriteOnce, ReadOnlyMany]}",
            [true, false, false, false],
        ),
        (
            "{pvcAccessModes: [ReadWriteOnce, ReadWriteOnce]}",
            [false, false, false, false],
        ),
        (
            "{pvcAccessModes: [readwriteonce]}",
            [false, false, false, false],
        ),
        ("{pvcAccessModes: []}", [true, true, true, true]),
        (
            "{pvcVolumeMode: Filesystem, pvcAccessModes: [ReadWriteOnce], storageClass: [gold]}",
            [false, true, false, false],
        ),
        (
            "{pvcVolumeMode: Filesystem, pvcAccessModes: [ReadWriteMany]}",
            [false, false, false, false],
        ),
    ];
    for (conditions, expected) in table {
        let rules = rules(conditions);
        let volumes = [&block, &files, &unsaid, &unclaimed];
        let found = volumes.map(|volume| rules.rule_for(volume).is_some());
        assert_eq!(found, expected, "{conditions}");
    }
}

#[test]
fn volumes_of_pods_have_types_too() {
    let scratch = Volume::of_pod(&json!({"name": "scratch", "emptyDir": {}}));
    let nfs = Volume::of_pod(&json!({"name": "n", "nfs": {"server": "nas", "path": "/"}}));
    assert!(
        rules("{volumeTypes: [emptyDir]}")
            .rule_for(&scratch)
            .is_some()
    );
    assert!(rules("{nfs: {server: nas}}").rule_for(&nfs).is_some());
    assert!(rules("{capacity: '0,1Gi'}").rule_for(&scratch).is_none());
}

#[test]
fn the_first_rule_that_fits_wins() {
    let rules = read(
        "version: v1
volumePolicies:
- conditions: {storageClass: [silver]}
  action: {type: skip}
- conditions: {csi: {}}
  action: {type: custom, parameters: {tool: x, times: 3}}
- conditions: {}
  action: {type: fs-backup}
- action: {type: snapshot}
",
    )
    .unwrap();
    let (number, action) = rules.rule_for(&Volume::persistent(&disk())).unwrap();
    assert_eq!((number, action.kind), (2, ActionType::Custom));
    assert_eq!(action.parameters.as_ref().unwrap()["times"], 3);
    let (number, action) = rules.rule_for(&Volume::default()).unwrap();
    assert_eq!((number, action.kind), (3, ActionType::FsBackup));
}

#[test]
fn mistakes_are_named_with_their_line() {
    let documents = [
        "version: v2",
        "volumePolicies: []",
        "version: v1\nvolumePolicy: []",
        "version: v1\nvolumePolicies:\n- conditions: {size: '1,2'}\n  action: {type: skip}",
        "version: v1\nvolumePolicies:\n- conditions: {capacity: 10Gi}\n  action: {type: skip}",
        "version: v1\nvolumePolicies:\n- conditions: {volumeTypes: [disk]}\n  action: {type: skip}",
        "version: v1\nvolumePolicies:\n- conditions: {pvcPhase: [Gone]}\n  action: {type: skip}",
        "version: v1\nvolumePolicies:\n- conditions: {pvcVolumeMode: [Block]}\n  action: {type: skip}",
        "version: v1\nvolumePolicies:\n- conditions: {pvcVolumeMode: }\n  action: {type: skip}",
        "version: v1\nvolumePolicies:\n- conditions: {pvcAccessModes: ReadWriteOnce}\n  action: {type: skip}",
        "version: v1\nvolumePolicies:\n- conditions: {pvcAccessModes: [123]}\n  action: {type: skip}",
        "version: v1\nvolumePolicies:\n- conditions: {pvcAccessModes: }\n  action: {type: skip}",
        "version: v1\nvolumePolicies:\n- action: {type: delete}",
        "version: v1\nvolumePolicies:\n- conditions: {}",
        "version: v1\nversion: v1",
        "version: v1\nincludeExcludePolicy: {excludedClusterScopedResources: ['*']}",
        "version: v1\nincludeExcludePolicy: {includedNamespaceScopedResources: [a], excludedNamespaceScopedResources: [a]}",
        "version: v1\nincludeExcludePolicy: {includedNamespacesByLabel: ['team=red', '', 'team in red']}",
        "version: v1\nincludeExcludePolicy: {excludedNamespacesByLabel: [' '], labelSelectorLogic: XOR}",
        "version: v1\nincludeExcludePolicy: {includedNamespacesByLabel: {team: red}}",
        "- a",
        "",
    ];
    let problems: Vec<_> = documents
        .iter()
        .map(|text| read(text).unwrap_err())
        .collect();
    insta::assert_yaml_snapshot!(problems);
}

#[test]
fn exactly_one_key_is_read() {
    let data = BTreeMap::new();
    assert!(ResourcePolicies::read("rules", &data).unwrap_err()[0].contains("0 keys"));
    let two = ["a", "b"].map(|key| (key.to_owned(), "version: v1".to_owned()));
    let problems = ResourcePolicies::read("rules", &BTreeMap::from(two)).unwrap_err();
    assert_eq!(
        problems,
        ["ConfigMap `rules` has 2 keys in its data; it must have exactly one"]
    );
}

#[test]
fn a_rule_decides_alone_and_without_one_the_pod_and_the_backup_do() {
    let action = |kind| Action {
        kind,
        parameters: None,
    };
    for (kind, method) in [
        (ActionType::Skip, Method::Skipped),
        (ActionType::FsBackup, Method::Files),
        (ActionType::Snapshot, Method::Snapshot),
        (ActionType::Custom, Method::Custom),
    ] {
        for (files, wanted) in [(true, None), (false, Some(false)), (false, Some(true))] {
            assert_eq!(decide(Some(&action(kind)), files, wanted), method);
        }
    }
    assert_eq!(decide(None, true, Some(false)), Method::Files);
    assert_eq!(decide(None, false, Some(false)), Method::NotWanted);
    assert_eq!(decide(None, false, None), Method::Snapshot);
}

#[test]
fn pods_choose_their_volumes_by_name() {
    let pod = json!({"metadata": {"annotations": {
        "backup.velero.io/backup-volumes": "data, cache",
        "backup.velero.io/backup-volumes-excludes": "scratch",
    }}});
    let volume = |name: &str| json!({"name": name, "emptyDir": {}});
    assert!(chosen_by_pod(&pod, &volume("cache"), false));
    assert!(!chosen_by_pod(&pod, &volume("other"), false));
    assert!(chosen_by_pod(&pod, &volume("other"), true));
    assert!(!chosen_by_pod(&pod, &volume("scratch"), true));
    assert!(!chosen_by_pod(
        &pod,
        &json!({"name": "data", "secret": {}}),
        false
    ));
}
