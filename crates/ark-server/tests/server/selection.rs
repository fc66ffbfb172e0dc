//! What a server looks up in the cluster before it takes a backup.

use serde_json::{Value, json};

use crate::site::Site;

fn problems(site: &Site, name: &str) -> String {
    site.wait(
        &format!("backup/{name}"),
        "{.status.phase}",
        "FailedValidation",
    );
    let backup = site.get(&format!("backup/{name}")).unwrap();
    let messages: Vec<String> =
        serde_json::from_value(backup["status"]["validationErrors"].clone()).unwrap();
    messages.join("\n")
}

#[test]
fn policies_that_are_missing_or_wrong_are_refused_with_the_place() {
    let mut site = Site::running();
    let shop = site.sample(3);
    let spec = |policy: &str| {
        json!({
            "includedNamespaces": [shop],
            "resourcePolicy": {"kind": "configmap", "name": policy},
        })
    };
    let config_map = |name: &str, text: &str| {
        site.create(&json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"rules": text},
        }));
    };
    config_map(
        "wrong",
        "version: v1\nvolumePolicies:\n- action: {type: erase}\n",
    );
    config_map(
        "right",
        "version: v1\nvolumePolicies:\n- action: {type: skip}\n\
         includeExcludePolicy: {excludedNamespaceScopedResources: [configmaps]}\n",
    );
    site.add("Backup", "absent", &spec("absent"));
    site.add("Backup", "wrong", &spec("wrong"));
    site.add("Backup", "right", &spec("right"));
    let absent = problems(&site, "absent");
    assert!(absent.contains("`absent` does not exist"), "{absent}");
    let wrong = problems(&site, "wrong");
    assert!(
        wrong.contains("`wrong`, key `rules`") && wrong.contains("line 3"),
        "{wrong}"
    );
    site.wait("backup/right", "{.status.phase}", "Completed");
    let backup = site.get("backup/right").unwrap();
    let items = backup["status"]["progress"]["itemsBackedUp"]
        .as_u64()
        .unwrap();
    assert!(
        (1..3).contains(&items),
        "the policy leaves the config maps out: {items}"
    );
}

#[test]
fn a_labelled_namespace_is_left_out_and_the_spec_says_so() {
    let mut site = Site::running();
    let (shop, hidden) = (site.sample(2), site.sample(2));
    let label = |value: &str| {
        let label = format!("velero.io/exclude-from-backup{value}");
        site.plane
            .kubectl(&["label", "namespace", &hidden, &label])
            .unwrap();
    };
    label("=true");
    // A pattern that fits both; the name alone would contradict the label.
    let pattern = &shop[..shop.rfind('-').unwrap()];
    site.add(
        "Backup",
        "some",
        &json!({"includedNamespaces": [format!("{pattern}*")], "includedResources": ["cm"]}),
    );
    site.add("Backup", "named", &json!({"includedNamespaces": [hidden]}));
    site.wait("backup/some", "{.status.phase}", "Completed");
    let refused = problems(&site, "named");
    label("-");
    assert!(refused.contains(&hidden) && refused.contains("exclude-from-backup=true"));

    let spec = &site.get("backup/some").unwrap()["spec"];
    let excluded = spec["excludedNamespaces"].as_array().unwrap();
    assert!(excluded.contains(&Value::from(hidden)), "{spec:#}");
    let kinds = spec["excludedResources"].as_array().unwrap();
    assert_eq!(kinds.len(), 2, "the kinds of CSI snapshots: {spec:#}");
}
