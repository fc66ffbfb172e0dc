//! A store that fails in the middle of a deletion: nothing is left behind in the
//! end, and until then the resource says that it is not done.

use ark_testkit::fault::{Fault, FaultProxy, Rule};
use ark_testkit::s3::S3Server;
use serde_json::json;

use crate::site::Site;

#[test]
fn a_deletion_that_failed_halfway_is_finished_by_the_next_request() {
    let mut site = Site::new();
    site.start(|_| {});
    let server = S3Server::shared();
    let bucket = server.create_unique_bucket("unsteady").unwrap();
    let access = server.access();
    let proxy = FaultProxy::start(&access.endpoint).unwrap();
    let profile = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        access.access_key, access.secret_key
    );
    site.create(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cloud"},
        "stringData": {"keys": profile},
    }));
    let spec = json!({
        "provider": "aws", "default": true,
        "objectStorage": {"bucket": &bucket},
        "credential": {"name": "cloud", "key": "keys"},
        "config": {"region": access.region, "s3Url": proxy.url(), "s3ForcePathStyle": "true"},
        "backupSyncPeriod": "1s", "validationFrequency": "1s",
    });
    site.add("BackupStorageLocation", "default", &spec);
    site.wait("bsl/default", "{.status.phase}", "Available");
    let shop = site.sample(2);
    let copy = site.namespaces.reserve("copy");
    site.add("Backup", "b", &json!({"includedNamespaces": [&shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    let mapping = json!({"backupName": "b", "namespaceMapping": {shop: &copy}});
    site.add("Restore", "r", &mapping);
    site.wait("restore/r", "{.status.phase}", "Completed");

    // The metadata file goes, and then nothing more does.
    let broken = |method: &str| {
        Rule::new("", Fault::InternalError)
            .method(method)
            .occurrences(2..=usize::MAX)
    };
    proxy.set([broken("POST"), broken("DELETE")]);
    site.add("DeleteBackupRequest", "first", &json!({"backupName": "b"}));
    site.wait("deletebackuprequest/first", "{.status.phase}", "Processed");
    let request = site.get("deletebackuprequest/first").unwrap();
    let errors = request["status"]["errors"].to_string();
    assert!(errors.contains("files of backup `b` remain"), "{errors}");
    assert!(proxy.faults() > 0);
    let backup = site.get("backup/b").unwrap();
    assert_eq!(backup["status"]["phase"], "Deleting");
    assert!(site.get("restore/r").is_some());

    proxy.set([]);
    site.add("DeleteBackupRequest", "second", &json!({"backupName": "b"}));
    site.until("the deletion", |site| site.get("backup/b").is_none());
    assert!(site.get("restore/r").is_none());
    let listed = access.request("GET", &format!("/{bucket}?list-type=2"), b"");
    let text = String::from_utf8_lossy(&listed.unwrap().body).into_owned();
    assert!(!text.contains("<Contents>"), "{text}");
    // A sync, which looks every second, brings nothing back.
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(site.get("backup/b").is_none());
}
