//! Google's snapshots: taking one of a disk, how it gets ready, and what a test is
//! told of it.

use serde_json::{Map, Value, json};

use super::super::http::Call;
use super::super::record::{Cloud, SnapshotRecord};
use super::super::state::{Kind, Progress, Resource, State, now, text, texts};
use super::{Answer, LINKS, Place, check, disk, error, invalid, labels, missing, operation};

/// What may be said of a new snapshot.
const FIELDS: [&str; 9] = [
    "chainName",
    "description",
    "labels",
    "name",
    "snapshotEncryptionKey",
    "snapshotType",
    "sourceDisk",
    "sourceDiskEncryptionKey",
    "storageLocations",
];

/// `POST global/snapshots`: the disk is in the body.
pub(super) fn insert(state: &mut State, call: &Call, place: &Place<'_>) -> Answer {
    let body = check::body(call, &FIELDS)?;
    let Some(source) = body.get("sourceDisk").and_then(Value::as_str) else {
        let message = "Required field 'resource.sourceDisk' not specified";
        return Err(error(400, "required", message));
    };
    let source = check::link("resource.sourceDisk", source, place.project)?;
    take(state, call, place, (body, &source))
}

/// `POST …/disks/D/createSnapshot`: the disk is in the path.
pub(super) fn create(state: &mut State, call: &Call, place: &Place<'_>, disk: &str) -> Answer {
    let body = check::body(call, &FIELDS)?;
    if let Some(source) = body.get("sourceDisk").and_then(Value::as_str)
        && check::link("resource.sourceDisk", source, place.project)? != disk
    {
        return Err(invalid(
            "resource.sourceDisk",
            source,
            "It is not the disk asked for.",
        ));
    }
    take(state, call, place, (body, disk))
}

fn take(
    state: &mut State,
    call: &Call,
    place: &Place<'_>,
    (body, source): (Map<String, Value>, &str),
) -> Answer {
    let name = check::name(&body)?;
    let path = format!("projects/{}/global/snapshots/{name}", place.project);
    let labels = check::labels(body.get("labels"))?;
    let disk = state.resources.get(source);
    let disk = disk.filter(|disk| disk.kind == Kind::Disk);
    let disk = disk.ok_or_else(|| missing(source))?.document.clone();
    if state.resources.contains_key(&path) {
        let message = format!("The resource '{path}' already exists");
        return Err(error(409, "alreadyExists", &message));
    }
    let id = state.next_id();
    let mut document = json!({
        "kind": "compute#snapshot",
        "id": id.to_string(),
        "creationTimestamp": now(),
        "selfLink": format!("{LINKS}{path}"),
        "snapshotType": "STANDARD",
        "creationSizeBytes": "0",
        "storageLocations": [storage_location(source)],
    });
    for (field, value) in body {
        document[field] = value;
    }
    document["sourceDisk"] = format!("{LINKS}{source}").into();
    document["sourceDiskId"] = disk["id"].clone();
    document["diskSizeGb"] = disk["sizeGb"].clone();
    labels::write(&mut document, &labels);
    let failure = state.failures.pop_front();
    let snapshot = Resource {
        cloud: Cloud::Gce,
        kind: Kind::Snapshot,
        document,
        progress: Progress::of(state.snapshot_steps),
        failure: failure.clone(),
    };
    state.resources.insert(path.clone(), snapshot);
    let verb = if source.starts_with(&place.path) {
        "createSnapshot"
    } else {
        "insert"
    };
    Ok(operation::begin(state, call, place, (verb, &path), failure))
}

/// Where Google keeps snapshots of a disk by itself: the multi-region nearest to it.
fn storage_location(disk: &str) -> &str {
    let place = disk.split('/').nth(3).unwrap_or_default();
    match place.split('-').next() {
        Some("us") => "us",
        Some("europe") => "eu",
        Some("asia") => "asia",
        _ => place,
    }
}

pub(super) fn is_ready(snapshot: &Resource) -> bool {
    snapshot.progress.is_done() && snapshot.failure.is_none()
}

/// The snapshot as it is seen now.
pub(super) fn shown(snapshot: &Resource) -> Value {
    let mut document = snapshot.document.clone();
    let status = match (snapshot.progress.is_done(), &snapshot.failure) {
        (true, None) => "READY",
        (true, Some(_)) => "FAILED",
        (false, _) if snapshot.progress.looks == 0 => "CREATING",
        (false, _) => "UPLOADING",
    };
    document["status"] = status.into();
    // Google tells how much it keeps once it has it.
    let stored = if is_ready(snapshot) {
        disk::number(&document, "/diskSizeGb") << 20
    } else {
        0
    };
    document["storageBytes"] = stored.to_string().into();
    document["downloadBytes"] = stored.to_string().into();
    document["storageBytesStatus"] = if is_ready(snapshot) {
        "UP_TO_DATE"
    } else {
        "UPDATING"
    }
    .into();
    document
}

pub(in super::super) fn record(snapshot: &Resource) -> SnapshotRecord {
    let document = &snapshot.document;
    let source = text(document, "/sourceDisk");
    let key = text(document, "/snapshotEncryptionKey/kmsKeyName");
    SnapshotRecord {
        cloud: Cloud::Gce,
        name: text(document, "/name").to_owned(),
        owner: disk::project(text(document, "/selfLink")).to_owned(),
        location: text(document, "/storageLocations/0").to_owned(),
        size_gib: disk::number(document, "/diskSizeGb"),
        kind: text(document, "/snapshotType").to_owned(),
        labels: texts(document, "/labels"),
        source: source.strip_prefix(LINKS).unwrap_or(source).to_owned(),
        encryption: (!key.is_empty()).then(|| key.to_owned()),
        incremental: true,
        is_ready: is_ready(snapshot),
    }
}
