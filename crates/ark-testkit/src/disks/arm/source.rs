//! What an Azure disk or snapshot is made of: `creationData`, and what follows from it
//! for the size.

use serde_json::{Map, Value, json};

use super::super::http::Reply;
use super::super::state::{Kind, State, text};
use super::{Target, error, invalid, is_ready, kind};

/// What the new one takes from it.
pub(super) struct Source {
    pub(super) size: u64,
    /// As it is told later.
    pub(super) creation: Value,
    /// Of the disk that snapshots are of, so that they know each other.
    pub(super) family: Option<String>,
    /// The source's SKU, if there is a source.
    pub(super) sku: Option<String>,
}

/// The source of a `kind` in `location` whose body has `properties`.
pub(super) fn find(
    state: &State,
    kind: Kind,
    location: &str,
    properties: &Map<String, Value>,
) -> Result<Source, Reply> {
    let creation = properties.get("creationData").cloned().unwrap_or_default();
    let option = text(&creation, "/createOption").to_owned();
    let size = size(properties)?;
    match (option.as_str(), kind) {
        ("", _) => {
            let why = "Required parameter 'creationData.createOption' is missing (null).";
            Err(invalid("creationData.createOption", why))
        }
        ("Empty", Kind::Disk) => {
            let why = "Required parameter 'diskSizeGB' is missing (null).";
            let size = size.ok_or_else(|| invalid("diskSizeGB", why))?;
            Ok(Source {
                size,
                creation,
                family: None,
                sku: None,
            })
        }
        ("Import", _) => {
            if text(&creation, "/sourceUri").is_empty() {
                let why = "Required parameter 'creationData.sourceUri' is missing (null).";
                return Err(invalid("creationData.sourceUri", why));
            }
            // How much the blob has is not known here.
            Ok(Source {
                size: size.unwrap_or(1),
                creation,
                family: None,
                sku: None,
            })
        }
        ("Copy", _) | ("CopyStart", Kind::Snapshot) => {
            let is_start = option == "CopyStart";
            if is_start && properties.get("incremental") != Some(&Value::Bool(true)) {
                let why = "CopyStart is for incremental snapshots only.";
                return Err(invalid("creationData.createOption", why));
            }
            let location = if is_start { None } else { Some(location) };
            copy(state, kind, location, (creation, size))
        }
        _ => {
            let why = format!("The value '{option}' of parameter createOption is invalid.");
            Err(invalid("creationData.createOption", &why))
        }
    }
}

/// A size in GiB, if one is given.
pub(super) fn size(properties: &Map<String, Value>) -> Result<Option<u64>, Reply> {
    match properties.get("diskSizeGB") {
        None => Ok(None),
        Some(size) => match size.as_u64() {
            Some(size @ 1..=65_536) => Ok(Some(size)),
            _ => Err(invalid(
                "diskSizeGB",
                "The value of parameter diskSizeGB is invalid.",
            )),
        },
    }
}

/// A copy, which must be in the same `location` if one is given.
fn copy(
    state: &State,
    new: Kind,
    location: Option<&str>,
    (mut creation, size): (Value, Option<u64>),
) -> Result<Source, Reply> {
    let parameter = "creationData.sourceResourceId";
    let id = text(&creation, "/sourceResourceId").to_owned();
    let parts: Vec<&str> = id.split('/').collect();
    let ["", _, subscription, _, group, _, _, folder, name] = parts.as_slice() else {
        return Err(invalid(
            parameter,
            "The id of the source is missing or invalid.",
        ));
    };
    let kind = kind(folder).ok_or_else(|| invalid(parameter, "It is no disk or snapshot."))?;
    let target = Target {
        subscription,
        group,
        kind,
        name,
    };
    let key = target.key();
    let found = state.resources.get(&key).ok_or_else(|| target.missing())?;
    let document = &found.document;
    let is_start = location.is_none();
    if is_start && (kind != Kind::Snapshot || document["properties"]["incremental"] != true) {
        return Err(invalid(
            parameter,
            "CopyStart is for incremental snapshots only.",
        ));
    }
    if location.is_some_and(|location| text(document, "/location") != location) {
        let why = "The source is in another location than the new resource.";
        return Err(invalid(parameter, why));
    }
    if kind == Kind::Snapshot && !is_ready(state, &key) {
        let message = format!("The snapshot '{name}' is not complete yet.");
        return Err(error(409, "OperationNotAllowed", &message));
    }
    let least = document["properties"]["diskSizeGB"].as_u64().unwrap_or(0);
    let size = size.unwrap_or(least);
    if size < least || (size > least && new == Kind::Snapshot) {
        let why = format!("The size {size} does not suit the source's size {least}.");
        return Err(invalid("diskSizeGB", &why));
    }
    let unique = &document["properties"]["uniqueId"];
    creation["sourceUniqueId"] = json!(unique);
    let family = match kind {
        Kind::Disk => unique.as_str(),
        Kind::Snapshot => document["properties"]["incrementalSnapshotFamilyId"].as_str(),
    };
    Ok(Source {
        size,
        creation,
        family: family.map(str::to_owned),
        sku: Some(text(document, "/sku/name").to_owned()),
    })
}
