//! Azure Resource Manager's API of `Microsoft.Compute`: who is asked for what, and
//! errors in Azure's form.

mod check;
mod list;
mod operation;
mod put;
mod record;
mod source;
mod update;

use serde_json::{Value, json};

use super::http::{Call, Reply};
use super::record::Cloud;
use super::state::{Kind, Resource, State};

pub(super) use self::record::{add_disk, disk as disk_record, snapshot as snapshot_record};

/// An answer, or the one that tells of an error.
type Answer = Result<Reply, Reply>;

/// The disk or snapshot that is asked for, which need not be there.
struct Target<'a> {
    subscription: &'a str,
    group: &'a str,
    kind: Kind,
    name: &'a str,
}

impl Target<'_> {
    /// The id, written as in the request.
    fn id(&self) -> String {
        let Self {
            subscription,
            group,
            name,
            ..
        } = self;
        let folder = folder(self.kind);
        format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute\
             /{folder}/{name}"
        )
    }

    /// What it is kept under: names are the same in small and capital letters.
    fn key(&self) -> String {
        self.id().to_lowercase()
    }

    fn missing(&self) -> Reply {
        let message = format!(
            "The Resource 'Microsoft.Compute/{}/{}' under resource group '{}' was not found. \
             For more details please go to https://aka.ms/ARMResourceNotFoundFix",
            folder(self.kind),
            self.name,
            self.group
        );
        error(404, "ResourceNotFound", &message)
    }
}

fn folder(kind: Kind) -> &'static str {
    match kind {
        Kind::Disk => "disks",
        Kind::Snapshot => "snapshots",
    }
}

fn kind(folder: &str) -> Option<Kind> {
    [Kind::Disk, Kind::Snapshot]
        .into_iter()
        .find(|kind| folder.eq_ignore_ascii_case(self::folder(*kind)))
}

pub(super) fn answer(state: &mut State, call: &Call) -> Reply {
    if !call.has_token() {
        return refuse(401);
    }
    route(state, call).unwrap_or_else(|problem| problem)
}

fn route(state: &mut State, call: &Call) -> Answer {
    check::api_version(call)?;
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    // Azure reads all words of a path without regard to capitals.
    let small: Vec<String> = path.iter().map(|part| part.to_lowercase()).collect();
    let small: Vec<&str> = small.iter().map(String::as_str).collect();
    let is_get = call.method == "GET";
    let compute = "microsoft.compute";
    match small.as_slice() {
        [
            "subscriptions",
            _,
            "providers",
            provider,
            "locations",
            _,
            "diskoperations",
            id,
        ] if *provider == compute && is_get => operation::get(state, call, id),
        ["subscriptions", _, "providers", provider, folder] if *provider == compute && is_get => {
            let kind = kind(folder).ok_or_else(|| refuse(404))?;
            list::list(state, call, (path[1], None), kind)
        }
        [
            "subscriptions",
            _,
            "resourcegroups",
            _,
            "providers",
            provider,
            folder,
        ] if *provider == compute && is_get => {
            let kind = kind(folder).ok_or_else(|| refuse(404))?;
            list::list(state, call, (path[1], Some(path[3])), kind)
        }
        [
            "subscriptions",
            _,
            "resourcegroups",
            _,
            "providers",
            provider,
            folder,
            _,
        ] if *provider == compute => {
            let target = Target {
                subscription: path[1],
                group: path[3],
                kind: kind(folder).ok_or_else(|| refuse(404))?,
                name: path[7],
            };
            resource(state, call, &target)
        }
        _ => Err(refuse(404)),
    }
}

fn resource(state: &mut State, call: &Call, target: &Target<'_>) -> Answer {
    match call.method.as_str() {
        "GET" => {
            let key = target.key();
            let shown = look(state, &key).ok_or_else(|| target.missing())?;
            Ok(Reply::json(200, &shown))
        }
        "PUT" => put::put(state, call, target),
        "PATCH" => update::patch(state, call, target),
        "DELETE" => update::delete(state, call, target),
        _ => Err(refuse(405)),
    }
}

/// The resource as it is seen now, which takes it and its operations a step further.
fn look(state: &mut State, key: &str) -> Option<Value> {
    let shown = shown(state, key)?;
    operation::look(state, key);
    state.resources.get_mut(key)?.progress.look();
    Some(shown)
}

/// The resource as it is seen now.
fn shown(state: &State, key: &str) -> Option<Value> {
    let resource = state
        .resources
        .get(key)
        .filter(|found| found.cloud == Cloud::Azure)?;
    let mut document = resource.document.clone();
    let properties = &mut document["properties"];
    properties["provisioningState"] = operation::provisioning(state, key).into();
    if resource.kind == Kind::Snapshot {
        let is_lost = resource.failure.is_some();
        let percent = resource.progress.percent();
        let percent = if is_lost { percent.min(99) } else { percent };
        properties["completionPercent"] = f64::from(percent).into();
        if let Some(reason) = copy_error(resource) {
            properties["copyCompletionError"] =
                json!({"errorCode": "CopySourceNotFound", "errorMessage": reason});
        }
    }
    Some(document)
}

/// Why the copy to another location, which goes on behind the operation, has failed.
fn copy_error(snapshot: &Resource) -> Option<&str> {
    let reason = snapshot.failure.as_deref()?;
    (is_copy_start(&snapshot.document) && snapshot.progress.is_done()).then_some(reason)
}

fn is_copy_start(document: &Value) -> bool {
    document["properties"]["creationData"]["createOption"] == "CopyStart"
}

/// Whether a disk can be made of the snapshot.
fn is_ready(state: &State, key: &str) -> bool {
    state.resources.get(key).is_some_and(|found| {
        found.progress.is_done()
            && found.failure.is_none()
            && operation::provisioning(state, key) == "Succeeded"
    })
}

fn invalid(parameter: &str, why: &str) -> Reply {
    let body = json!({"error": {
        "code": "InvalidParameter",
        "message": why,
        "target": parameter,
    }});
    Reply::json(400, &body)
}

/// An error in Azure's form.
fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"code": code, "message": message}}),
    )
}

/// The error that Azure gives with `status` when nothing more is known of it.
pub(super) fn refuse(status: u16) -> Reply {
    let (code, message) = match status {
        401 => (
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        ),
        403 => (
            "AuthorizationFailed",
            "The client does not have authorization to perform the action.",
        ),
        404 => ("ResourceNotFound", "The resource was not found."),
        405 => ("MethodNotAllowed", "The method is not allowed."),
        409 => (
            "Conflict",
            "The request conflicts with another one under way.",
        ),
        429 => ("TooManyRequests", "The request is being throttled."),
        503 => ("ServiceUnavailable", "The service is unavailable."),
        500 => ("InternalServerError", "The server met an internal error."),
        _ => ("BadRequest", "The request is invalid."),
    };
    let reply = error(status, code, message);
    if status == 401 {
        return reply.with(
            "WWW-Authenticate",
            "Bearer authorization_uri=\"https://login.microsoftonline.com/\", \
             error=\"invalid_token\", error_description=\"The authentication failed because of \
             missing 'Authorization' header.\"",
        );
    }
    reply
}
