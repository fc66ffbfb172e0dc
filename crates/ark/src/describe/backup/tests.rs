//! The description of a backup as a whole, in both forms.

use std::collections::BTreeMap;

use ark_archive::side::ResultGroup;

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
        deletions: Vec::new(),
    }
}

#[test]
fn the_text_shows_everything_in_order() {
    insta::assert_snapshot!(describe(&backup(), &beside()).to_text(Style::plain()));
}

#[test]
fn the_document_is_made_of_the_same_values() {
    let value = describe(&backup(), &beside()).to_value();
    assert_eq!(
        value["metadata"]["labels"]["velero.io/storage-location"],
        "default"
    );
    assert_eq!(value["phase"], "PartiallyFailed");
    assert_eq!(
        value["errors"]["namespaces"]["shop"][0],
        "pods shop/x: gone"
    );
    assert_eq!(
        value["spec"]["namespaces"]["included"],
        json!(["shop", "bank"])
    );
    assert_eq!(value["status"]["itemsBackedUp"], 18);
    assert_eq!(value["resourceList"]["v1/Pod"], json!(["shop/a", "shop/b"]));
}

#[test]
fn counts_stand_in_for_results_that_cannot_be_had() {
    let beside = Beside {
        results: Fetched::Failed("no server".to_owned()),
        ..Beside::default()
    };
    let text = describe(&backup(), &beside).to_text(Style::plain());
    assert!(text.contains("Errors:    2\n"), "{text}");
    assert!(text.contains("could not be fetched: no server"), "{text}");
}
