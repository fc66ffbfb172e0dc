//! The clouds that volumes are on in these tests.

use std::collections::BTreeMap;

use ark_testkit::aws::{AwsServer, REGION};
use ark_testkit::disks::{DiskCloud, DiskRecord};
use ark_testkit::tokens::TokenServer;
use ark_testkit::{http, unique_name};
use serde_json::{Value, json};

/// A key of nobody, made for tests.
const KEY: &str = include_str!("../../../../ark-store/tests/gcs/account.pem");
const ZONE: &str = "europe-west1-b";

/// A cloud with disks, seen past Ark.
pub(crate) trait Cloud {
    /// `http://HOST:PORT`.
    fn endpoint(&self) -> String;
    /// A snapshot location at this address, without its secret.
    fn location(&self, endpoint: &str) -> Value;
    /// The content of its credentials file.
    fn credentials(&self) -> String;
    /// Makes a disk; its id.
    fn create_disk(&self) -> String;
    fn delete_disk(&self, id: &str);
    /// What a volume's spec says of its disk; every other one in another form.
    fn source(&self, n: usize, disk: &str) -> Value;
    /// The id of the disk that a volume's spec names.
    fn disk_of(&self, spec: &Value) -> String;
    /// The snapshots of a backup: id, and the disk that it is of.
    fn snapshots(&self, backup: &str) -> Vec<(String, String)>;
    /// The disks of a restore: id, and the snapshot that it is made of.
    fn disks(&self, restore: &str) -> Vec<(String, String)>;
}

/// Amazon.
pub(crate) struct Amazon;

impl Cloud for Amazon {
    fn endpoint(&self) -> String {
        AwsServer::shared().endpoint()
    }

    fn location(&self, endpoint: &str) -> Value {
        let config = json!({"region": REGION, "endpoint": endpoint});
        json!({"provider": "velero.io/aws", "config": config})
    }

    fn credentials(&self) -> String {
        AwsServer::shared().credentials_file()
    }

    fn create_disk(&self) -> String {
        let gp3 = [("VolumeType", "gp3"), ("Iops", "3500")];
        AwsServer::shared().create_disk(1, &gp3).unwrap()
    }

    fn delete_disk(&self, id: &str) {
        let call = [("Action", "DeleteVolume"), ("VolumeId", id)];
        AwsServer::shared().call("ec2", &call).unwrap();
    }

    fn source(&self, n: usize, disk: &str) -> Value {
        if n.is_multiple_of(2) {
            return json!({"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": disk}});
        }
        let id = format!("aws://{REGION}a/{disk}");
        json!({"awsElasticBlockStore": {"volumeID": id, "fsType": "ext4"}})
    }

    fn disk_of(&self, spec: &Value) -> String {
        let id = spec["csi"]["volumeHandle"].as_str();
        let id = id.or_else(|| spec["awsElasticBlockStore"]["volumeID"].as_str());
        id.unwrap().rsplit('/').next().unwrap().to_owned()
    }

    fn snapshots(&self, backup: &str) -> Vec<(String, String)> {
        let all = AwsServer::shared().snapshots().unwrap().into_iter();
        let of_it = all.filter(|one| one.tag("ark.heptio.com/backup-uid") == Some(backup));
        of_it
            .map(|one| (one.id().to_owned(), one.text("volume_id").to_owned()))
            .collect()
    }

    fn disks(&self, restore: &str) -> Vec<(String, String)> {
        let all = AwsServer::shared().disks().unwrap().into_iter();
        let of_it = all.filter(|one| one.tag("ark.heptio.com/restore-uid") == Some(restore));
        of_it
            .map(|one| {
                assert_eq!(one.text("volume_type"), "gp3");
                assert_eq!(one.field("iops"), 3500);
                (one.id().to_owned(), one.text("snapshot_id").to_owned())
            })
            .collect()
    }
}

/// A cloud whose snapshots and operations take some looks.
fn slow() -> DiskCloud {
    let cloud = DiskCloud::start().unwrap();
    cloud.set_snapshot_steps(3);
    cloud.set_operation_steps(2);
    cloud
}

fn has(labels: &BTreeMap<String, String>, key: &str, value: &str) -> bool {
    labels.get(key).is_some_and(|found| found == value)
}

/// Deletes a disk by its path, without a word to Ark.
fn delete(cloud: &DiskCloud, path: &str) {
    let token = [("Authorization".to_owned(), "Bearer t".to_owned())];
    let answer = http::request(&cloud.authority(), "DELETE", path, &token, b"").unwrap();
    assert!(matches!(answer.status, 200 | 202), "{answer:?}");
}

/// Google.
pub(crate) struct Google {
    cloud: DiskCloud,
    tokens: TokenServer,
}

impl Google {
    /// An empty one.
    pub(crate) fn start() -> Self {
        Self {
            cloud: slow(),
            tokens: TokenServer::start("for-disks").unwrap(),
        }
    }
}

impl Cloud for Google {
    fn endpoint(&self) -> String {
        self.cloud.endpoint()
    }

    fn location(&self, endpoint: &str) -> Value {
        json!({"provider": "velero.io/gcp", "config": {"endpoint": endpoint}})
    }

    fn credentials(&self) -> String {
        let file = json!({
            "type": "service_account",
            "project_id": "shop",
            "client_email": "ark@shop.iam.gserviceaccount.com",
            "private_key": KEY,
            "token_uri": format!("http://{}/token", self.tokens.authority()),
        });
        file.to_string()
    }

    fn create_disk(&self) -> String {
        let disk = DiskRecord::gce("shop", ZONE, &unique_name("disk"), 1);
        self.cloud.add_disk(&disk);
        format!("projects/shop/zones/{ZONE}/disks/{}", disk.name)
    }

    fn delete_disk(&self, id: &str) {
        delete(&self.cloud, &format!("/compute/v1/{id}"));
    }

    fn source(&self, n: usize, disk: &str) -> Value {
        if n.is_multiple_of(2) {
            return json!({"csi": {"driver": "pd.csi.storage.gke.io", "volumeHandle": disk}});
        }
        let name = disk.rsplit('/').next().unwrap();
        // The API server takes such a volume with its zone alone.
        let zone =
            json!({"key": "topology.kubernetes.io/zone", "operator": "In", "values": [ZONE]});
        json!({
            "gcePersistentDisk": {"pdName": name},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}},
        })
    }

    fn disk_of(&self, spec: &Value) -> String {
        if let Some(name) = spec["gcePersistentDisk"]["pdName"].as_str() {
            return format!("projects/shop/zones/{ZONE}/disks/{name}");
        }
        spec["csi"]["volumeHandle"].as_str().unwrap().to_owned()
    }

    fn snapshots(&self, backup: &str) -> Vec<(String, String)> {
        let all = self.cloud.snapshots();
        let label = "ark-heptio-com_backup-uid";
        let of_it = all.iter().filter(|one| has(&one.labels, label, backup));
        of_it
            .map(|one| (one.name.clone(), one.source.clone()))
            .collect()
    }

    fn disks(&self, restore: &str) -> Vec<(String, String)> {
        let all = self.cloud.disks();
        let label = "ark-heptio-com_restore-uid";
        let of_it = all.iter().filter(|one| has(&one.labels, label, restore));
        of_it
            .map(|one| {
                assert_eq!(one.kind, "pd-balanced");
                let snapshot = one.source.as_deref().unwrap();
                let snapshot = snapshot.rsplit('/').next().unwrap();
                let id = format!(
                    "projects/{}/zones/{}/disks/{}",
                    one.owner, one.location, one.name
                );
                (id, snapshot.to_owned())
            })
            .collect()
    }
}

/// Azure.
pub(crate) struct Azure {
    cloud: DiskCloud,
    tokens: TokenServer,
}

impl Azure {
    /// An empty one.
    pub(crate) fn start() -> Self {
        Self {
            cloud: slow(),
            tokens: TokenServer::start("for-disks").unwrap(),
        }
    }
}

/// The id of something in the one resource group.
fn id_in_group(folder: &str, name: &str) -> String {
    format!(
        "/subscriptions/shop/resourceGroups/mc_shop/providers/Microsoft.Compute/{folder}/{name}"
    )
}

impl Cloud for Azure {
    fn endpoint(&self) -> String {
        self.cloud.endpoint()
    }

    fn location(&self, endpoint: &str) -> Value {
        let authority = format!("http://{}", self.tokens.authority());
        let config = json!({"endpoint": endpoint, "activeDirectoryAuthorityURI": authority});
        json!({"provider": "velero.io/azure", "config": config})
    }

    fn credentials(&self) -> String {
        let lines = [
            "AZURE_SUBSCRIPTION_ID=shop",
            "AZURE_RESOURCE_GROUP=MC_shop",
            "AZURE_TENANT_ID=tenant",
            "AZURE_CLIENT_ID=client",
            "AZURE_CLIENT_SECRET=secret",
        ];
        lines.join("\n")
    }

    fn create_disk(&self) -> String {
        let name = unique_name("disk");
        let disk = DiskRecord::azure("shop/MC_shop", "westeurope", &name, 1);
        self.cloud.add_disk(&disk);
        id_in_group("disks", &disk.name)
    }

    fn delete_disk(&self, id: &str) {
        delete(&self.cloud, &format!("{id}?api-version=2024-03-02"));
    }

    fn source(&self, n: usize, disk: &str) -> Value {
        if n.is_multiple_of(2) {
            return json!({"csi": {"driver": "disk.csi.azure.com", "volumeHandle": disk}});
        }
        let name = disk.rsplit('/').next().unwrap();
        json!({"azureDisk": {"diskName": name, "diskURI": disk, "kind": "Managed"}})
    }

    fn disk_of(&self, spec: &Value) -> String {
        let id = spec["csi"]["volumeHandle"].as_str();
        let id = id.or_else(|| spec["azureDisk"]["diskURI"].as_str());
        id.unwrap().to_owned()
    }

    fn snapshots(&self, backup: &str) -> Vec<(String, String)> {
        let all = self.cloud.snapshots();
        let tag = "ark.heptio.com-backup-uid";
        let of_it = all.iter().filter(|one| has(&one.labels, tag, backup));
        of_it
            .map(|one| (id_in_group("snapshots", &one.name), one.source.clone()))
            .collect()
    }

    fn disks(&self, restore: &str) -> Vec<(String, String)> {
        let all = self.cloud.disks();
        let tag = "ark.heptio.com-restore-uid";
        let of_it = all.iter().filter(|one| has(&one.labels, tag, restore));
        of_it
            .map(|one| {
                assert_eq!(one.kind, "StandardSSD_LRS");
                let snapshot = one.source.clone().unwrap();
                (id_in_group("disks", &one.name), snapshot)
            })
            .collect()
    }
}
