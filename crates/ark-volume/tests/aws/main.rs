//! Amazon EBS against moto, which checks signatures.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall stop"
)]

mod disks;
mod faults;

use std::sync::Arc;

use ark_engine::port::{Disk, DiskRequest, Disks, Snapshot, SnapshotRequest};
use ark_testkit::aws::{AwsServer, REGION};
use ark_testkit::unique_name;
use ark_volume::conformance::{Subject, request};
use ark_volume::{Credentials, SnapshotLocation, conformance_tests};
use async_trait::async_trait;
use serde_json::{Value, json};

/// A location with the server's key, at this address.
fn location(endpoint: &str, more: &[(&str, &str)]) -> SnapshotLocation {
    let server = AwsServer::shared();
    let config = [("region", REGION), ("endpoint", endpoint)];
    let config = config.iter().chain(more);
    SnapshotLocation {
        name: "disks".to_owned(),
        provider: "velero.io/aws".to_owned(),
        config: config
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        credentials: Credentials::Contents(server.credentials_file().into_bytes()),
    }
}

async fn open(more: &[(&str, &str)]) -> Arc<dyn Disks> {
    let endpoint = AwsServer::shared().endpoint();
    ark_volume::open(&location(&endpoint, more)).await.unwrap()
}

/// A request of its own for a snapshot of a disk.
fn snapshot_of(disk: &str) -> SnapshotRequest {
    request::snapshot_of(disk, &unique_name("snapshot"))
}

/// A request of its own for a disk of a snapshot.
fn disk_of(snapshot: &Snapshot) -> DiskRequest {
    request::disk_of(snapshot, &unique_name("disk"))
}

struct Ebs(Arc<dyn Disks>);

#[async_trait]
impl Subject for Ebs {
    fn disks(&self) -> &dyn Disks {
        self.0.as_ref()
    }

    async fn volumes(&self) -> Vec<Value> {
        let id = AwsServer::shared()
            .create_disk(1, &[("VolumeType", "gp3")])
            .unwrap();
        let forms = [
            json!({"awsElasticBlockStore": {"volumeID": id}}),
            json!({"awsElasticBlockStore": {"volumeID": format!("aws://{REGION}a/{id}")}}),
            json!({"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": id}}),
        ];
        let named = forms.map(|spec| json!({"metadata": {"name": "pv"}, "spec": spec}));
        named.into()
    }

    fn zones(&self) -> [&'static str; 2] {
        ["us-east-1a", "us-east-1b"]
    }

    fn missing_disk(&self) -> Disk {
        Disk {
            id: "vol-0123456789abcdef0".to_owned(),
            zone: String::new(),
        }
    }

    fn missing_snapshot(&self) -> String {
        "snap-0123456789abcdef0".to_owned()
    }

    fn unique_name(&self) -> String {
        unique_name("ark")
    }
}

async fn subject() -> Ebs {
    Ebs(open(&[]).await)
}

conformance_tests!(subject);
