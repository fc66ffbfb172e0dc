//! A real API server takes the definitions and keeps every field of every kind.

use std::fmt::Write as _;

use ark_api::crd;
use ark_testkit::{ControlPlane, Namespaces};
use serde_json::{Value, json};

use crate::fixture;

/// Server-side apply: also what is done with these definitions in earnest.
fn apply(plane: &ControlPlane, documents: &[Value]) {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": documents });
    plane
        .kubectl_stdin(&["apply", "--server-side", "-f", "-"], &list.to_string())
        .unwrap();
}

fn install(plane: &ControlPlane) {
    let crds: Vec<Value> = crd::all()
        .unwrap()
        .iter()
        .map(|crd| serde_json::to_value(crd).unwrap())
        .collect();
    apply(plane, &crds);
    let mut arguments = vec![
        "wait".to_owned(),
        "--for=condition=Established".to_owned(),
        "--timeout=60s".to_owned(),
    ];
    arguments.extend(
        crds.iter()
            .map(|crd| format!("crd/{}", crd["metadata"]["name"].as_str().unwrap())),
    );
    plane
        .kubectl(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
        .unwrap();
}

fn resource_of(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap();
    let group = object["apiVersion"]
        .as_str()
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    format!("{kind}.{group}")
}

/// Creates `object` in `namespace` and reads it back.
fn stored(plane: &ControlPlane, namespace: &str, object: &Value) -> Value {
    let text = object.to_string();
    plane
        .kubectl_stdin(&["create", "-n", namespace, "-f", "-"], &text)
        .unwrap();
    let name = object["metadata"]["name"].as_str().unwrap();
    let json = plane
        .kubectl(&[
            "get",
            "-n",
            namespace,
            &resource_of(object),
            name,
            "-o",
            "json",
        ])
        .unwrap();
    serde_json::from_str(&json).unwrap()
}

/// A fixture in a form that can be created: without what the server sets,
/// owners that do not exist, and finalizers that nobody would take off.
fn creatable(fixture: &Value) -> Value {
    let mut object = fixture.clone();
    object["metadata"] = json!({ "name": fixture["metadata"]["name"] });
    object
}

#[test]
fn definitions_are_established_and_structural() {
    let plane = ControlPlane::shared();
    install(plane);
    for crd in crd::all().unwrap() {
        let name = crd.metadata.name.unwrap();
        let json = plane.kubectl(&["get", "crd", &name, "-o", "json"]).unwrap();
        let found: Value = serde_json::from_str(&json).unwrap();
        let conditions = found["status"]["conditions"].as_array().unwrap();
        let mut states = String::new();
        for condition in conditions {
            write!(
                states,
                "{}={} ",
                condition["type"].as_str().unwrap(),
                condition["status"].as_str().unwrap()
            )
            .unwrap();
        }
        assert!(
            states.contains("Established=True") && states.contains("NamesAccepted=True"),
            "{name}: {states}"
        );
        assert!(
            !states.contains("NonStructuralSchema"),
            "{name}: {conditions:?}"
        );
        // Nothing of the schema was dropped on the way in.
        let sent = serde_json::to_value(&crd.spec.versions[0].schema).unwrap();
        assert_eq!(found["spec"]["versions"][0]["schema"], sent, "{name}");
    }
}

#[test]
fn every_field_is_kept() {
    let plane = ControlPlane::shared();
    install(plane);
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("fields").unwrap();
    for fixture in fixture::all() {
        let object = creatable(&fixture.full);
        let found = stored(plane, &namespace, &object);
        assert_eq!(found["spec"], object["spec"], "{}", fixture.kind);
        assert_eq!(found["status"], object["status"], "{}", fixture.kind);
        // What the API server gives is read without loss too.
        assert_eq!(
            (fixture.rewrite)(&found).unwrap(),
            found,
            "{}",
            fixture.kind
        );
    }
}

#[test]
fn the_least_and_nulls_are_accepted() {
    let plane = ControlPlane::shared();
    install(plane);
    let mut namespaces = Namespaces::new(plane);
    let namespace = namespaces.create("least").unwrap();
    for (fixture, minimal) in fixture::all().iter().zip(fixture::minimal()) {
        let found = stored(plane, &namespace, &minimal);
        assert_eq!(found.get("status"), None, "{}", fixture.kind);
        let found = stored(plane, &namespace, &creatable(&fixture::nulled(fixture)));
        (fixture.rewrite)(&found).unwrap();
    }
}

/// Which of the durations the API server takes as a backup's TTL.
fn accepted(plane: &ControlPlane, namespace: &str, durations: &[&str]) -> Vec<String> {
    let backup = |(number, ttl): (usize, &&str)| {
        json!({
            "apiVersion": "velero.io/v1",
            "kind": "Backup",
            "metadata": { "name": format!("backup-{number}"), "namespace": namespace, "annotations": { "ttl": ttl } },
            "spec": { "ttl": ttl },
        })
    };
    let backups: Vec<Value> = durations.iter().enumerate().map(backup).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": backups });
    // Refused ones make the command fail, after the others are created.
    let _ = plane.kubectl_stdin(&["create", "-f", "-"], &list.to_string());
    let json = plane
        .kubectl(&["get", "backups.velero.io", "-n", namespace, "-o", "json"])
        .unwrap();
    let found: Value = serde_json::from_str(&json).unwrap();
    let ttl = |backup: &Value| backup["spec"]["ttl"].as_str().unwrap().to_owned();
    found["items"].as_array().unwrap().iter().map(ttl).collect()
}

#[test]
fn rules_refuse_only_what_go_cannot_read() {
    let plane = ControlPlane::shared();
    install(plane);
    let mut namespaces = Namespaces::new(plane);
    let good = [
        "0",
        "0s",
        "-1s",
        "+5m",
        "720h",
        "720h0m0s",
        "1.5h",
        ".5s",
        "5.s",
        "1us",
        "1\u{b5}s",
        "1\u{3bc}s",
        "1h2m3s4ms5us6ns",
    ];
    let mut found = accepted(plane, &namespaces.create("good").unwrap(), &good);
    found.sort();
    let mut expected = good.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(found, expected);

    let bad = ["", "1", "h", "1d", "1 h", "1h ", ".s", "one hour", "1h-1m"];
    let none: Vec<String> = Vec::new();
    assert_eq!(
        accepted(plane, &namespaces.create("bad").unwrap(), &bad),
        none
    );
    for text in good {
        assert!(text.parse::<ark_api::GoDuration>().is_ok(), "{text}");
    }
    for text in bad {
        assert!(text.parse::<ark_api::GoDuration>().is_err(), "{text}");
    }
}
