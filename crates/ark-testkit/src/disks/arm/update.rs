//! Azure's `PATCH` and `DELETE` of a disk or snapshot.

use serde_json::{Map, Value};

use super::super::http::{Call, Reply};
use super::super::state::State;
use super::{Answer, Target, check, error, invalid, operation, source};

/// Changes what the body says; tags as a whole.
pub(super) fn patch(state: &mut State, call: &Call, target: &Target<'_>) -> Answer {
    let body = check::body(call, target.kind)?;
    let is_fixed = |name: &str| {
        body.get("properties")
            .is_some_and(|p| p.get(name).is_some())
    };
    let top = ["location", "zones"];
    if let Some(name) = top.into_iter().find(|name| body.contains_key(*name)) {
        let message = format!("Could not find member '{name}'. Path '{name}'.");
        return Err(error(400, "BadRequest", &message));
    }
    if is_fixed("creationData") || is_fixed("incremental") {
        let message = "Could not find member. It cannot be changed.";
        return Err(error(400, "BadRequest", message));
    }
    let resource = state.resources.get_mut(&target.key());
    let resource = resource.ok_or_else(|| target.missing())?;
    apply(&mut resource.document, &body)?;
    Ok(operation::begin(state, call, target, None))
}

/// Takes over what can be changed.
pub(super) fn apply(document: &mut Value, body: &Map<String, Value>) -> Result<(), Reply> {
    let nothing = Map::new();
    let properties = body.get("properties").and_then(Value::as_object);
    let properties = properties.unwrap_or(&nothing);
    if let Some(size) = source::size(properties)? {
        let old = document["properties"]["diskSizeGB"].as_u64().unwrap_or(0);
        if size < old {
            return Err(invalid("diskSizeGB", "A disk cannot be made smaller."));
        }
        document["properties"]["diskSizeBytes"] = (size << 30).into();
    }
    for (name, value) in properties {
        if name != "creationData" && name != "incremental" {
            document["properties"][name.as_str()] = value.clone();
        }
    }
    if let Some(tags) = body.get("tags") {
        document["tags"] = tags.clone();
    }
    if let Some(sku) = body.get("sku") {
        document["sku"]["name"] = sku["name"].clone();
    }
    Ok(())
}

/// 204 for what is not there, so that it can be said twice.
pub(super) fn delete(state: &mut State, call: &Call, target: &Target<'_>) -> Answer {
    let key = target.key();
    let Some(resource) = state.resources.get(&key) else {
        return Ok(Reply {
            status: 204,
            headers: Vec::new(),
            body: String::new(),
        });
    };
    if let Some(machine) = resource.document["managedBy"].as_str() {
        let message = format!("Disk {} is attached to VM {machine}.", target.name);
        return Err(error(409, "OperationNotAllowed", &message));
    }
    let mut reply = operation::begin(state, call, target, None);
    reply.body.clear();
    state.resources.remove(&key);
    Ok(reply)
}
