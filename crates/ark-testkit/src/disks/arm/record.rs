//! What a test is told of Azure's disks and snapshots, and a disk it puts there.

use serde_json::{Value, json};

use super::super::record::{Cloud, DiskRecord, SnapshotRecord};
use super::super::state::{Kind, Progress, Resource, State, now, text, texts};
use super::{Target, is_ready, operation};

pub(in super::super) fn disk(document: &Value) -> DiskRecord {
    let zones = document["zones"].as_array();
    let size = document["properties"]["diskSizeGB"].as_u64();
    let source = text(document, "/properties/creationData/sourceResourceId");
    let machine = document["managedBy"].as_str();
    DiskRecord {
        cloud: Cloud::Azure,
        name: text(document, "/name").to_owned(),
        owner: owner(document),
        location: text(document, "/location").to_owned(),
        zones: zones
            .into_iter()
            .flatten()
            .filter_map(|zone| Some(zone.as_str()?.to_owned()))
            .collect(),
        size_gib: size.unwrap_or(0),
        kind: text(document, "/sku/name").to_owned(),
        labels: texts(document, "/tags"),
        source: some(source),
        encryption: some(encryption(document)),
        attached_to: machine.map(|id| id.rsplit('/').next().unwrap_or_default().to_owned()),
    }
}

pub(in super::super) fn snapshot(state: &State, key: &str, resource: &Resource) -> SnapshotRecord {
    let document = &resource.document;
    let size = document["properties"]["diskSizeGB"].as_u64();
    SnapshotRecord {
        cloud: Cloud::Azure,
        name: text(document, "/name").to_owned(),
        owner: owner(document),
        location: text(document, "/location").to_owned(),
        size_gib: size.unwrap_or(0),
        kind: text(document, "/sku/name").to_owned(),
        labels: texts(document, "/tags"),
        source: text(document, "/properties/creationData/sourceResourceId").to_owned(),
        encryption: some(encryption(document)),
        incremental: document["properties"]["incremental"] == true,
        is_ready: is_ready(state, key),
    }
}

/// `SUBSCRIPTION/RESOURCE-GROUP` of the id.
fn owner(document: &Value) -> String {
    let parts: Vec<&str> = text(document, "/id").split('/').collect();
    match parts.as_slice() {
        ["", _, subscription, _, group, ..] => format!("{subscription}/{group}"),
        _ => String::new(),
    }
}

fn encryption(document: &Value) -> &str {
    text(document, "/properties/encryption/diskEncryptionSetId")
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

pub(in super::super) fn add_disk(state: &mut State, disk: &DiskRecord) {
    let (subscription, group) = disk.owner.split_once('/').unwrap_or((&disk.owner, ""));
    let target = Target {
        subscription,
        group,
        kind: Kind::Disk,
        name: &disk.name,
    };
    let creation = match &disk.source {
        None => json!({"createOption": "Empty"}),
        Some(source) => json!({"createOption": "Copy", "sourceResourceId": source}),
    };
    let encryption = match &disk.encryption {
        None => json!({"type": "EncryptionAtRestWithPlatformKey"}),
        Some(set) => {
            json!({"type": "EncryptionAtRestWithCustomerKey", "diskEncryptionSetId": set})
        }
    };
    let mut document = json!({
        "id": target.id(),
        "name": disk.name,
        "type": "Microsoft.Compute/disks",
        "location": disk.location,
        "sku": {"name": disk.kind},
        "tags": disk.labels,
        "properties": {
            "creationData": creation,
            "diskSizeGB": disk.size_gib,
            "diskSizeBytes": disk.size_gib << 30,
            "timeCreated": now(),
            "uniqueId": operation::uuid(),
            "diskState": if disk.attached_to.is_some() { "Attached" } else { "Unattached" },
            "encryption": encryption,
        },
    });
    if !disk.zones.is_empty() {
        document["zones"] = json!(disk.zones);
    }
    if let Some(machine) = &disk.attached_to {
        let id = target.id().replace(
            &format!("/disks/{}", disk.name),
            &format!("/virtualMachines/{machine}"),
        );
        document["managedBy"] = id.into();
    }
    let resource = Resource {
        cloud: Cloud::Azure,
        kind: Kind::Disk,
        document,
        progress: Progress::default(),
        failure: None,
    };
    state.resources.insert(target.key(), resource);
}
