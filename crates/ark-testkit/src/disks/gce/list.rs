//! Google's lists: filtered, sorted by name and page by page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::super::http::{Call, Reply};
use super::super::record::Cloud;
use super::super::state::{Kind, Resource, State};
use super::filter::Filter;
use super::{Answer, LINKS, Place, invalid, look};

/// A page, and where the next one begins.
struct Page {
    /// Path and document.
    items: Vec<(String, Value)>,
    next: Option<String>,
}

/// The disks or snapshots of a zone, a region or a project.
pub(super) fn list(state: &mut State, call: &Call, place: &Place<'_>, kind: Kind) -> Answer {
    let (folder, list_kind) = match kind {
        Kind::Disk => ("disks", "compute#diskList"),
        Kind::Snapshot => ("snapshots", "compute#snapshotList"),
    };
    let folder = format!("{}/{folder}", place.path);
    let prefix = format!("{folder}/");
    let page = page(state, call, |path, _| path.starts_with(&prefix))?;
    let mut answer = json!({
        "kind": list_kind,
        "id": folder,
        "selfLink": format!("{LINKS}{folder}"),
    });
    // Google leaves empty lists out.
    if !page.items.is_empty() {
        let items: Vec<Value> = page.items.into_iter().map(|(_, item)| item).collect();
        answer["items"] = items.into();
    }
    if let Some(next) = page.next {
        answer["nextPageToken"] = next.into();
    }
    Ok(Reply::json(200, &answer))
}

/// The disks of all zones and regions of a project.
pub(super) fn aggregated(state: &mut State, call: &Call, project: &str) -> Answer {
    let prefix = format!("projects/{project}/");
    let page = page(state, call, |path, resource| {
        path.starts_with(&prefix) && resource.kind == Kind::Disk
    })?;
    let mut scopes: Map<String, Value> = Map::new();
    for (path, item) in page.items {
        let scope: Vec<&str> = path.split('/').skip(2).take(2).collect();
        let scope = scopes
            .entry(scope.join("/"))
            .or_insert_with(|| json!({"disks": []}));
        if let Some(disks) = scope["disks"].as_array_mut() {
            disks.push(item);
        }
    }
    let mut answer = json!({
        "kind": "compute#diskAggregatedList",
        "id": format!("{prefix}aggregated/disks"),
        "selfLink": format!("{LINKS}{prefix}aggregated/disks"),
        "items": scopes,
    });
    if let Some(next) = page.next {
        answer["nextPageToken"] = next.into();
    }
    Ok(Reply::json(200, &answer))
}

fn page(
    state: &mut State,
    call: &Call,
    belongs: impl Fn(&str, &Resource) -> bool,
) -> Result<Page, Reply> {
    let filter = match call.query.get("filter") {
        None => Filter::all(),
        Some(text) => Filter::parse(text)
            .ok_or_else(|| invalid("filter", text, "Invalid list filter expression."))?,
    };
    if let Some(order) = call.query.get("orderBy").filter(|order| *order != "name") {
        return Err(invalid(
            "orderBy",
            order,
            "Only `name` is known to this server.",
        ));
    }
    let after = match call
        .query
        .get("pageToken")
        .filter(|token| !token.is_empty())
    {
        None => String::new(),
        Some(token) => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|path| String::from_utf8(path).ok())
            .ok_or_else(|| invalid("pageToken", token, "Invalid page token."))?,
    };
    let most = match call.query.get("maxResults") {
        None => state.page_size,
        Some(text) => match text.parse::<usize>() {
            Ok(0) => state.page_size,
            Ok(most @ 1..=500) => most.min(state.page_size),
            _ => {
                return Err(invalid(
                    "maxResults",
                    text,
                    "Value must be between 0 and 500",
                ));
            }
        },
    };
    let mut page = Page {
        items: Vec::new(),
        next: None,
    };
    let mut last = "";
    for (path, resource) in &mut state.resources {
        let belongs = resource.cloud == Cloud::Gce
            && path.as_str() > after.as_str()
            && belongs(path, resource)
            && filter.matches(&resource.document);
        if !belongs {
            continue;
        }
        if page.items.len() == most {
            page.next = Some(URL_SAFE_NO_PAD.encode(last));
            break;
        }
        page.items.push((path.clone(), look(resource)));
        last = path;
    }
    Ok(page)
}
