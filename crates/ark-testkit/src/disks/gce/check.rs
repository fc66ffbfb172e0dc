//! What Google takes for a name, a size, a link; everything else is refused here,
//! before anything is made.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::http::{Call, Reply};
use super::{error, invalid};

/// The body as an object that has no other fields than `known`.
pub(super) fn body(call: &Call, known: &[&str]) -> Result<Map<String, Value>, Reply> {
    let body: Value =
        serde_json::from_str(&call.body).map_err(|_| error(400, "parseError", "Parse Error"))?;
    let Value::Object(body) = body else {
        return Err(error(400, "parseError", "Parse Error"));
    };
    if let Some(name) = body.keys().find(|name| !known.contains(&name.as_str())) {
        let message =
            format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.");
        return Err(error(400, "badRequest", &message));
    }
    Ok(body)
}

/// The name in a body, if it is one: `[a-z]([-a-z0-9]{0,61}[a-z0-9])?`.
pub(super) fn name(body: &Map<String, Value>) -> Result<String, Reply> {
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    let is_good = name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_good {
        let why = "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'";
        return Err(invalid("resource.name", name, why));
    }
    Ok(name.to_owned())
}

/// A size in GiB, which Google writes as a text and reads as a number too.
pub(super) fn size(body: &Map<String, Value>) -> Result<Option<u64>, Reply> {
    let Some(value) = body.get("sizeGb") else {
        return Ok(None);
    };
    let size = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    match size {
        Some(size) if (1..=65536).contains(&size) => Ok(Some(size)),
        _ => {
            let why = "Value must be between 1 and 65536";
            Err(invalid("resource.sizeGb", &value.to_string(), why))
        }
    }
}

/// Labels: at most 64, of small letters, digits, `_` and `-`, names beginning with a
/// letter.
pub(super) fn labels(value: Option<&Value>) -> Result<BTreeMap<String, String>, Reply> {
    let Some(value) = value else {
        return Ok(BTreeMap::new());
    };
    let refuse = |what: &str, why: &str| Err(invalid("resource.labels", what, why));
    let Some(entries) = value.as_object() else {
        return refuse(&value.to_string(), "Must be a map");
    };
    if entries.len() > 64 {
        return refuse("", "There can be at most 64 labels");
    }
    let is_good = |text: &str| {
        text.chars().count() <= 63
            && text
                .chars()
                .all(|c| c == '_' || c == '-' || (c.is_alphanumeric() && !c.is_uppercase()))
    };
    let mut labels = BTreeMap::new();
    for (name, value) in entries {
        let begins = name.starts_with(|c: char| c.is_alphabetic());
        if !begins || !is_good(name) {
            let why = "Label keys must match '[\\p{Ll}\\p{Lo}][\\p{Ll}\\p{Lo}\\p{N}_-]{0,62}'";
            return refuse(name, why);
        }
        match value.as_str() {
            Some(value) if is_good(value) => labels.insert(name.clone(), value.to_owned()),
            _ => {
                let why = "Label values must match '[\\p{Ll}\\p{Lo}\\p{N}_-]{0,63}'";
                return refuse(&value.to_string(), why);
            }
        };
    }
    Ok(labels)
}

/// A link, whole or from `projects/`, `zones/`, `regions/` or `global/` on, as a path
/// from `projects/` on. What it leaves out is `project`'s.
pub(super) fn link(field: &str, link: &str, project: &str) -> Result<String, Reply> {
    let path = match link.split_once("/compute/v1/") {
        Some((host, path)) if host.starts_with("https://") || host.starts_with("http://") => path,
        _ => link,
    };
    let parts: Vec<&str> = path.split('/').collect();
    let path = match parts.as_slice() {
        ["projects", _, "zones" | "regions", _, _, _]
        | ["projects", _, "zones" | "regions", _]
        | ["projects", _, "global", _, _] => path.to_owned(),
        ["zones" | "regions", _, _, _] | ["zones" | "regions", _] | ["global", _, _] => {
            format!("projects/{project}/{path}")
        }
        _ => return Err(invalid(field, link, "The URL is malformed.")),
    };
    if path.split('/').any(str::is_empty) {
        return Err(invalid(field, link, "The URL is malformed."));
    }
    Ok(path)
}
