//! Azure's long-running operations: every change answers with where to ask for it, and
//! is done at once; what takes steps is that the operation says so.

use serde_json::{Value, json};

use super::super::http::{Call, Reply};
use super::super::state::{Operation, Progress, State, now, text};
use super::{Answer, Target, error, is_copy_start, shown};
use crate::names;

/// Begins one on `target`, which fails in the end for `failure`: 202 with the resource
/// as it is by now.
pub(super) fn begin(
    state: &mut State,
    call: &Call,
    target: &Target<'_>,
    failure: Option<String>,
) -> Reply {
    let id = uuid();
    let key = target.key();
    let location = state
        .resources
        .get(&key)
        .map(|found| text(&found.document, "/location"));
    let link = format!(
        "http://{}/subscriptions/{}/providers/Microsoft.Compute/locations/{}/DiskOperations/{id}\
         ?p={}&api-version={}",
        call.host,
        target.subscription,
        location.unwrap_or("global"),
        uuid(),
        call.query.get("api-version").map_or("", String::as_str),
    );
    let operation = Operation {
        document: json!({"name": id, "startTime": now()}),
        progress: Progress::of(state.operation_steps),
        failure,
        target: key.clone(),
    };
    state.operations.insert(id, operation);
    let mut document = shown(state, &key).unwrap_or_default();
    // Also when an operation takes no step, its first answer comes too early to know.
    document["properties"]["provisioningState"] = "Updating".into();
    Reply::json(202, &document)
        .with("Azure-AsyncOperation", &link)
        .with("Location", format!("{link}&monitor=true"))
        .with("Retry-After", "0")
}

/// A UUID that nothing else has.
pub(super) fn uuid() -> String {
    let digits = names::random_hex(16);
    let (a, b, c, d) = (
        &digits[..8],
        &digits[8..12],
        &digits[13..16],
        &digits[17..20],
    );
    format!("{a}-{b}-4{c}-a{d}-{}", &digits[20..])
}

/// `Updating`, `Succeeded` or `Failed`.
pub(super) fn provisioning(state: &State, key: &str) -> &'static str {
    let mut operations = state.operations.values();
    if operations.any(|found| found.target == key && !found.progress.is_done()) {
        return "Updating";
    }
    let is_lost = state
        .resources
        .get(key)
        .is_some_and(|found| found.failure.is_some() && !is_copy_start(&found.document));
    if is_lost { "Failed" } else { "Succeeded" }
}

/// Takes all operations on a resource a step further.
pub(super) fn look(state: &mut State, key: &str) {
    let operations = state.operations.values_mut();
    for operation in operations.filter(|found| found.target == key) {
        operation.progress.look();
    }
}

/// What `Azure-AsyncOperation` points at; with `monitor=true` what `Location` does.
pub(super) fn get(state: &mut State, call: &Call, id: &str) -> Answer {
    let operation = state.operations.get_mut(id).ok_or_else(|| {
        error(
            404,
            "NotFound",
            "The entity was not found in this Azure location.",
        )
    })?;
    let is_done = operation.progress.is_done();
    operation.progress.look();
    let failure = operation.failure.clone();
    let mut document = operation.document.clone();
    let target = operation.target.clone();
    let resource = shown(state, &target);
    if call.query.contains_key("monitor") {
        return monitor(call, is_done, failure, resource);
    }
    document["status"] = match (is_done, &failure) {
        (false, _) => "InProgress",
        (true, None) => "Succeeded",
        (true, Some(_)) => "Failed",
    }
    .into();
    if is_done {
        document["endTime"] = now().into();
        match (failure, resource) {
            (Some(reason), _) => document["error"] = problem(&reason),
            (None, Some(resource)) => document["properties"] = json!({"output": resource}),
            (None, None) => {}
        }
    }
    Ok(Reply::json(200, &document).with("Retry-After", "0"))
}

fn monitor(call: &Call, is_done: bool, failure: Option<String>, resource: Option<Value>) -> Answer {
    let empty = |status| Reply {
        status,
        headers: Vec::new(),
        body: String::new(),
    };
    match (is_done, failure, resource) {
        (false, _, _) => Ok(empty(202)
            .with("Location", format!("http://{}{}", call.host, call.target))
            .with("Retry-After", "0")),
        (true, Some(reason), _) => Err(Reply::json(409, &json!({"error": problem(&reason)}))),
        (true, None, Some(resource)) => Ok(Reply::json(200, &resource)),
        (true, None, None) => Ok(empty(204)),
    }
}

fn problem(reason: &str) -> Value {
    json!({"code": "OperationFailed", "message": reason})
}
