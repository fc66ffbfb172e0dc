//! Managed disks against the server of disks that Azure's own client has judged.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall stop"
)]

mod disks;
mod faults;

use std::sync::Arc;

use ark_engine::port::{Disk, DiskRequest, Disks, Snapshot, SnapshotRequest};
use ark_testkit::disks::{DiskCloud, DiskRecord};
use ark_testkit::tokens::TokenServer;
use ark_testkit::unique_name;
use ark_volume::conformance::{Subject, request};
use ark_volume::{Credentials, SnapshotLocation, conformance_tests};
use async_trait::async_trait;
use serde_json::{Value, json};

const OWNER: &str = "shop/mc_shop";
const REGION: &str = "westeurope";
const FILE: &str = "AZURE_SUBSCRIPTION_ID=shop\nAZURE_RESOURCE_GROUP=MC_shop\n\
                    AZURE_TENANT_ID=tenant\nAZURE_CLIENT_ID=client\nAZURE_CLIENT_SECRET=secret\n";

/// A cloud, who gives tokens for it, and its disks as Ark sees them.
struct Azure {
    cloud: DiskCloud,
    tokens: TokenServer,
    disks: Arc<dyn Disks>,
}

impl Azure {
    async fn new(config: &[(&str, &str)]) -> Self {
        Self::with(FILE, config).await
    }

    async fn with(file: &str, config: &[(&str, &str)]) -> Self {
        let cloud = DiskCloud::start().unwrap();
        let tokens = TokenServer::start("for-disks").unwrap();
        let location = location(&cloud, &tokens, file, config);
        let disks = ark_volume::open(&location).await.unwrap();
        Self {
            cloud,
            tokens,
            disks,
        }
    }

    /// Makes a disk; its id.
    fn disk(&self, change: impl FnOnce(&mut DiskRecord)) -> String {
        let mut disk = DiskRecord::azure(OWNER, REGION, &unique_name("Disk"), 10);
        change(&mut disk);
        self.cloud.add_disk(&disk);
        id("disks", &disk.owner, &disk.name)
    }

    /// A disk as the cloud has it.
    fn kept(&self, id: &str) -> DiskRecord {
        let name = id.rsplit('/').next().unwrap();
        let all = self.cloud.disks();
        all.into_iter().find(|disk| disk.name == name).unwrap()
    }
}

fn id(folder: &str, owner: &str, name: &str) -> String {
    let (subscription, group) = owner.split_once('/').unwrap();
    format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/{folder}/{name}"
    )
}

fn location(
    cloud: &DiskCloud,
    tokens: &TokenServer,
    file: &str,
    more: &[(&str, &str)],
) -> SnapshotLocation {
    let mut config: std::collections::BTreeMap<String, String> = more
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    config.insert("endpoint".to_owned(), cloud.endpoint());
    let authority = format!("http://{}", tokens.authority());
    config.insert("activeDirectoryAuthorityURI".to_owned(), authority);
    SnapshotLocation {
        name: "disks".to_owned(),
        provider: "velero.io/azure".to_owned(),
        config,
        credentials: Credentials::Contents(file.as_bytes().to_vec()),
    }
}

/// A request of its own for a snapshot of a disk.
fn snapshot_of(disk: &str) -> SnapshotRequest {
    request::snapshot_of(disk, &unique_name("snapshot"))
}

/// A request of its own for a disk of a snapshot.
fn disk_of(snapshot: &Snapshot) -> DiskRequest {
    request::disk_of(snapshot, &unique_name("disk"))
}

#[async_trait]
impl Subject for Azure {
    fn disks(&self) -> &dyn Disks {
        self.disks.as_ref()
    }

    async fn volumes(&self) -> Vec<Value> {
        let id = self.disk(|_| {});
        let name = id.rsplit('/').next().unwrap();
        let csi =
            |handle: &str| json!({"csi": {"driver": "disk.csi.azure.com", "volumeHandle": handle}});
        let shouted = id.replace("mc_shop", "MC_SHOP");
        let forms = [
            json!({"azureDisk": {"diskName": name, "diskURI": id, "kind": "Managed"}}),
            csi(&id),
            csi(&shouted.replace("resourceGroups", "resourcegroups")),
        ];
        let named = forms.map(|spec| json!({"metadata": {"name": "pv"}, "spec": spec}));
        named.into()
    }

    fn zones(&self) -> [&'static str; 2] {
        ["westeurope-1", "westeurope-2"]
    }

    fn missing_disk(&self) -> Disk {
        Disk {
            id: id("disks", OWNER, "missing"),
            zone: String::new(),
        }
    }

    fn missing_snapshot(&self) -> String {
        id("snapshots", OWNER, "missing")
    }

    fn unique_name(&self) -> String {
        unique_name("ark")
    }
}

/// Slow, and with small pages.
async fn subject() -> Azure {
    let azure = Azure::new(&[]).await;
    azure.cloud.set_snapshot_steps(3);
    azure.cloud.set_operation_steps(2);
    azure.cloud.set_page_size(7);
    azure
}

conformance_tests!(subject);
