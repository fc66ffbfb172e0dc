//! A server whose location is a bucket of Google Cloud Storage: a backup's whole life.

use ark_testkit::gcs::GcsServer;
use ark_testkit::http;
use ark_testkit::tokens::TokenServer;
use serde_json::json;

use crate::site::Site;

/// A key of nobody, made for tests.
const KEY: &str = include_str!("../../../ark-store/tests/gcs/account.pem");

/// A running server with a bucket below a prefix as its default location.
fn site(bucket: &str, tokens: &TokenServer) -> Site {
    let mut site = Site::new();
    site.start(|_| {});
    let account = json!({
        "type": "service_account",
        "client_email": "ark@project.iam.gserviceaccount.com",
        "private_key": KEY,
        "token_uri": format!("http://{}/token", tokens.authority()),
    });
    site.create(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cloud"},
        "stringData": {"account.json": account.to_string()},
    }));
    site.add(
        "BackupStorageLocation",
        "default",
        &json!({
            "provider": "velero.io/gcp", "default": true,
            "objectStorage": {"bucket": bucket, "prefix": "team/a"},
            "credential": {"name": "cloud", "key": "account.json"},
            "config": {"endpoint": GcsServer::shared().endpoint()},
            "backupSyncPeriod": "1s", "validationFrequency": "1s",
        }),
    );
    site.wait("bsl/default", "{.status.phase}", "Available");
    site
}

#[test]
fn a_backup_is_made_fetched_found_by_another_cluster_restored_and_deleted() {
    let tokens = TokenServer::start("t").unwrap();
    let server = GcsServer::shared();
    let bucket = server.create_unique_bucket("server").unwrap();
    let mut site_a = site(&bucket, &tokens);
    let shop = site_a.sample(3);
    site_a.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site_a.wait("backup/b", "{.status.phase}", "Completed");

    let target = json!({"target": {"kind": "BackupContents", "name": "b"}});
    site_a.add("DownloadRequest", "d", &target);
    site_a.wait("downloadrequest/d", "{.status.phase}", "Processed");
    let request = site_a.get("downloadrequest/d").unwrap();
    let url = request["status"]["downloadURL"].as_str().unwrap();
    assert!(url.contains("X-Goog-Signature="), "{url}");
    let answer = http::get(url).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body[..2], [0x1f, 0x8b], "gzip");

    let mut site_b = site(&bucket, &tokens);
    site_b.wait("backup/b", "{.status.phase}", "Completed");
    let copy = site_b.namespaces.reserve("copy");
    let mapped = json!({"backupName": "b", "namespaceMapping": {&shop: &copy}});
    site_b.add("Restore", "r", &mapped);
    site_b.wait("restore/r", "{.status.phase}", "Completed");
    assert_eq!(site_b.intact(&copy), 3);

    site_b.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
    for site in [&site_b, &site_a] {
        site.until("the backup is gone", |site| site.get("backup/b").is_none());
    }
    let listed = format!("{}/storage/v1/b/{bucket}/o", GcsServer::shared().endpoint());
    let left = http::get(&listed).unwrap();
    let left: serde_json::Value = serde_json::from_slice(&left.body).unwrap();
    assert_eq!(left.get("items"), None, "{left:#}");
}
