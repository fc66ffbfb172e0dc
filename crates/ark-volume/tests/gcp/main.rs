//! Persistent disks against the server of disks that Google's own client has judged.
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

/// A key of nobody, made for tests.
const KEY: &str = include_str!("../../../ark-store/tests/gcs/account.pem");
const PROJECT: &str = "shop";
const ZONE: &str = "europe-west1-b";

/// A cloud, who gives tokens for it, and its disks as Ark sees them.
struct Google {
    cloud: DiskCloud,
    tokens: TokenServer,
    disks: Arc<dyn Disks>,
}

impl Google {
    async fn new(config: &[(&str, &str)]) -> Self {
        let cloud = DiskCloud::start().unwrap();
        let tokens = TokenServer::start("for-disks").unwrap();
        let location = location(&cloud, &tokens, config);
        let disks = ark_volume::open(&location).await.unwrap();
        Self {
            cloud,
            tokens,
            disks,
        }
    }

    /// Makes a disk; its path.
    fn disk(&self, change: impl FnOnce(&mut DiskRecord)) -> String {
        let mut disk = DiskRecord::gce(PROJECT, ZONE, &unique_name("disk"), 10);
        change(&mut disk);
        self.cloud.add_disk(&disk);
        let scope = if disk.zones.is_empty() {
            "zones"
        } else {
            "regions"
        };
        format!(
            "projects/{}/{scope}/{}/disks/{}",
            disk.owner, disk.location, disk.name
        )
    }
}

fn location(cloud: &DiskCloud, tokens: &TokenServer, more: &[(&str, &str)]) -> SnapshotLocation {
    let file = json!({
        "type": "service_account",
        "project_id": PROJECT,
        "client_email": "ark@shop.iam.gserviceaccount.com",
        "private_key": KEY,
        "token_uri": format!("http://{}/token", tokens.authority()),
    });
    let mut config: std::collections::BTreeMap<String, String> = more
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    config.insert("endpoint".to_owned(), cloud.endpoint());
    SnapshotLocation {
        name: "disks".to_owned(),
        provider: "velero.io/gcp".to_owned(),
        config,
        credentials: Credentials::Contents(file.to_string().into_bytes()),
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
impl Subject for Google {
    fn disks(&self) -> &dyn Disks {
        self.disks.as_ref()
    }

    async fn volumes(&self) -> Vec<Value> {
        let path = self.disk(|_| {});
        let name = path.rsplit('/').next().unwrap();
        let migrated = format!("projects/UNSPECIFIED/zones/UNSPECIFIED/disks/{name}");
        let csi = |handle: &str| json!({"csi": {"driver": "pd.csi.storage.gke.io", "volumeHandle": handle}});
        let forms = [
            json!({"gcePersistentDisk": {"pdName": name}}),
            csi(&path),
            csi(&migrated),
        ];
        let labels = json!({"topology.kubernetes.io/zone": ZONE});
        let named =
            forms.map(|spec| json!({"metadata": {"name": "pv", "labels": labels}, "spec": spec}));
        named.into()
    }

    fn zones(&self) -> [&'static str; 2] {
        ["europe-west1-b", "europe-west1-c"]
    }

    fn missing_disk(&self) -> Disk {
        Disk {
            id: format!("projects/{PROJECT}/zones/{ZONE}/disks/missing"),
            zone: ZONE.to_owned(),
        }
    }

    fn missing_snapshot(&self) -> String {
        "missing".to_owned()
    }

    fn unique_name(&self) -> String {
        unique_name("ark")
    }
}

/// Slow, and with small pages.
async fn subject() -> Google {
    let google = Google::new(&[]).await;
    google.cloud.set_snapshot_steps(3);
    google.cloud.set_operation_steps(2);
    google.cloud.set_page_size(7);
    google
}

conformance_tests!(subject);
