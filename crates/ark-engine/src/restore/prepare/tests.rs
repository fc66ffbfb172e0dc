//! Batches of a backup in memory: what is sent, in which order, and what is not.

use serde_json::json;

use super::super::fixture::{bucket, config_map, discovery, restore};
use super::super::plan::plan;
use super::super::setup_for;
use super::*;

async fn preparer(objects: &[(&str, Value)], spec: &Value) -> (Preparer, Vec<PlannedKind>) {
    let restore = restore(spec);
    let store = bucket(objects);
    let archive = Archive::open(store, "b", std::env::temp_dir())
        .await
        .unwrap();
    let plan = plan(archive.catalog().iter(), &discovery(), &restore);
    let kinds = plan.waves.into_iter().flat_map(|wave| wave.kinds).collect();
    let setup = setup_for(Arc::new(archive), &restore, Arc::default(), discovery());
    (Preparer::new(Arc::new(setup)), kinds)
}

/// All batches of a restore, in order.
async fn batches(objects: &[(&str, Value)], spec: &Value) -> Vec<Batch> {
    let (mut preparer, kinds) = preparer(objects, spec).await;
    let mut batches = Vec::new();
    for kind in &kinds {
        batches.push(preparer.batch(kind, &kind.items).await.unwrap());
    }
    batches
}

fn keys(batch: &Batch) -> Vec<Vec<String>> {
    let stage = |stage: &Vec<Prepared>| stage.iter().map(|item| describe(&item.key)).collect();
    batch.stages.iter().map(stage).collect()
}

fn body(item: &Prepared) -> Value {
    serde_json::from_slice(&item.body).unwrap()
}

fn pod(name: &str, claim: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}},
        "spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]},
        "status": {"phase": "Running"},
    })
}

fn claim(name: &str, volume: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "shop"}, "spec": {"volumeName": volume},
    })
}

fn volume(name: &str, claim: &str, policy: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {
            "persistentVolumeReclaimPolicy": policy,
            "claimRef": {"name": claim, "namespace": "shop", "uid": "u"},
        },
    })
}

#[tokio::test]
async fn what_an_object_needs_comes_first_and_once() {
    let objects = [
        ("pods", pod("a", "data")),
        ("pods", pod("b", "data")),
        ("persistentvolumeclaims", claim("data", "kept")),
        ("persistentvolumes", volume("kept", "data", "Retain")),
    ];
    let spec = json!({
        "includedNamespaces": ["shop"], "namespaceMapping": {"shop": "new"},
        "labelSelector": {"matchLabels": {"app": "web"}},
    });
    let batches = batches(&objects, &spec).await;
    assert_eq!(batches.len(), 2, "claims, then pods");
    assert_eq!(batches[0].left_out, [Rule::LabelSelector]);
    assert_eq!(
        keys(&batches[1]),
        [
            vec!["persistentvolumes kept"],
            vec!["persistentvolumeclaims new/data"],
            vec!["pods new/a", "pods new/b"],
        ]
    );
    assert_eq!(batches[1].extra, 2);
    let volume = body(&batches[1].stages[0][0]);
    assert_eq!(
        volume["spec"]["claimRef"],
        json!({"name": "data", "namespace": "new"})
    );
    let claim = body(&batches[1].stages[1][0]);
    assert_eq!(claim["spec"]["volumeName"], "kept");
    assert_eq!(claim["metadata"]["namespace"], "new");
    assert_eq!(
        claim["metadata"]["labels"][ark_api::label::RESTORE_NAME],
        "r"
    );
}

#[tokio::test]
async fn objects_that_came_early_do_not_come_again() {
    let objects = [
        ("persistentvolumeclaims", claim("data", "kept")),
        ("persistentvolumes", volume("kept", "data", "Retain")),
    ];
    let (mut preparer, kinds) = preparer(&objects, &json!({})).await;
    let [volumes, claims] = &kinds[..] else {
        panic!("{kinds:?}")
    };
    let early = preparer.batch(claims, &claims.items).await.unwrap();
    assert_eq!((early.stages.len(), early.extra), (2, 1));
    let late = preparer.batch(volumes, &volumes.items).await.unwrap();
    assert_eq!((late.stages.len(), late.extra), (0, -1));
}

#[tokio::test]
async fn a_volume_that_is_made_anew_is_not_named_by_its_claim() {
    let objects = [
        ("persistentvolumes", volume("gone", "data", "Delete")),
        ("persistentvolumeclaims", claim("data", "gone")),
    ];
    let batches = batches(&objects, &json!({})).await;
    assert_eq!(batches[0].left_out, [Rule::DynamicVolume]);
    assert_eq!(body(&batches[1].stages[0][0])["spec"], json!({}));
}

#[tokio::test]
async fn a_missing_need_is_a_warning_and_an_unwanted_one_is_not() {
    let objects = [("pods", pod("a", "gone"))];
    let missing = batches(&objects, &json!({})).await;
    assert_eq!(missing[0].issues.len(), 1);
    assert_eq!(missing[0].issues[0].severity, Severity::Warning);
    assert_eq!(
        missing[0].issues[0].message,
        "pods shop/a: needs persistentvolumeclaims shop/gone, which the backup does not hold"
    );
    let unwanted = batches(&objects, &json!({"includedResources": ["pods"]})).await;
    assert!(unwanted[0].issues.is_empty());
}

#[tokio::test]
async fn finished_and_mirrored_pods_are_left_out() {
    let mut done = pod("done", "x");
    done["status"]["phase"] = "Succeeded".into();
    let mut mirror = pod("mirror", "x");
    mirror["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "hash"});
    let batches = batches(&[("pods", done), ("pods", mirror)], &json!({})).await;
    assert_eq!(batches[0].left_out, [Rule::Finished, Rule::MirrorPod]);
    assert!(batches[0].stages.is_empty());
}

#[tokio::test]
async fn ownership_decides_what_is_sent() {
    let entry = |manager: &str, operation: &str| json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": {"f:data": {}}});
    let mut one = config_map("shop", "one", "v");
    one["metadata"]["managedFields"] = json!([entry("helm", "Update")]);
    let mut two = config_map("shop", "two", "v");
    two["metadata"]["managedFields"] = json!([entry("flux", "Apply")]);
    let batches = batches(&[("configmaps", one), ("configmaps", two)], &json!({})).await;
    let stage = &batches[0].stages[0];
    assert_eq!(stage[0].ownership, Ownership::Create("helm".into()));
    assert_eq!(
        body(&stage[0])["metadata"]["managedFields"][0]["manager"],
        "helm"
    );
    assert!(body(&stage[0])["metadata"].get("uid").is_none());
    assert!(matches!(stage[1].ownership, Ownership::Patch(_)));
    assert!(body(&stage[1])["metadata"].get("managedFields").is_none());
}

#[tokio::test]
async fn a_status_that_is_wanted_is_sent_after_the_object() {
    let objects = [("pods", pod("a", "x"))];
    let spec = json!({"restoreStatus": {}, "includedResources": ["pods"]});
    let batches = batches(&objects, &spec).await;
    let item = &batches[0].stages[0][0];
    assert_eq!(item.status, Some(json!({"status": {"phase": "Running"}})));
    assert!(body(item).get("status").is_none());
}

#[tokio::test]
async fn another_version_than_the_cluster_serves_is_an_error_of_the_object() {
    let mut old = config_map("shop", "c", "v");
    old["apiVersion"] = "v0".into();
    let batches = batches(&[("configmaps", old)], &json!({})).await;
    assert_eq!(batches[0].failed.len(), 1);
    assert!(
        batches[0].issues[0].message.contains("saved as `v0`"),
        "{:?}",
        batches[0].issues
    );
}

#[tokio::test]
async fn an_object_at_a_false_place_is_refused() {
    let (tarball, index) = {
        use ark_archive::write::{PackOptions, Packer};
        let object = config_map("kube-system", "secretly", "v");
        let mut packer = Packer::new(PackOptions::default());
        let key = ItemKey {
            namespace: Some("shop".into()),
            ..super::super::fixture::key("configmaps", &object)
        };
        packer
            .add(&key, "v1", &serde_json::to_vec(&object).unwrap())
            .unwrap();
        let mut finished = packer.finish();
        let member = finished.last.compress(1).unwrap();
        finished
            .index
            .place(member.seq, member.bytes.len() as u64)
            .unwrap();
        (member.bytes, finished.index.encode().unwrap())
    };
    let store = bucket(&[]);
    store
        .0
        .lock()
        .unwrap()
        .insert(ark_archive::layout::contents("b"), tarball.into());
    store
        .0
        .lock()
        .unwrap()
        .insert(ark_archive::layout::index("b"), index.into());
    let archive = Archive::open(store, "b", std::env::temp_dir())
        .await
        .unwrap();
    let restore = restore(&json!({}));
    let plan = plan(archive.catalog().iter(), &discovery(), &restore);
    let setup = setup_for(Arc::new(archive), &restore, Arc::default(), discovery());
    let kind = &plan.waves[0].kinds[0];
    let batch = Preparer::new(Arc::new(setup))
        .batch(kind, &kind.items)
        .await
        .unwrap();
    assert!(batch.stages.is_empty());
    assert!(
        batch.issues[0]
            .message
            .contains("calls itself configmaps kube-system/secretly")
    );
}

#[tokio::test]
async fn batches_are_cut_by_number_and_by_size() {
    let big = "x".repeat(3 << 20);
    let objects: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|name| ("configmaps", config_map("n", name, &big)))
        .collect();
    let (preparer, kinds) = preparer(&objects, &json!({})).await;
    let kind = &kinds[0];
    assert_eq!(preparer.cut(&kind.group_resource, &kind.items), 1);
    let many: Vec<_> = (0..BATCH_ITEMS + 9)
        .map(|n| ("configmaps", config_map("n", &format!("c-{n}"), "v")))
        .collect();
    let (preparer, kinds) = self::preparer(&many, &json!({})).await;
    let kind = &kinds[0];
    assert_eq!(preparer.cut(&kind.group_resource, &kind.items), BATCH_ITEMS);
    assert_eq!(
        preparer.cut(&kind.group_resource, &kind.items[BATCH_ITEMS..]),
        9
    );
}
