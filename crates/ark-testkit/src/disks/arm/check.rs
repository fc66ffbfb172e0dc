//! What Azure takes for a body, a name, tags, a SKU, zones; everything else is
//! refused here, before anything is made.

use serde_json::{Map, Value};

use super::super::http::{Call, Reply};
use super::super::state::Kind;
use super::{Target, error, invalid};

/// What may be said of a resource.
const FIELDS: [&str; 5] = ["location", "properties", "sku", "tags", "zones"];
/// What is told of a resource; Azure looks over it when it is sent back.
const TOLD: [&str; 4] = ["id", "name", "type", "managedBy"];
const PROPERTIES: [&str; 14] = [
    "burstingEnabled",
    "creationData",
    "dataAccessAuthMode",
    "diskAccessId",
    "diskIOPSReadWrite",
    "diskMBpsReadWrite",
    "diskSizeGB",
    "encryption",
    "hyperVGeneration",
    "maxShares",
    "networkAccessPolicy",
    "osType",
    "publicNetworkAccess",
    "tier",
];
const TOLD_PROPERTIES: [&str; 8] = [
    "completionPercent",
    "copyCompletionError",
    "diskSizeBytes",
    "diskState",
    "incrementalSnapshotFamilyId",
    "provisioningState",
    "timeCreated",
    "uniqueId",
];
const CREATION: [&str; 8] = [
    "createOption",
    "logicalSectorSize",
    "performancePlus",
    "provisionedBandwidthCopySpeed",
    "sourceResourceId",
    "sourceUniqueId",
    "sourceUri",
    "storageAccountId",
];
const DISK_SKUS: [&str; 7] = [
    "PremiumV2_LRS",
    "Premium_LRS",
    "Premium_ZRS",
    "StandardSSD_LRS",
    "StandardSSD_ZRS",
    "Standard_LRS",
    "UltraSSD_LRS",
];
const SNAPSHOT_SKUS: [&str; 3] = ["Premium_LRS", "Standard_LRS", "Standard_ZRS"];

/// That the query has `api-version=YYYY-MM-DD`, perhaps with `-preview`.
pub(super) fn api_version(call: &Call) -> Result<(), Reply> {
    let Some(version) = call.query.get("api-version") else {
        let message =
            "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(error(400, "MissingApiVersionParameter", message));
    };
    let date = version.strip_suffix("-preview").unwrap_or(version);
    if date.parse::<jiff::civil::Date>().is_err() || date.len() != 10 {
        let message = format!("The api-version '{version}' is invalid.");
        return Err(error(400, "InvalidApiVersionParameter", &message));
    }
    Ok(())
}

/// The body, without what Azure looks over.
pub(super) fn body(call: &Call, kind: Kind) -> Result<Map<String, Value>, Reply> {
    let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
    let Value::Object(mut body) = body else {
        let message = "The request content was invalid and could not be deserialized.";
        return Err(error(400, "InvalidRequestContent", message));
    };
    keep(&mut body, "", &FIELDS, &TOLD)?;
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        let mut known = PROPERTIES.to_vec();
        if kind == Kind::Snapshot {
            known.push("incremental");
        }
        keep(properties, "properties.", &known, &TOLD_PROPERTIES)?;
        if let Some(Value::Object(creation)) = properties.get_mut("creationData") {
            keep(creation, "properties.creationData.", &CREATION, &[])?;
        }
    }
    tags(body.get("tags"))?;
    zones(&body)?;
    sku(&body, kind)?;
    encryption(&mut body)?;
    Ok(body)
}

fn keep(
    fields: &mut Map<String, Value>,
    path: &str,
    known: &[&str],
    told: &[&str],
) -> Result<(), Reply> {
    fields.retain(|name, value| !told.contains(&name.as_str()) && !value.is_null());
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let message = format!("Could not find member '{name}'. Path '{path}{name}'.");
            Err(error(400, "BadRequest", &message))
        }
    }
}

/// A name: at most 80 letters, digits, `_`, `-` and `.`, with a letter or digit first
/// and no `-` or `.` last.
pub(super) fn name(target: &Target<'_>) -> Result<(), Reply> {
    let name = target.name;
    let is_good = name.len() <= 80
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if is_good {
        return Ok(());
    }
    let message = format!("The entity name '{name}' is invalid according to its validation rule.");
    Err(error(400, "InvalidResourceName", &message))
}

/// Tags: at most 50, names without `<>%&\?/`, not longer than 512, texts than 256.
fn tags(tags: Option<&Value>) -> Result<(), Reply> {
    let Some(tags) = tags else { return Ok(()) };
    let Some(tags) = tags.as_object() else {
        return Err(invalid("tags", "The value of parameter tags is invalid."));
    };
    if tags.len() > 50 {
        let message = "The maximum number of tags of a resource is 50.";
        return Err(error(400, "InvalidTags", message));
    }
    for (name, value) in tags {
        if name.is_empty() || name.contains(['<', '>', '%', '&', '\\', '?', '/']) {
            let message = format!(
                "The tag name '{name}' has reserved characters '<,>,%,&,\\,?,/' or control characters."
            );
            return Err(error(400, "InvalidTagNameCharacters", &message));
        }
        let Some(value) = value.as_str() else {
            return Err(invalid("tags", "The value of a tag is not a text."));
        };
        if name.chars().count() > 512 || value.chars().count() > 256 {
            let message = format!("The tag '{name}' is too long.");
            return Err(error(400, "InvalidTags", &message));
        }
    }
    Ok(())
}

fn zones(body: &Map<String, Value>) -> Result<(), Reply> {
    let Some(zones) = body.get("zones") else {
        return Ok(());
    };
    let is_good = zones.as_array().is_some_and(|zones| {
        zones.len() <= 1
            && zones
                .iter()
                .all(|zone| zone == "1" || zone == "2" || zone == "3")
    });
    if !is_good {
        return Err(invalid("zones", "The value of parameter zones is invalid."));
    }
    let sku = body.get("sku").and_then(|sku| sku["name"].as_str());
    if sku.is_some_and(|sku| sku.ends_with("_ZRS")) && zones != &Value::Array(Vec::new()) {
        let why = "A zone cannot be said for a disk that is in all of them.";
        return Err(invalid("zones", why));
    }
    Ok(())
}

fn sku(body: &Map<String, Value>, kind: Kind) -> Result<(), Reply> {
    let Some(sku) = body.get("sku") else {
        return Ok(());
    };
    let known = match kind {
        Kind::Disk => &DISK_SKUS[..],
        Kind::Snapshot => &SNAPSHOT_SKUS[..],
    };
    let name = sku["name"].as_str().unwrap_or_default();
    if known.contains(&name) {
        return Ok(());
    }
    let why = format!("The value '{name}' of parameter sku.name is invalid.");
    Err(invalid("sku.name", &why))
}

/// Checks the key's id, and says what Azure does when it is the only thing said.
fn encryption(body: &mut Map<String, Value>) -> Result<(), Reply> {
    let Some(encryption) = body
        .get_mut("properties")
        .and_then(|properties| properties.get_mut("encryption"))
    else {
        return Ok(());
    };
    let parameter = "encryption.diskEncryptionSetId";
    let set = encryption["diskEncryptionSetId"]
        .as_str()
        .map(str::to_lowercase);
    let kind = encryption["type"].as_str();
    let is_customers =
        kind.is_none_or(|kind| kind.ends_with("CustomerKey") || kind.ends_with("CustomerKeys"));
    match set {
        Some(set) if !set.contains("/providers/microsoft.compute/diskencryptionsets/") => Err(
            invalid(parameter, "The id of the disk encryption set is invalid."),
        ),
        Some(_) if !is_customers => Err(invalid(
            parameter,
            "The type of encryption uses no disk encryption set.",
        )),
        Some(_) => {
            if kind.is_none() {
                encryption["type"] = "EncryptionAtRestWithCustomerKey".into();
            }
            Ok(())
        }
        None if kind.is_some() && is_customers => Err(invalid(
            parameter,
            "The type of encryption needs a disk encryption set.",
        )),
        None => Ok(()),
    }
}

/// `West Europe` as `westeurope`.
pub(super) fn location(body: &Map<String, Value>) -> Result<String, Reply> {
    let location = body
        .get("location")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if location.is_empty() {
        let message = "The location property is required for this definition.";
        return Err(error(400, "LocationRequired", message));
    }
    Ok(location.replace(' ', "").to_lowercase())
}
