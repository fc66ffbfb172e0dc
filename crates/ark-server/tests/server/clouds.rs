//! Servers whose location is a bucket at Google's or Azure's: a backup's whole life.

use ark_testkit::azure::{self, BlobServer};
use ark_testkit::gcs::GcsServer;
use ark_testkit::http;
use ark_testkit::tokens::TokenServer;
use serde_json::{Value, json};

use crate::site::Site;

/// A key of nobody, made for tests.
const KEY: &str = include_str!("../../../ark-store/tests/gcs/account.pem");

/// A cloud's part of a location.
struct Bucket {
    provider: &'static str,
    name: String,
    /// The content of the credentials file.
    credentials: String,
    config: Value,
}

impl Bucket {
    /// A running server with the bucket below a prefix as its default location.
    fn site(&self) -> Site {
        let mut site = Site::new();
        site.start(|_| {});
        site.create(&json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cloud"},
            "stringData": {"file": self.credentials},
        }));
        site.add(
            "BackupStorageLocation",
            "default",
            &json!({
                "provider": self.provider, "default": true,
                "objectStorage": {"bucket": self.name, "prefix": "team/a"},
                "credential": {"name": "cloud", "key": "file"},
                "config": self.config,
                "backupSyncPeriod": "1s", "validationFrequency": "1s",
            }),
        );
        site.wait("bsl/default", "{.status.phase}", "Available");
        site
    }

    /// Makes a backup in one cluster, restores it in another, deletes it there, and
    /// sees it gone in both. `made` looks at the first cluster before.
    fn live_through(&self, made: impl FnOnce(&Site)) {
        let mut first = self.site();
        let shop = first.sample(3);
        first.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
        first.wait("backup/b", "{.status.phase}", "Completed");
        made(&first);

        let mut second = self.site();
        second.wait("backup/b", "{.status.phase}", "Completed");
        let copy = second.namespaces.reserve("copy");
        let mapped = json!({"backupName": "b", "namespaceMapping": {&shop: &copy}});
        second.add("Restore", "r", &mapped);
        second.wait("restore/r", "{.status.phase}", "Completed");
        assert_eq!(second.intact(&copy), 3);

        second.add("DeleteBackupRequest", "away", &json!({"backupName": "b"}));
        for site in [&second, &first] {
            site.until("the backup is gone", |site| site.get("backup/b").is_none());
        }
    }
}

#[test]
fn google_cloud_storage() {
    let tokens = TokenServer::start("t").unwrap();
    let server = GcsServer::shared();
    let account = json!({
        "type": "service_account",
        "client_email": "ark@project.iam.gserviceaccount.com",
        "private_key": KEY,
        "token_uri": format!("http://{}/token", tokens.authority()),
    });
    let bucket = Bucket {
        provider: "velero.io/gcp",
        name: server.create_unique_bucket("server").unwrap(),
        credentials: account.to_string(),
        config: json!({"endpoint": server.endpoint()}),
    };
    bucket.live_through(|site| {
        let target = json!({"target": {"kind": "BackupContents", "name": "b"}});
        site.add("DownloadRequest", "d", &target);
        site.wait("downloadrequest/d", "{.status.phase}", "Processed");
        let request = site.get("downloadrequest/d").unwrap();
        let url = request["status"]["downloadURL"].as_str().unwrap();
        assert!(url.contains("X-Goog-Signature="), "{url}");
        let answer = http::get(url).unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body[..2], [0x1f, 0x8b], "gzip");
    });
    let listed = format!("{}/storage/v1/b/{}/o", server.endpoint(), bucket.name);
    let left: Value = serde_json::from_slice(&http::get(&listed).unwrap().body).unwrap();
    assert_eq!(left.get("items"), None, "{left:#}");
}

#[test]
fn azure_blob_storage() {
    let server = BlobServer::shared();
    let bucket = Bucket {
        provider: "velero.io/azure",
        name: server.create_unique_container("server").unwrap(),
        credentials: format!(
            "AZURE_CLOUD_NAME=AzurePublicCloud\nTHE_KEY={}\n",
            azure::KEY
        ),
        config: json!({
            "resourceGroup": "backups", "storageAccount": azure::ACCOUNT,
            "storageAccountKeyEnvVar": "THE_KEY", "storageAccountURI": server.endpoint(),
        }),
    };
    bucket.live_through(|_| {});
}
