//! Google's labels, which are changed only by who knows which there are.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::http::Call;
use super::super::state::{State, text};
use super::{Answer, Place, check, missing, operation, refuse};

/// Puts `labels` and their fingerprint into a document; no labels are not written.
pub(super) fn write(document: &mut Value, labels: &BTreeMap<String, String>) {
    let digest = Sha256::digest(json!(labels).to_string());
    document["labelFingerprint"] = STANDARD.encode(&digest[..8]).into();
    if labels.is_empty() {
        if let Some(document) = document.as_object_mut() {
            document.remove("labels");
        }
    } else {
        document["labels"] = json!(labels);
    }
}

/// `POST …/setLabels`: all labels anew.
pub(super) fn set(state: &mut State, call: &Call, place: &Place<'_>, path: &str) -> Answer {
    let body = check::body(call, &["labels", "labelFingerprint"])?;
    let labels = check::labels(body.get("labels"))?;
    let resource = state.resources.get_mut(path);
    let document = &mut resource.ok_or_else(|| missing(path))?.document;
    let known = body.get("labelFingerprint").and_then(Value::as_str);
    if known != Some(text(document, "/labelFingerprint")) {
        return Err(refuse(412));
    }
    write(document, &labels);
    Ok(operation::begin(
        state,
        call,
        place,
        ("setLabels", path),
        None,
    ))
}
