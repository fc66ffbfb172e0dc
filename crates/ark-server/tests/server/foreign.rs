//! Backups that Velero and Heptio Ark made: they are listed, and they come back.

use ark_testkit::foreign::{self, ITEMS};
use serde_json::{Value, json};

use crate::site::Site;

/// Waits for the backup's resource and gives it.
fn imported(site: &Site, name: &str) -> Value {
    let object = format!("backup/{name}");
    site.until("the import", |site| site.get(&object).is_some());
    site.get(&object).unwrap()
}

/// Restores a backup into its own namespace, which must not exist.
fn comes_back(site: &Site, backup: &str, namespace: &str, extra: &Value) -> Value {
    let mut spec = json!({"backupName": backup});
    spec.as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    site.add("Restore", backup, &spec);
    let object = format!("restore/{backup}");
    site.wait(&object, "{.status.phase}", "Completed");
    assert_eq!(site.intact(namespace), ITEMS);
    let restore = site.get(&object).unwrap();
    assert_eq!(
        restore["status"]["progress"]["itemsRestored"],
        restore["status"]["progress"]["totalItems"]
    );
    restore
}

#[test]
fn velero_s_format_1_is_imported_and_restored() {
    let mut site = Site::running();
    let shop = site.namespaces.reserve("shop");
    foreign::velero_1_3(site.bucket(), "v13", &shop).unwrap();
    let backup = imported(&site, "v13");
    assert_eq!(backup["status"]["phase"], "Completed");
    assert_eq!(backup["status"]["version"], 1);
    assert_eq!(backup["status"]["expiration"], "2999-03-31T12:00:00Z");
    assert_eq!(backup["metadata"]["labels"]["release"], "1.3");
    assert_eq!(backup["spec"]["storageLocation"], "default");
    let restore = comes_back(&site, "v13", &shop, &json!({}));
    assert!(restore["status"]["errors"].is_null(), "{restore:#}");
}

#[test]
fn velero_s_format_1_1_0_is_imported_and_restored() {
    let mut site = Site::running();
    let shop = site.namespaces.reserve("shop");
    foreign::velero_1_16(site.bucket(), "v116", &shop, false).unwrap();
    let backup = imported(&site, "v116");
    assert_eq!(backup["status"]["formatVersion"], "1.1.0");
    assert_eq!(backup["status"]["warnings"], 1);
    comes_back(&site, "v116", &shop, &json!({}));
}

#[test]
fn of_all_api_versions_the_one_that_is_served_comes_back() {
    let mut site = Site::running();
    let shop = site.namespaces.reserve("shop");
    foreign::velero_1_16(site.bucket(), "all", &shop, true).unwrap();
    imported(&site, "all");
    comes_back(&site, "all", &shop, &json!({}));
    let path = "{.spec.maxReplicas}";
    let arguments = [
        "-n",
        &shop,
        "get",
        "hpa/web",
        "-o",
        &format!("jsonpath={path}"),
    ];
    assert_eq!(site.plane.kubectl(&arguments).unwrap(), "7");
}

#[test]
fn heptio_ark_0_10_is_imported_for_good_and_restored() {
    let mut site = Site::running();
    let shop = site.namespaces.reserve("shop");
    foreign::heptio_0_10(site.bucket(), "old", &shop).unwrap();
    let before = site.files("backups/old");
    let backup = imported(&site, "old");
    let metadata = &backup["metadata"];
    assert_eq!(metadata["labels"]["velero.io/schedule-name"], "nightly");
    assert_eq!(
        metadata["annotations"]["ark.heptio.com/origin"],
        "heptio-ark"
    );
    assert!(metadata["finalizers"].is_null(), "{metadata:#}");
    // Expired in 2018, and nobody deletes it for that.
    assert!(backup["status"]["expiration"].is_null(), "{backup:#}");
    let hooks = &backup["spec"]["hooks"]["resources"][0];
    assert_eq!(hooks["pre"][0]["exec"]["container"], "db", "{hooks:#}");
    comes_back(&site, "old", &shop, &json!({}));
    assert_eq!(site.files("backups/old"), before, "it is only read");
}

#[test]
fn heptio_ark_s_backups_at_the_root_need_the_layout_and_read_only() {
    let mut site = Site::new();
    site.start(|_| {});
    let (shop, den) = (
        site.namespaces.reserve("shop"),
        site.namespaces.reserve("den"),
    );
    foreign::heptio_0_3(site.bucket(), "first", &shop).unwrap();
    foreign::heptio_0_9(site.bucket(), "last", &den).unwrap();
    let before = (site.files("first"), site.files("last"));

    site.add_location("plain", site.bucket(), &json!({}));
    site.wait("bsl/plain", "{.status.phase}", "Unavailable");
    let says = |name: &str| site.get(name).unwrap()["status"]["message"].to_string();
    let message = says("bsl/plain");
    assert!(
        message.contains("first, last") && message.contains("`layout` to `heptio-ark`"),
        "{message}"
    );

    let config = json!({"layout": "heptio-ark"});
    site.add_location("writing", site.bucket(), &json!({"config": config}));
    site.wait("bsl/writing", "{.status.phase}", "Unavailable");
    assert!(says("bsl/writing").contains("set accessMode to ReadOnly"));

    let reading = json!({"config": config, "accessMode": "ReadOnly", "default": true});
    site.add_location("reading", site.bucket(), &reading);
    site.wait("bsl/reading", "{.status.phase}", "Available");
    for name in ["first", "last"] {
        assert_eq!(imported(&site, name)["status"]["phase"], "Completed");
    }
    // A native snapshot that only the status knows is not lost silently: the objects
    // here need none, so the restore is whole.
    comes_back(&site, "first", &shop, &json!({}));
    comes_back(&site, "last", &den, &json!({}));
    assert_eq!(
        (site.files("first"), site.files("last")),
        before,
        "they are only read"
    );

    site.add(
        "DeleteBackupRequest",
        "away",
        &json!({"backupName": "first"}),
    );
    site.wait("deletebackuprequest/away", "{.status.phase}", "Processed");
    let request = site.get("deletebackuprequest/away").unwrap();
    assert!(
        request["status"]["errors"][0]
            .as_str()
            .unwrap()
            .contains("read-only"),
        "{request:#}"
    );
    assert_eq!(site.files("first"), before.0);
}
