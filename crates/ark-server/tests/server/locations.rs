//! Locations: what is wrong is said, and what is mended is seen.

use ark_server::{Server, ServerError, ServerOptions};
use serde_json::json;

use crate::site::Site;

#[test]
fn a_location_is_unavailable_until_it_is_mended() {
    let mut site = Site::new();
    site.start(|_| {});
    let late = site.file("late");
    site.add_location("late", &late, &json!({}));
    site.wait("bsl/late", "{.status.phase}", "Unavailable");
    let message = site.get("bsl/late").unwrap()["status"]["message"].to_string();
    assert!(message.contains("late"), "{message}");

    site.add("Backup", "b", &json!({"storageLocation": "late"}));
    site.wait("backup/b", "{.status.phase}", "FailedValidation");
    let errors = site.get("backup/b").unwrap()["status"]["validationErrors"].to_string();
    assert!(errors.contains("not available"), "{errors}");

    std::fs::create_dir(&late).unwrap();
    site.wait("bsl/late", "{.status.phase}", "Available");
    assert!(site.get("bsl/late").unwrap()["status"]["message"].is_null());

    std::fs::create_dir(late.join("holiday-pictures")).unwrap();
    site.wait("bsl/late", "{.status.phase}", "Unavailable");
    let message = site.get("bsl/late").unwrap()["status"]["message"].to_string();
    assert!(message.contains("holiday-pictures"), "{message}");
    let gauge = "velero_backup_location_status_gauge{backup_location_name=\"late\"} 0";
    assert!(site.ask("/metrics").contains(gauge));
}

#[test]
fn a_frequency_of_zero_validates_once_and_again_when_the_spec_changes() {
    let mut site = Site::new();
    site.start(|_| {});
    site.add_location("once", site.bucket(), &json!({"validationFrequency": "0s"}));
    site.wait("bsl/once", "{.status.phase}", "Available");
    let validated = |site: &Site| {
        let location = site.get("bsl/once").unwrap();
        location["status"]["lastValidationTime"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = validated(&site);
    // Another one, validated every second, shows that there was time for it.
    let other = site.file("backups");
    std::fs::create_dir(&other).unwrap();
    site.add_location("often", &other, &json!({}));
    site.wait("bsl/often", "{.status.phase}", "Available");
    let of_other =
        |site: &Site| site.get("bsl/often").unwrap()["status"]["lastValidationTime"].clone();
    let before = of_other(&site);
    site.until("the other's next", |site| of_other(site) != before);
    assert_eq!(validated(&site), first);
    let patch = r#"{"spec":{"accessMode":"ReadOnly"}}"#;
    site.kubectl(&["patch", "bsl", "once", "--type=merge", "-p", patch]);
    site.until("the next validation", |site| validated(site) != first);
}

#[test]
fn the_newest_default_is_the_only_one() {
    let site = Site::running();
    // Creation times are whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let other = site.file("backups");
    std::fs::create_dir(&other).unwrap();
    site.add_location("newer", &other, &json!({"default": true}));
    site.until("the change", |site| {
        site.get("bsl/default").unwrap()["spec"]["default"].is_null()
    });
    assert_eq!(site.get("bsl/newer").unwrap()["spec"]["default"], true);
}

#[test]
fn a_server_without_its_namespace_says_what_to_do() {
    let site = Site::new();
    let options = ServerOptions {
        namespace: Some("no-such-namespace".to_owned()),
        kubeconfig: Some(site.plane.kubeconfig().to_owned()),
        metrics_address: "127.0.0.1:0".to_owned(),
        ..ServerOptions::default()
    };
    let error = site.block_on(Server::prepare(options)).err().unwrap();
    assert!(matches!(error, ServerError::NoNamespace(_)), "{error}");
    assert!(error.to_string().contains("ark install"), "{error}");
}
