//! Google's operations: every change answers with one, and is done at once; what
//! takes steps is that the operation says so.

use serde_json::{Value, json};

use super::super::http::{Call, Reply};
use super::super::state::{Operation, Progress, State, now, text};
use super::{Answer, LINKS, Place, invalid, missing};
use crate::names;

/// Begins `verb` on the resource at `target`, which fails in the end for `failure`.
pub(super) fn begin(
    state: &mut State,
    call: &Call,
    place: &Place<'_>,
    (verb, target): (&str, &str),
    failure: Option<String>,
) -> Reply {
    let name = format!("operation-{}", names::random_hex(16));
    let path = format!("{}/operations/{name}", place.path);
    let document = state
        .resources
        .get(target)
        .map(|resource| &resource.document);
    let target_id = document
        .map_or("", |document| text(document, "/id"))
        .to_owned();
    let id = state.next_id();
    let mut document = json!({
        "kind": "compute#operation",
        "id": id.to_string(),
        "name": name,
        "operationType": verb,
        "targetLink": format!("{LINKS}{target}"),
        "targetId": target_id,
        "user": "tests@ark.invalid",
        "insertTime": now(),
        "startTime": now(),
        "selfLink": format!("{LINKS}{path}"),
    });
    if let Some(field) = place.scope.field() {
        document[field] = format!("{LINKS}{}", place.path).into();
    }
    let operation = Operation {
        document,
        progress: Progress::of(state.operation_steps),
        failure,
        target: target.to_owned(),
    };
    let reply = Reply::json(200, &shown(&operation));
    state.operations.insert(path.clone(), operation);
    if let Some(key) = key(call) {
        state.begun.insert(key, path);
    }
    reply
}

/// The operation that the same request began before, if it says which one it is.
pub(super) fn again(state: &State, call: &Call) -> Result<Option<Reply>, Reply> {
    if let Some(id) = call.query.get("requestId")
        && !is_uuid(id)
    {
        return Err(invalid(
            "requestId",
            id,
            "Must be a valid UUID, and not zero.",
        ));
    }
    let path = key(call).and_then(|key| state.begun.get(&key));
    let operation = path.and_then(|path| state.operations.get(path));
    Ok(operation.map(|operation| Reply::json(200, &shown(operation))))
}

fn key(call: &Call) -> Option<String> {
    let id = call.query.get("requestId")?;
    Some(format!("{} /{} {id}", call.method, call.path.join("/")))
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
        && text.bytes().any(|b| b != b'-' && b != b'0')
}

pub(super) fn get(state: &mut State, place: &Place<'_>, name: &str) -> Answer {
    let operation = find(state, place, name)?;
    let shown = shown(operation);
    operation.progress.look();
    Ok(Reply::json(200, &shown))
}

/// Answers after one step instead of two minutes, finished or not.
pub(super) fn wait(state: &mut State, place: &Place<'_>, name: &str) -> Answer {
    let operation = find(state, place, name)?;
    operation.progress.look();
    Ok(Reply::json(200, &shown(operation)))
}

fn find<'a>(
    state: &'a mut State,
    place: &Place<'_>,
    name: &str,
) -> Result<&'a mut Operation, Reply> {
    let path = format!("{}/operations/{name}", place.path);
    state
        .operations
        .get_mut(&path)
        .ok_or_else(|| missing(&path))
}

fn shown(operation: &Operation) -> Value {
    let mut document = operation.document.clone();
    document["progress"] = operation.progress.percent().into();
    if !operation.progress.is_done() {
        document["status"] = "RUNNING".into();
        return document;
    }
    document["status"] = "DONE".into();
    document["endTime"] = now().into();
    if let Some(reason) = &operation.failure {
        document["error"] =
            json!({"errors": [{"code": "RESOURCE_OPERATION_FAILED", "message": reason}]});
        document["httpErrorStatusCode"] = 400.into();
        document["httpErrorMessage"] = "BAD REQUEST".into();
    }
    document
}
