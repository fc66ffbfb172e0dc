//! Azure's `PUT` of a disk or snapshot: makes it, or changes it as far as that goes.

use serde_json::{Map, Value, json};

use super::super::http::{Call, Reply};
use super::super::record::Cloud;
use super::super::state::{Kind, Progress, Resource, State, now, text};
use super::{Answer, Target, check, error, folder, invalid, is_copy_start, operation, source};

pub(super) fn put(state: &mut State, call: &Call, target: &Target<'_>) -> Answer {
    check::name(target)?;
    let body = check::body(call, target.kind)?;
    let location = check::location(&body)?;
    let nothing = Map::new();
    let properties = body.get("properties").and_then(Value::as_object);
    let properties = properties.unwrap_or(&nothing);
    let key = target.key();
    if let Some(old) = state.resources.get_mut(&key) {
        change(&mut old.document, &body, properties, &location)?;
        return Ok(operation::begin(state, call, target, None));
    }
    let source = source::find(state, target.kind, &location, properties)?;
    let is_incremental = properties.get("incremental") == Some(&Value::Bool(true));
    let needs_incremental = ["UltraSSD_LRS", "PremiumV2_LRS"];
    if target.kind == Kind::Snapshot
        && !is_incremental
        && needs_incremental.contains(&source.sku.as_deref().unwrap_or_default())
    {
        let why = "Snapshots of this kind of disk must be incremental.";
        return Err(invalid("incremental", why));
    }
    let family = source.family.clone().filter(|_| is_incremental);
    let mut document = document(target, &location, &body, &source);
    if target.kind == Kind::Snapshot {
        document["properties"]["incremental"] = is_incremental.into();
        if let Some(family) = family {
            document["properties"]["incrementalSnapshotFamilyId"] = family.into();
        }
    }
    let (progress, failure) = match target.kind {
        Kind::Disk => (Progress::default(), None),
        Kind::Snapshot => (
            Progress::of(state.snapshot_steps),
            state.failures.pop_front(),
        ),
    };
    // A copy to another location fails behind the operation, all else with it.
    let at_once = failure.clone().filter(|_| !is_copy_start(&document));
    let resource = Resource {
        cloud: Cloud::Azure,
        kind: target.kind,
        document,
        progress,
        failure,
    };
    state.resources.insert(key, resource);
    Ok(operation::begin(state, call, target, at_once))
}

fn document(
    target: &Target<'_>,
    location: &str,
    body: &Map<String, Value>,
    source: &source::Source,
) -> Value {
    let mut document = json!({
        "id": target.id(),
        "name": target.name,
        "type": format!("Microsoft.Compute/{}", folder(target.kind)),
        "sku": {"name": "Standard_LRS"},
        "tags": {},
    });
    for (field, value) in body {
        document[field.as_str()] = value.clone();
    }
    document["location"] = location.into();
    let tier = text(&document, "/sku/name").split('_').next();
    let tier = tier.unwrap_or_default().replace("SSD", "");
    document["sku"]["tier"] = tier.into();
    let properties = &mut document["properties"];
    properties["creationData"] = source.creation.clone();
    properties["diskSizeGB"] = source.size.into();
    properties["diskSizeBytes"] = (source.size << 30).into();
    properties["timeCreated"] = now().into();
    properties["uniqueId"] = operation::uuid().into();
    properties["diskState"] = "Unattached".into();
    if properties["encryption"].is_null() {
        properties["encryption"] = json!({"type": "EncryptionAtRestWithPlatformKey"});
    }
    document
}

/// A `PUT` of something that is there already.
fn change(
    document: &mut Value,
    body: &Map<String, Value>,
    properties: &Map<String, Value>,
    location: &str,
) -> Result<(), Reply> {
    if text(document, "/location") != location {
        let message = format!(
            "The resource '{}' already exists in location '{}'. A resource with the same name \
             cannot be created in location '{location}'.",
            text(document, "/name"),
            text(document, "/location")
        );
        return Err(error(409, "InvalidResourceLocation", &message));
    }
    let new = properties.get("creationData").cloned().unwrap_or_default();
    let old = &document["properties"]["creationData"];
    for name in ["createOption", "sourceResourceId", "sourceUri"] {
        let [new, old] = [&new, old].map(|data| data[name].as_str().unwrap_or_default());
        if !new.eq_ignore_ascii_case(old) {
            let message = format!("Changing property 'creationData.{name}' is not allowed.");
            return Err(error(409, "PropertyChangeNotAllowed", &message));
        }
    }
    super::update::apply(document, body)?;
    // Unlike `PATCH`, it takes away what it does not say.
    if !body.contains_key("tags") {
        document["tags"] = json!({});
    }
    Ok(())
}
