//! Azure's lists: of a resource group or a subscription, page by page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::http::Call;
use super::super::http::Reply;
use super::super::record::Cloud;
use super::super::state::{Kind, State};
use super::{Answer, error, look};

pub(super) fn list(
    state: &mut State,
    call: &Call,
    (subscription, group): (&str, Option<&str>),
    kind: Kind,
) -> Answer {
    let after = match call.query.get("$skiptoken") {
        None => String::new(),
        Some(token) => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|key| String::from_utf8(key).ok())
            .ok_or_else(|| error(400, "InvalidSkipToken", "The skip token is invalid."))?,
    };
    let mut prefix = format!("/subscriptions/{subscription}/resourcegroups/");
    if let Some(group) = group {
        prefix = format!("{prefix}{group}/");
    }
    let prefix = prefix.to_lowercase();
    let mut keys = state.resources.iter().filter(|(key, resource)| {
        resource.cloud == Cloud::Azure
            && resource.kind == kind
            && key.starts_with(&prefix)
            && **key > after
    });
    let page: Vec<String> = keys
        .by_ref()
        .take(state.page_size)
        .map(|(key, _)| key.clone())
        .collect();
    let is_last = keys.next().is_none();
    let items: Vec<Value> = page
        .iter()
        .filter_map(|key| look(state, key))
        .map(|item| if group.is_none() { shout(item) } else { item })
        .collect();
    let mut answer = json!({"value": items});
    if let (false, Some(last)) = (is_last, page.last()) {
        let path = call.target.split('?').next().unwrap_or_default();
        let version = call.query.get("api-version").map_or("", String::as_str);
        let token = URL_SAFE_NO_PAD.encode(last);
        let host = &call.host;
        let next = format!("http://{host}{path}?api-version={version}&$skiptoken={token}");
        answer["nextLink"] = next.into();
    }
    Ok(Reply::json(200, &answer))
}

/// Lists of subscriptions write resource groups in capitals, whoever compares ids.
fn shout(mut item: Value) -> Value {
    let id = item["id"].as_str().unwrap_or_default();
    let parts: Vec<String> = id
        .split('/')
        .enumerate()
        .map(|(index, part)| {
            if index == 4 {
                part.to_uppercase()
            } else {
                part.to_owned()
            }
        })
        .collect();
    item["id"] = parts.join("/").into();
    item
}
