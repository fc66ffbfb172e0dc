//! Resource policies, from a `ConfigMap` of a real cluster to the side file.

use ark_api::{Backup, BackupSpec};
use ark_archive::{Limits, layout, side};
use ark_engine::backup::{self, Defaults, Options, Surroundings};
use ark_testkit::{Namespaces, unique_name};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Bench, location};

const VOLUMES: &str = "
apiVersion: v1
kind: PersistentVolume
metadata: {name: NAME-scratch}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  hostPath: {path: /nowhere}
  storageClassName: scratch
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: NAME-gold}
spec:
  capacity: {storage: 5Gi}
  accessModes: [ReadWriteOnce]
  nfs: {server: nas, path: /export}
  storageClassName: gold
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: scratch, namespace: NAMESPACE}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
  storageClassName: scratch
  volumeName: NAME-scratch
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: gold, namespace: NAMESPACE}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 5Gi}}
  storageClassName: gold
  volumeName: NAME-gold
---
apiVersion: v1
kind: ConfigMap
metadata: {name: rules, namespace: NAMESPACE}
data:
  policies.yaml: |
    version: v1
    volumePolicies:
    - conditions: {storageClass: [scratch]}
      action: {type: skip}
    - conditions: {nfs: {server: nas}, pvcVolumeMode: Block}
      action: {type: skip}
    - conditions: {nfs: {server: nas}, capacity: '1Gi,', pvcVolumeMode: Filesystem, pvcAccessModes: [ReadWriteOnce]}
      action: {type: fs-backup}
    includeExcludePolicy:
      excludedNamespaceScopedResources: [configmaps]
";

async fn validated(
    bench: &Bench,
    namespace: &str,
    spec: Value,
) -> Result<backup::ValidatedBackup, Vec<String>> {
    let spec: BackupSpec = serde_json::from_value(spec).unwrap();
    let locations = [location()];
    let cluster = bench.ports.cluster.as_ref();
    let around = Surroundings::look(cluster, namespace, &spec, &locations)
        .await
        .unwrap();
    let mut backup = Backup::new("policies", spec);
    backup.metadata.uid = Some("uid".to_owned());
    let now = bench.ports.clock.now();
    backup::validate(&backup, &around, &Defaults::default(), now)
        .map_err(|rejected| rejected.messages)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_of_a_config_map_decide_over_volumes_and_kinds() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let namespace = namespaces.create("policies").unwrap();
    let unique = unique_name("policies");
    let manifest = VOLUMES
        .replace("NAMESPACE", &namespace)
        .replace("NAME", &unique);
    bench
        .plane
        .kubectl_stdin(&["apply", "-f", "-"], &manifest)
        .unwrap();
    let spec = |policy: &str| {
        json!({
            "includedNamespaces": [namespace],
            "resourcePolicy": {"kind": "ConfigMap", "name": policy},
        })
    };
    let refused = validated(&bench, &namespace, spec("absent"))
        .await
        .unwrap_err();
    assert_eq!(
        refused,
        ["resourcePolicy: ConfigMap `absent` does not exist in the server's namespace"]
    );

    let backup = validated(&bench, &namespace, spec("rules")).await.unwrap();
    let job = bench.job(CancellationToken::new());
    let report = backup::run(&job, &backup, &Options::default())
        .await
        .unwrap();
    let items = bench.contents("policies").await;
    assert!(
        !items
            .keys()
            .any(|key| key.group_resource.resource == "configmaps"),
        "the policy leaves them out"
    );
    let said: Vec<_> = report.issues.iter().map(|issue| &issue.message).collect();
    assert!(
        said.len() == 1
            && said[0].ends_with(
                "-gold: its data is not saved: this version does not copy the files of volumes"
            ),
        "{said:?}"
    );
    let key = layout::volume_info("policies");
    let bytes = bench.ports.store.read(&key, 1 << 20).await.unwrap();
    let limit = Limits::default().side_bytes;
    let infos: Vec<Value> = side::decode(&key, &bytes, limit).unwrap();
    assert_eq!(infos.len(), 2, "{infos:#?}");
    for (claim, rule) in [("gold", "rule 3"), ("scratch", "left out, by rule 1")] {
        let info = infos.iter().find(|info| info["pvcName"] == claim).unwrap();
        assert_eq!(info["skipped"], true);
        assert_eq!(info["pvName"], format!("{unique}-{claim}"));
        let reason = info["skippedReason"].as_str().unwrap();
        assert!(
            reason.contains(rule) && reason.contains("`rules`"),
            "{reason}"
        );
    }
    for name in ["scratch", "gold"] {
        let volume = format!("{unique}-{name}");
        bench
            .plane
            .kubectl(&["delete", "pv", &volume, "--wait=false"])
            .unwrap();
    }
}

const FILTERED: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: app-one, namespace: NAMESPACE, labels: {team: red}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app-two, namespace: NAMESPACE}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other, namespace: NAMESPACE, labels: {team: red}}
---
apiVersion: v1
kind: Secret
metadata: {name: app-key, namespace: NAMESPACE, labels: {team: red}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app-red, namespace: BESIDE, labels: {team: red}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app-blue, namespace: BESIDE, labels: {team: blue}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: filters, namespace: NAMESPACE}
data:
  policy: |
    version: v1
    namespacedFilterPolicies:
    - namespaces: [NAMESPACE]
      resourceFilters:
      - {kinds: [ConfigMap], names: ['app-*']}
";

/// In the namespace of the policy its patterns decide, beside it the backup's own
/// selector.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_of_one_namespace_leave_the_others_to_the_backup() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let namespace = namespaces.create("filtered").unwrap();
    let beside = namespaces.create("beside").unwrap();
    let manifest = FILTERED
        .replace("NAMESPACE", &namespace)
        .replace("BESIDE", &beside);
    bench
        .plane
        .kubectl_stdin(&["apply", "-f", "-"], &manifest)
        .unwrap();
    let policy = json!({"kind": "ConfigMap", "name": "filters"});
    let old = json!({
        "includedNamespaces": [namespace], "includedResources": ["configmaps"],
        "resourcePolicy": policy,
    });
    let refused = validated(&bench, &namespace, old).await.unwrap_err();
    assert!(refused[0].contains("cannot be combined"), "{refused:?}");

    let spec = json!({
        "includedNamespaces": [namespace, beside],
        "labelSelector": {"matchLabels": {"team": "red"}},
        "resourcePolicy": policy,
    });
    let backup = validated(&bench, &namespace, spec).await.unwrap();
    let job = bench.job(CancellationToken::new());
    backup::run(&job, &backup, &Options::default())
        .await
        .unwrap();
    let mut saved: Vec<String> = bench
        .contents("policies")
        .await
        .into_keys()
        .filter(|key| key.namespace.is_some())
        .map(|key| key.name)
        .collect();
    saved.sort();
    assert_eq!(saved, ["app-one", "app-red", "app-two"]);
}

const LABELLED: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: labels, namespace: NAMESPACE}
data:
  policy: |
    version: v1
    includeExcludePolicy:
      includedNamespacesByLabel: ['team in (UNIQUE, other)']
      excludedNamespacesByLabel: ['skip=UNIQUE']
";

/// A backup that names no namespaces has those whose labels a policy asks for, with
/// their own objects, and says so in its spec.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_choose_the_namespaces() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let unique = unique_name("team");
    let (team, skip) = (format!("team={unique}"), format!("skip={unique}"));
    let table = [
        ("chosen", vec![team.as_str()]),
        ("skipped", vec![&team, &skip]),
        ("hidden", vec![&team, "velero.io/exclude-from-backup=true"]),
        ("beside", vec![]),
    ];
    let mut names = Vec::new();
    for (name, labels) in table {
        let name = namespaces.create(name).unwrap();
        for label in labels {
            bench
                .plane
                .kubectl(&["label", "namespace", &name, label])
                .unwrap();
        }
        names.push(name);
    }
    let [chosen, .., beside] = names.as_slice() else {
        unreachable!()
    };
    let manifest = LABELLED
        .replace("NAMESPACE", beside)
        .replace("UNIQUE", &unique);
    bench
        .plane
        .kubectl_stdin(&["apply", "-f", "-"], &manifest)
        .unwrap();
    let spec = json!({
        "labelSelector": {"matchLabels": {"on": "nothing"}},
        "resourcePolicy": {"kind": "ConfigMap", "name": "labels"},
    });
    let backup = validated(&bench, beside, spec).await.unwrap();
    assert_eq!(backup.backup.spec.included_namespaces, [chosen.as_str()]);
    let job = bench.job(CancellationToken::new());
    backup::run(&job, &backup, &Options::default())
        .await
        .unwrap();
    let items = bench.contents("policies").await;
    let saved: Vec<String> = items.keys().map(ToString::to_string).collect();
    assert_eq!(saved, [format!("namespaces {chosen}")]);
}
