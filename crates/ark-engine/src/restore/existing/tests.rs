//! Decisions over existing objects, kind by kind.

use ark_api::label;

use super::*;

fn origin() -> Origin {
    Origin::new("b", "r")
}

fn marks() -> Value {
    json!({label::BACKUP_NAME: "b", label::RESTORE_NAME: "r"})
}

fn decide_for(kind: &str, stored: &Value, desired: &Value, live: &Value, update: bool) -> Decision {
    let mut marked = desired.clone();
    origin().mark(&mut marked);
    decide(
        Wanted {
            kind,
            desired: &marked,
            stored,
            update,
        },
        live,
        &origin(),
    )
}

fn config_map(value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}, "data": {"k": value}})
}

#[test]
fn given_metadata_status_and_marks_do_not_make_a_difference() {
    let stored = config_map("v");
    let mut live = stored.clone();
    live["metadata"]["uid"] = "new".into();
    live["metadata"]["resourceVersion"] = "9".into();
    live["metadata"]["managedFields"] = json!([{"manager": "x"}]);
    live["metadata"]["labels"] = json!({label::BACKUP_NAME: "old", label::RESTORE_NAME: "older"});
    live["status"] = json!({"a": 1});
    assert_eq!(
        decide_for("configmaps", &stored, &stored, &live, false),
        Decision::Unchanged
    );
    assert_eq!(
        decide_for("configmaps", &stored, &stored, &live, true),
        Decision::Label
    );
}

#[test]
fn a_different_object_stays_or_is_patched() {
    let stored = config_map("saved");
    let mut live = config_map("changed");
    live["data"]["more"] = "x".into();
    live["metadata"]["labels"] = json!({label::RESTORE_NAME: "earlier"});
    assert_eq!(
        decide_for("configmaps", &stored, &stored, &live, false),
        Decision::Differs
    );
    assert_eq!(
        decide_for("configmaps", &stored, &stored, &live, true),
        Decision::Patch(
            json!({"data": {"k": "saved", "more": null}, "metadata": {"labels": marks()}})
        )
    );
}

#[test]
fn what_the_restore_would_drop_is_not_taken_from_a_living_object() {
    let service = |address: Option<&str>, port: i64, node_port: Option<i64>| {
        let mut service = json!({
            "metadata": {"name": "s"},
            "spec": {"ports": [{"port": port}], "sessionAffinity": "None"},
        });
        if let Some(address) = address {
            service["spec"]["clusterIP"] = address.into();
        }
        if let Some(node_port) = node_port {
            service["spec"]["ports"][0]["nodePort"] = node_port.into();
        }
        service
    };
    let stored = service(Some("10.0.0.1"), 80, Some(30000));
    let desired = service(None, 80, None);
    assert_eq!(
        decide_for("services", &stored, &desired, &stored, false),
        Decision::Unchanged
    );
    let mut live = stored.clone();
    live["spec"]["sessionAffinity"] = "ClientIP".into();
    assert_eq!(
        decide_for("services", &stored, &desired, &live, true),
        Decision::Patch(json!({
            "spec": {"sessionAffinity": "None"}, "metadata": {"labels": marks()},
        }))
    );
}

#[test]
fn service_accounts_get_what_they_lack_and_keep_what_they_have() {
    let stored = json!({
        "metadata": {"name": "a", "labels": {"app": "saved", "more": "x"}},
        "secrets": [{"name": "one"}, {"name": "two"}],
        "imagePullSecrets": [{"name": "pull"}],
    });
    let live = json!({
        "metadata": {"name": "a", "labels": {"app": "live"}},
        "secrets": [{"name": "two"}, {"name": "three"}],
    });
    let mut labels = marks();
    labels["more"] = "x".into();
    assert_eq!(
        decide_for("serviceaccounts", &stored, &stored, &live, false),
        Decision::Merge(json!({
            "metadata": {"labels": labels},
            "secrets": [{"name": "two"}, {"name": "three"}, {"name": "one"}],
            "imagePullSecrets": [{"name": "pull"}],
        }))
    );
}

#[test]
fn the_certificates_of_the_cluster_are_its_own() {
    let stored = json!({"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": "old"}});
    let live = json!({"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": "new"}});
    for update in [false, true] {
        assert_eq!(
            decide_for("configmaps", &stored, &stored, &live, update),
            Decision::Unchanged
        );
    }
}
