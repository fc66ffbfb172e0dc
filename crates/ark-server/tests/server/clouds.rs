//! Servers whose location is a bucket at Google's or Azure's, or at somebody's who speaks
//! S3's protocol less than well: a backup's whole life.

use ark_testkit::aws::AwsServer;
use ark_testkit::azure::{self, BlobServer};
use ark_testkit::fault::{Fault, FaultProxy, Rule};
use ark_testkit::gcs::GcsServer;
use ark_testkit::tokens::TokenServer;
use ark_testkit::{http, unique_name};
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

#[test]
fn a_look_alike_of_s3_is_used_with_care() {
    let server = AwsServer::start_unchecked().unwrap();
    let endpoint = server.endpoint();
    let authority = endpoint.strip_prefix("http://").unwrap();
    let name = unique_name("quirks");
    let made = http::request(authority, "PUT", &format!("/{name}"), &[], b"").unwrap();
    assert_eq!(made.status, 200);
    let proxy = FaultProxy::start(&endpoint).unwrap();
    proxy.set([
        Rule::new("", Fault::Without("if-none-match")).method("PUT"),
        Rule::new("", Fault::Without("range")).method("GET"),
        Rule::new("uploads", Fault::NotImplemented).method("POST"),
        Rule::new("delete", Fault::NotImplemented).method("POST"),
    ]);
    let bucket = Bucket {
        provider: "velero.io/aws",
        name,
        credentials: "[default]\naws_access_key_id = k\naws_secret_access_key = s\n".to_owned(),
        config: json!({
            "region": "us-east-1", "s3Url": proxy.url(), "s3ForcePathStyle": "true",
        }),
    };
    bucket.live_through(|site| {
        let location = site.get("bsl/default").unwrap();
        let message = location["status"]["message"].as_str().unwrap();
        for part in [
            "the store can be used, with care: ",
            "no two servers may write to it",
            "it does not read ranges",
            "it takes no uploads in parts (",
            "it deletes one object a call",
        ] {
            assert!(message.contains(part), "{message}");
        }
    });
}
