//! The queue of backups: slots, order, and namespaces that two have in common.

use serde_json::{Value, json};

use crate::site::Site;

#[test]
fn backups_of_one_namespace_run_one_after_the_other_and_others_pass() {
    let mut site = Site::new();
    let (shop, bank) = (site.sample(60), site.sample(1));
    // A pattern that matches the namespace is in the way as its name is.
    let pattern = format!("{}*", &shop[..shop.len() - 1]);
    let backup = |name: &str, namespace: &str| {
        json!({
            "apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {"name": name},
            "spec": {"includedNamespaces": [namespace]},
        })
    };
    let mut stopped = backup("e", &shop);
    stopped["metadata"]["annotations"] = json!({"ark.heptio.com/cancel": "true"});
    let items = [
        backup("a", &shop),
        backup("b", &pattern),
        backup("c", &shop),
        backup("d", &bank),
        stopped,
    ];
    site.create(&json!({"apiVersion": "v1", "kind": "List", "items": items}));
    site.add_location("default", site.bucket(), &json!({"default": true}));
    // Pages of one object make backups long enough to meet, were they let.
    site.start(|options| {
        options.concurrent_backups = 3;
        options.backup.max_page_items = 1;
        options.backup.list_concurrency = 1;
    });
    for name in ["a", "b", "c", "d"] {
        site.wait(&format!("backup/{name}"), "{.status.phase}", "Completed");
    }
    let status =
        |name: &str| -> Value { site.get(&format!("backup/{name}")).unwrap()["status"].clone() };
    let time = |name: &str, which: &str| {
        let text = status(name)[which].as_str().unwrap().to_owned();
        text.parse::<jiff::Timestamp>().unwrap()
    };
    for (before, after) in [("a", "b"), ("b", "c")] {
        let (ended, began) = (
            time(before, "completionTimestamp"),
            time(after, "startTimestamp"),
        );
        assert!(ended <= began, "{before} {ended} {after} {began}");
    }
    assert!(time("d", "startTimestamp") <= time("b", "startTimestamp"));
    // One that was stopped while it waited was never begun.
    let stopped = status("e");
    assert_eq!(stopped["phase"], "Failed");
    assert_eq!(stopped["failureReason"], "cancelled by request");
    assert!(stopped["queuePosition"].is_null() && stopped["startTimestamp"].is_null());
    assert!(!site.file("backups/e").exists());
}
