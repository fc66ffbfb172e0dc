//! Compute Engine's API: who is asked for what, and errors in Google's form.

mod check;
mod disk;
mod filter;
mod labels;
mod list;
mod operation;
mod snapshot;

use serde_json::{Value, json};

pub(super) use self::disk::{add as add_disk, record as disk_record};
pub(super) use self::snapshot::record as snapshot_record;
use super::http::{Call, Reply};
use super::state::{Kind, Resource, State};

/// Where Google's links point, whatever host is asked.
const LINKS: &str = "https://www.googleapis.com/compute/v1/";

/// An answer, or the one that tells of an error.
type Answer = Result<Reply, Reply>;

/// What is asked for below a zone, a region or `global`.
struct Place<'a> {
    project: &'a str,
    /// `projects/P/zones/Z`, `projects/P/regions/R` or `projects/P/global`.
    path: String,
    /// The zone or the region.
    location: &'a str,
    scope: Scope,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Zone,
    Region,
    Global,
}

impl Scope {
    /// The field that tells of it.
    fn field(self) -> Option<&'static str> {
        match self {
            Self::Zone => Some("zone"),
            Self::Region => Some("region"),
            Self::Global => None,
        }
    }
}

pub(super) fn answer(state: &mut State, call: &Call) -> Reply {
    if !call.has_token() {
        return refuse(401);
    }
    route(state, call).unwrap_or_else(|problem| problem)
}

fn route(state: &mut State, call: &Call) -> Answer {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let ["compute", "v1", "projects", project, rest @ ..] = path.as_slice() else {
        return Err(refuse(404));
    };
    let (scope, location, tail) = match rest {
        ["zones", zone, tail @ ..] => (Scope::Zone, *zone, tail),
        ["regions", region, tail @ ..] => (Scope::Region, *region, tail),
        ["global", tail @ ..] => (Scope::Global, "", tail),
        ["aggregated", "disks"] if call.method == "GET" => {
            return list::aggregated(state, call, project);
        }
        _ => return Err(refuse(404)),
    };
    let path = match scope {
        Scope::Zone => format!("projects/{project}/zones/{location}"),
        Scope::Region => format!("projects/{project}/regions/{location}"),
        Scope::Global => format!("projects/{project}/global"),
    };
    let place = Place {
        project,
        path,
        location,
        scope,
    };
    let is_global = scope == Scope::Global;
    match tail {
        ["operations", name] if call.method == "GET" => operation::get(state, &place, name),
        ["operations", name, "wait"] if call.method == "POST" => {
            operation::wait(state, &place, name)
        }
        ["disks", rest @ ..] if !is_global => resources(state, call, &place, (Kind::Disk, rest)),
        ["snapshots", rest @ ..] if is_global => {
            resources(state, call, &place, (Kind::Snapshot, rest))
        }
        [] if call.method == "GET" && scope == Scope::Zone => Ok(zone(&place)),
        _ => Err(refuse(404)),
    }
}

/// Disks or snapshots, and what comes after that word.
fn resources(
    state: &mut State,
    call: &Call,
    place: &Place<'_>,
    (kind, rest): (Kind, &[&str]),
) -> Answer {
    let folder = match kind {
        Kind::Disk => "disks",
        Kind::Snapshot => "snapshots",
    };
    if call.method != "GET"
        && let Some(reply) = operation::again(state, call)?
    {
        return Ok(reply);
    }
    let path = |name: &str| format!("{}/{folder}/{name}", place.path);
    match (call.method.as_str(), rest, kind) {
        ("GET", [], _) => list::list(state, call, place, kind),
        ("POST", [], Kind::Disk) => disk::insert(state, call, place),
        ("POST", [], Kind::Snapshot) => snapshot::insert(state, call, place),
        ("GET", [name], _) => get(state, &path(name)),
        ("DELETE", [name], _) => delete(state, call, place, &path(name)),
        ("POST", [name, "setLabels"], _) => labels::set(state, call, place, &path(name)),
        ("POST", [name, "createSnapshot"], Kind::Disk) => {
            snapshot::create(state, call, place, &path(name))
        }
        _ => Err(refuse(404)),
    }
}

fn get(state: &mut State, path: &str) -> Answer {
    let resource = state.resources.get_mut(path);
    let resource = resource.ok_or_else(|| missing(path))?;
    Ok(Reply::json(200, &look(resource)))
}

/// The resource as it is seen now, which takes it a step further.
fn look(resource: &mut Resource) -> Value {
    let shown = match resource.kind {
        Kind::Disk => resource.document.clone(),
        Kind::Snapshot => snapshot::shown(resource),
    };
    resource.progress.look();
    shown
}

fn delete(state: &mut State, call: &Call, place: &Place<'_>, path: &str) -> Answer {
    let resource = state.resources.get(path).ok_or_else(|| missing(path))?;
    let user = resource.document["users"].get(0).and_then(Value::as_str);
    if let Some(user) = user {
        let user = user.strip_prefix(LINKS).unwrap_or(user);
        return Err(error(
            400,
            "resourceInUseByAnotherResource",
            &format!("The disk resource '{path}' is already being used by '{user}'"),
        ));
    }
    let begun = operation::begin(state, call, place, ("delete", path), None);
    state.resources.remove(path);
    Ok(begun)
}

fn zone(place: &Place<'_>) -> Reply {
    let region = place
        .location
        .rsplit_once('-')
        .map_or("", |(region, _)| region);
    Reply::json(
        200,
        &json!({
            "kind": "compute#zone",
            "id": "2000",
            "name": place.location,
            "status": "UP",
            "region": format!("{LINKS}projects/{}/regions/{region}", place.project),
            "selfLink": format!("{LINKS}{}", place.path),
        }),
    )
}

fn missing(path: &str) -> Reply {
    error(
        404,
        "notFound",
        &format!("The resource '{path}' was not found"),
    )
}

fn invalid(field: &str, value: &str, why: &str) -> Reply {
    let message = format!("Invalid value for field '{field}': '{value}'. {why}");
    error(400, "invalid", &message)
}

/// An error in Google's form.
fn error(status: u16, reason: &str, message: &str) -> Reply {
    let body = json!({"error": {
        "code": status,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
    }});
    Reply::json(status, &body)
}

/// The error that Google gives with `status` when nothing more is known of it.
pub(super) fn refuse(status: u16) -> Reply {
    let (reason, message) = match status {
        401 => (
            "required",
            "Request is missing required authentication credential. Expected OAuth 2 access \
             token, login cookie or other valid authentication credential.",
        ),
        403 => ("rateLimitExceeded", "Rate Limit Exceeded"),
        404 => (
            "notFound",
            "The requested URL was not found on this server.",
        ),
        409 => ("alreadyExists", "The resource already exists"),
        412 => (
            "conditionNotMet",
            "Labels fingerprint either invalid or resource labels have changed",
        ),
        429 => (
            "rateLimitExceeded",
            "Quota exceeded for quota metric 'Queries'",
        ),
        503 => ("backendError", "Service is unavailable. Please retry."),
        500 => ("internalError", "Internal error. Please try again."),
        _ => ("invalid", "Invalid request"),
    };
    let reply = error(status, reason, message);
    if status == 401 {
        return reply.with(
            "WWW-Authenticate",
            "Bearer realm=\"https://accounts.google.com/\"",
        );
    }
    reply
}
