//! Watching the objects that a list names, as the engine's [`Changes`].

use ark_engine::object::Object;
use ark_engine::port::{Change, Changes, ClusterError, ClusterErrorKind, ListQuery, Revision};
use futures::StreamExt as _;
use kube::core::WatchEvent;
use serde_json::Value;

use crate::connect::Connection;
use crate::{error, path};

/// The server ends a watch after this many seconds, so that one whose other end is gone
/// is not listened to for ever.
const WATCH_SECONDS: u64 = 290;

/// Begins a watch.
pub(crate) async fn watch(
    connection: &Connection,
    query: &ListQuery,
    since: &Revision,
) -> Result<Changes, ClusterError> {
    let operation = format!("watch {}", query.resource.group_resource());
    let client = connection
        .watch_client()
        .map_err(|problem| unavailable(&operation, problem.to_string()))?;
    let request = http::Request::get(path::watch(query, since, WATCH_SECONDS))
        .body(Vec::new())
        .map_err(|problem| error::malformed(&operation, problem))?;
    let events = client.request_events::<Value>(request).await;
    let events = events.map_err(|problem: kube::Error| match problem {
        kube::Error::Api(status) => {
            error::from_status(&operation, status.code, &status.reason, &status.message)
        }
        other => unavailable(&operation, other.to_string()),
    })?;
    let changes = events.filter_map(move |event: kube::Result<WatchEvent<Value>>| {
        let change = match event {
            Ok(event) => change(&operation, event).transpose(),
            Err(problem) => Some(Err(unavailable(&operation, problem.to_string()))),
        };
        std::future::ready(change)
    });
    Ok(changes.boxed())
}

fn unavailable(operation: &str, message: String) -> ClusterError {
    ClusterError {
        kind: ClusterErrorKind::Unavailable,
        operation: operation.to_owned(),
        message,
        retry_after: None,
    }
}

fn change(operation: &str, event: WatchEvent<Value>) -> Result<Option<Change>, ClusterError> {
    let object = |value: &Value| {
        Object::from_value(value).map_err(|problem| error::malformed(operation, problem))
    };
    match event {
        WatchEvent::Added(value) | WatchEvent::Modified(value) => {
            Ok(Some(Change::Present(object(&value)?)))
        }
        WatchEvent::Deleted(value) => Ok(Some(Change::Gone(object(&value)?))),
        WatchEvent::Bookmark(_) => Ok(None),
        WatchEvent::Error(status) => Err(error::from_status(
            operation,
            status.code,
            &status.reason,
            &status.message,
        )),
    }
}
