//! Google's disks: making one, and what a test is told of it.

use serde_json::{Map, Value, json};

use super::super::http::{Call, Reply};
use super::super::record::{Cloud, DiskRecord};
use super::super::state::{Kind, Progress, Resource, State, now, text, texts};
use super::{
    Answer, LINKS, Place, Scope, check, error, invalid, labels, missing, operation, snapshot,
};

/// What may be said of a new disk.
const FIELDS: [&str; 17] = [
    "accessMode",
    "architecture",
    "description",
    "diskEncryptionKey",
    "enableConfidentialCompute",
    "labels",
    "name",
    "physicalBlockSizeBytes",
    "provisionedIops",
    "provisionedThroughput",
    "replicaZones",
    "resourcePolicies",
    "sizeGb",
    "sourceSnapshot",
    "sourceSnapshotEncryptionKey",
    "storagePool",
    "type",
];

pub(super) fn insert(state: &mut State, call: &Call, place: &Place<'_>) -> Answer {
    let mut body = check::body(call, &FIELDS)?;
    let name = check::name(&body)?;
    let path = format!("{}/disks/{name}", place.path);
    let labels = check::labels(body.get("labels"))?;
    let kind = kind(&body, place)?;
    let zones = replica_zones(&body, place)?;
    let size = check::size(&body)?;
    let size = match body.get("sourceSnapshot").and_then(Value::as_str) {
        Some(source) => {
            let source = check::link("resource.sourceSnapshot", source, place.project)?;
            let (size, id) = from_snapshot(state, &source, size)?;
            body.insert(
                "sourceSnapshot".to_owned(),
                format!("{LINKS}{source}").into(),
            );
            body.insert("sourceSnapshotId".to_owned(), id);
            size
        }
        // What Google gives to whoever does not say.
        None => size.unwrap_or(if kind.ends_with("/pd-standard") {
            500
        } else {
            100
        }),
    };
    if state.resources.contains_key(&path) {
        let message = format!("The resource '{path}' already exists");
        return Err(error(409, "alreadyExists", &message));
    }
    let id = state.next_id();
    let mut document = json!({
        "kind": "compute#disk",
        "id": id.to_string(),
        "creationTimestamp": now(),
        "status": "READY",
        "physicalBlockSizeBytes": "4096",
        "selfLink": format!("{LINKS}{path}"),
    });
    for (field, value) in body {
        document[field] = value;
    }
    document["sizeGb"] = size.to_string().into();
    document["type"] = format!("{LINKS}{kind}").into();
    if let Some(field) = place.scope.field() {
        document[field] = format!("{LINKS}{}", place.path).into();
    }
    if !zones.is_empty() {
        document["replicaZones"] = zones.into();
    }
    labels::write(&mut document, &labels);
    state.resources.insert(path.clone(), resource(document));
    Ok(operation::begin(
        state,
        call,
        place,
        ("insert", &path),
        None,
    ))
}

fn resource(document: Value) -> Resource {
    Resource {
        cloud: Cloud::Gce,
        kind: Kind::Disk,
        document,
        progress: Progress::default(),
        failure: None,
    }
}

/// The path of the type, which must be of the same place as the disk.
fn kind(body: &Map<String, Value>, place: &Place<'_>) -> Result<String, Reply> {
    let Some(kind) = body.get("type").and_then(Value::as_str) else {
        return Ok(format!("{}/diskTypes/pd-standard", place.path));
    };
    let path = check::link("resource.type", kind, place.project)?;
    if path
        .rsplit_once("/diskTypes/")
        .is_none_or(|(before, _)| before != place.path)
    {
        let why = "Disk type must be of the same zone or region as the disk.";
        return Err(invalid("resource.type", kind, why));
    }
    Ok(path)
}

/// The links of the two zones of a regional disk; none for a disk of one zone.
fn replica_zones(body: &Map<String, Value>, place: &Place<'_>) -> Result<Vec<String>, Reply> {
    let field = "resource.replicaZones";
    let zones = body.get("replicaZones").and_then(Value::as_array);
    let zones: Vec<&str> = zones
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if place.scope != Scope::Region {
        return match zones.first() {
            None => Ok(Vec::new()),
            Some(zone) => Err(invalid(
                field,
                zone,
                "Only regional disks have replica zones.",
            )),
        };
    }
    let prefix = format!("projects/{}/zones/{}-", place.project, place.location);
    let mut links = Vec::new();
    for zone in zones {
        let path = check::link(field, zone, place.project)?;
        if !path.starts_with(&prefix) {
            return Err(invalid(
                field,
                zone,
                "The zone is not in the disk's region.",
            ));
        }
        links.push(format!("{LINKS}{path}"));
    }
    if links.len() != 2 || links[0] == links[1] {
        let why = "Exactly 2 replica zones must be specified for a regional disk.";
        return Err(invalid(field, "", why));
    }
    Ok(links)
}

/// The size of a disk from the snapshot at `path`, and the snapshot's id.
fn from_snapshot(state: &State, path: &str, size: Option<u64>) -> Result<(u64, Value), Reply> {
    let source = state.resources.get(path);
    let source = source.filter(|source| source.kind == Kind::Snapshot);
    let source = source.ok_or_else(|| missing(path))?;
    if !snapshot::is_ready(source) {
        let message = format!("The resource '{path}' is not ready");
        return Err(error(400, "resourceNotReady", &message));
    }
    let least = number(&source.document, "/diskSizeGb");
    let size = size.unwrap_or(least);
    if size < least {
        let why =
            format!("Requested disk size cannot be smaller than the snapshot size ({least} GB)");
        return Err(invalid("resource.sizeGb", &size.to_string(), &why));
    }
    Ok((size, source.document["id"].clone()))
}

/// A number that Google writes as a text.
pub(super) fn number(document: &Value, pointer: &str) -> u64 {
    text(document, pointer).parse().unwrap_or(0)
}

pub(in super::super) fn add(state: &mut State, disk: &DiskRecord) {
    let project = format!("projects/{}", disk.owner);
    let (field, folder) = if disk.zones.is_empty() {
        ("zone", "zones")
    } else {
        ("region", "regions")
    };
    let place = format!("{project}/{folder}/{}", disk.location);
    let path = format!("{place}/disks/{}", disk.name);
    let id = state.next_id();
    let mut document = json!({
        "kind": "compute#disk",
        "id": id.to_string(),
        "name": disk.name,
        "creationTimestamp": now(),
        "status": "READY",
        "sizeGb": disk.size_gib.to_string(),
        "type": format!("{LINKS}{place}/diskTypes/{}", disk.kind),
        "physicalBlockSizeBytes": "4096",
        "selfLink": format!("{LINKS}{path}"),
    });
    document[field] = format!("{LINKS}{place}").into();
    if !disk.zones.is_empty() {
        let zones = disk.zones.iter();
        let zones: Vec<String> = zones
            .map(|zone| format!("{LINKS}{project}/zones/{zone}"))
            .collect();
        document["replicaZones"] = zones.into();
    }
    if let Some(source) = &disk.source {
        document["sourceSnapshot"] = format!("{LINKS}{source}").into();
    }
    if let Some(key) = &disk.encryption {
        document["diskEncryptionKey"] = json!({"kmsKeyName": key});
    }
    if let Some(machine) = &disk.attached_to {
        document["users"] = json!([format!("{LINKS}{place}/instances/{machine}")]);
    }
    labels::write(&mut document, &disk.labels);
    state.resources.insert(path, resource(document));
}

pub(in super::super) fn record(document: &Value) -> DiskRecord {
    let path = text(document, "/selfLink");
    let zones = document["replicaZones"].as_array();
    let source = text(document, "/sourceSnapshot").strip_prefix(LINKS);
    let key = text(document, "/diskEncryptionKey/kmsKeyName");
    let user = document["users"].get(0).and_then(Value::as_str);
    DiskRecord {
        cloud: Cloud::Gce,
        name: text(document, "/name").to_owned(),
        owner: project(path).to_owned(),
        location: path.split('/').nth_back(2).unwrap_or_default().to_owned(),
        zones: zones
            .into_iter()
            .flatten()
            .filter_map(|zone| Some(last(zone.as_str()?).to_owned()))
            .collect(),
        size_gib: number(document, "/sizeGb"),
        kind: last(text(document, "/type")).to_owned(),
        labels: texts(document, "/labels"),
        source: source.map(str::to_owned),
        encryption: (!key.is_empty()).then(|| key.to_owned()),
        attached_to: user.map(|user| last(user).to_owned()),
    }
}

/// The project in a link.
pub(super) fn project(link: &str) -> &str {
    let path = link.strip_prefix(LINKS).unwrap_or(link);
    path.split('/').nth(1).unwrap_or_default()
}

fn last(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or_default()
}
