//! The sample application: a shop with a storefront, a database of orders, and
//! monitoring. `xtask/demo/*.yaml` holds what people would write by hand; the bulk
//! that grows by itself (translations, customers' keys, products) is made here,
//! the same in every run.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::client::Client;
use crate::workspace;

/// The namespaces of the application.
pub(crate) const NAMESPACES: [&str; 3] = ["shop", "shop-data", "shop-monitoring"];

/// The label of everything that belongs to it.
pub(crate) const LABEL: &str = "app.kubernetes.io/part-of=ark-demo";

/// Its kinds that have no namespace.
pub(crate) const CLUSTER_KINDS: [&str; 7] = [
    "namespaces",
    "persistentvolumes",
    "customresourcedefinitions.apiextensions.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "priorityclasses.scheduling.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
];

/// How people delete all of it.
pub(crate) const DELETE: &str = "kubectl delete namespace,persistentvolume,crd,clusterrole,\
     clusterrolebinding,priorityclass,validatingwebhookconfiguration --selector \
     app.kubernetes.io/part-of=ark-demo";

/// Who writes the application, as the API server records it.
pub(crate) const MANAGER: &str = "shop-deploy";

const DEFINITION: &str = "customresourcedefinition/products.shop.example.com";

/// Deploys the application.
pub(crate) fn deploy(client: &Client, tell: &dyn Fn(&str)) -> Result<()> {
    tell("namespaces, rights, definitions");
    apply(client, &cluster_manifest()?)?;
    client.kubectl(&["wait", "--for=condition=Established", DEFINITION])?;
    for name in ["shop.yaml", "shop-data.yaml", "shop-monitoring.yaml"] {
        tell(name);
        apply(client, &manifest(name)?)?;
    }
    tell("products, translations, keys");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": bulk()});
    apply(client, &list.to_string())
}

/// Deletes the application: every namespace with what is in it, then the rest.
pub(crate) fn delete(client: &Client, tell: &dyn Fn(&str)) -> Result<()> {
    tell("namespaces");
    let mut arguments = vec!["delete", "namespace", "--ignore-not-found"];
    arguments.extend(NAMESPACES);
    client.kubectl(&arguments)?;
    tell("volumes, rights, definitions");
    let kinds = CLUSTER_KINDS[1..].join(",");
    client.kubectl(&["delete", &kinds, "--selector", LABEL, "--ignore-not-found"])?;
    Ok(())
}

fn manifest(name: &str) -> Result<String> {
    let path = workspace::root().join("xtask/demo").join(name);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The objects without a namespace, and the namespaces, as YAML.
pub(crate) fn cluster_manifest() -> Result<String> {
    manifest("cluster.yaml")
}

fn apply(client: &Client, manifest: &str) -> Result<()> {
    let manager = format!("--field-manager={MANAGER}");
    client.kubectl_stdin(&["apply", "--server-side", &manager, "-f", "-"], manifest)?;
    Ok(())
}

/// Some 370 objects.
fn bulk() -> Vec<Value> {
    let mut objects = Vec::new();
    for (at, language) in ["de", "en", "es", "fr", "it", "nl", "pl", "sv"]
        .into_iter()
        .enumerate()
    {
        for page in 1..=20 {
            let seed = (at * 100 + page) as u64;
            let data = json!({"page.json": json!({"title": words(seed, 3), "text": words(seed + 1, 40)}).to_string()});
            let name = format!("translation-{language}-{page:02}");
            objects.push(config_map("shop", "shop", &name, &data));
        }
    }
    for customer in 1..=100 {
        objects.push(json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": metadata("shop", "shop", &format!("customer-key-{customer:03}")),
            "stringData": {"id": format!("customer-{customer}"), "key": words(5_000 + customer, 8)},
        }));
    }
    for step in 1..=40 {
        let data = json!({"up.sql": format!("-- {}\nALTER TABLE orders ADD COLUMN c{step} text;\n", words(6_000 + step, 5))});
        objects.push(config_map(
            "shop-data",
            "shop",
            &format!("migration-{step:03}"),
            &data,
        ));
    }
    for board in 1..=20 {
        let data = json!({"board.json": json!({"panels": words(7_000 + board, 60)}).to_string()});
        objects.push(config_map(
            "shop-monitoring",
            "collector",
            &format!("dashboard-{board:02}"),
            &data,
        ));
    }
    objects.extend((1..=50).map(product));
    objects
}

fn product(number: u64) -> Value {
    json!({
        "apiVersion": "shop.example.com/v1", "kind": "Product",
        "metadata": metadata("shop", "shop", &format!("product-{number:03}")),
        "spec": {
            "title": words(8_000 + number, 2),
            "cents": number * 137 % 20_000,
            "tags": [words(number, 1), "stocked"],
            // What the schema does not know must survive as well.
            "attributes": {"weight": {"grams": number * 31}, "colours": [words(9_000 + number, 1)]},
        },
    })
}

fn config_map(namespace: &str, app: &str, name: &str, data: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": metadata(namespace, app, name),
        "data": data,
    })
}

fn metadata(namespace: &str, app: &str, name: &str) -> Value {
    json!({
        "name": name, "namespace": namespace,
        "labels": {"app": app, "app.kubernetes.io/part-of": "ark-demo"},
    })
}

/// Words that look like a text, the same for the same seed.
fn words(seed: u64, count: usize) -> String {
    const SYLLABLES: [&str; 16] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu",
        "va",
    ];
    // A linear congruential generator (the multiplier is Knuth's) is random enough.
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        SYLLABLES[(state >> 60) as usize]
    };
    let words: Vec<String> = (0..count)
        .map(|_| [next(), next(), next()].concat())
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_bulk_is_several_hundred_objects_and_always_the_same() {
        let objects = bulk();
        assert_eq!(objects, bulk());
        let names: BTreeSet<String> = objects
            .iter()
            .map(|object| format!("{} {}", object["kind"], object["metadata"]["name"]))
            .collect();
        assert_eq!(names.len(), objects.len());
        assert!(objects.len() > 300, "{}", objects.len());
    }

    #[test]
    fn texts_differ() {
        assert_eq!(words(1, 4), words(1, 4));
        assert_ne!(words(1, 4), words(2, 4));
        assert_eq!(words(3, 4).split(' ').count(), 4);
    }
}
