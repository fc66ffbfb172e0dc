//! From HTTP answers and transport failures to [`ClusterError`].
//!
//! The server's `Status` object gives the words; the HTTP status and the
//! `reason` give the kind.

use std::error::Error as StdError;
use std::time::Duration;

use ark_engine::port::{ClusterError, ClusterErrorKind};
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

/// Server text beyond this is cut: a proxy may answer with a whole page.
const MAX_MESSAGE: usize = 2000;

/// `metav1.Status`, as far as it is used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    kind: String,
    message: Option<String>,
    reason: Option<String>,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    #[serde(rename = "retryAfterSeconds")]
    retry_after_seconds: Option<u32>,
    causes: Option<Vec<Cause>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cause {
    field: Option<String>,
    message: Option<String>,
}

/// The error of an answer that is not a success.
pub(crate) fn from_answer(
    operation: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> ClusterError {
    let parsed = serde_json::from_slice::<Status>(body)
        .ok()
        .filter(|s| s.kind == "Status")
        .unwrap_or_default();
    let header = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let retry_after = header
        .or_else(|| {
            let seconds = parsed.details.as_ref()?.retry_after_seconds?;
            (seconds > 0).then_some(u64::from(seconds))
        })
        .map(Duration::from_secs);
    ClusterError {
        kind: kind(status, parsed.reason.as_deref().unwrap_or_default()),
        operation: operation.to_owned(),
        message: message(status, &parsed, body),
        retry_after,
    }
}

/// The error that a `Status` names, met within a watch.
pub(crate) fn from_status(operation: &str, code: u16, reason: &str, message: &str) -> ClusterError {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    ClusterError {
        kind: kind(status, reason),
        operation: operation.to_owned(),
        message: cut(message.to_owned()),
        retry_after: None,
    }
}

/// The error of a call that got no answer.
pub(crate) fn from_transport(
    operation: &str,
    server: &str,
    error: &(dyn StdError + 'static),
) -> ClusterError {
    ClusterError {
        kind: ClusterErrorKind::Unavailable,
        operation: operation.to_owned(),
        message: format!("no answer from the API server at {server}: {}", root(error)),
        retry_after: None,
    }
}

/// The error of an answer that does not hold what the API promises.
pub(crate) fn malformed(operation: &str, problem: impl std::fmt::Display) -> ClusterError {
    ClusterError {
        kind: ClusterErrorKind::Malformed,
        operation: operation.to_owned(),
        message: problem.to_string(),
        retry_after: None,
    }
}

/// Whether the request cannot have reached the server: no connection was made.
pub(crate) fn never_sent(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| {
        cause
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
    })
}

fn kind(status: StatusCode, reason: &str) -> ClusterErrorKind {
    use ClusterErrorKind as Kind;
    match status.as_u16() {
        400 | 413 | 422 => Kind::Invalid,
        401 => Kind::Unauthorized,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        405 | 406 | 415 => Kind::Unsupported,
        409 if reason == "AlreadyExists" => Kind::AlreadyExists,
        409 => Kind::Conflict,
        410 => Kind::Expired,
        429 => Kind::Throttled,
        408 | 500..=599 => Kind::Unavailable,
        _ => Kind::Other,
    }
}

fn message(status: StatusCode, parsed: &Status, body: &[u8]) -> String {
    let text = match &parsed.message {
        Some(message) if !message.is_empty() => with_causes(message, parsed.details.as_ref()),
        _ => {
            let text = String::from_utf8_lossy(&body[..body.len().min(MAX_MESSAGE)]);
            match text.trim() {
                "" => format!("the server answered {status}"),
                text => format!("the server answered {status}: {text}"),
            }
        }
    };
    cut(text)
}

/// Adds the causes that the message does not mention yet.
fn with_causes(message: &str, details: Option<&Details>) -> String {
    let mut text = message.to_owned();
    let causes = details
        .and_then(|d| d.causes.as_deref())
        .unwrap_or_default();
    for cause in causes {
        let words = cause.message.as_deref().unwrap_or_default();
        if words.is_empty() || message.contains(words) {
            continue;
        }
        text.push_str("; ");
        if let Some(field) = cause.field.as_deref().filter(|f| !f.is_empty()) {
            text.push_str(field);
            text.push_str(": ");
        }
        text.push_str(words);
    }
    text
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE)
            .rev()
            .find(|i| text.is_char_boundary(*i))
            .unwrap_or_default();
        text.truncate(end);
        text.push('…');
    }
    text
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |cause| (*cause).source())
}

/// The innermost cause says what happened; the layers around it say `client error`.
fn root(error: &(dyn StdError + 'static)) -> String {
    chain(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, body: &str) -> ClusterError {
        let status = StatusCode::from_u16(code).unwrap();
        from_answer("get pods n/a", status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn conflicts_are_told_apart_by_reason() {
        let exists = answer(
            409,
            r#"{"kind":"Status","reason":"AlreadyExists","message":"m"}"#,
        );
        assert_eq!(exists.kind, ClusterErrorKind::AlreadyExists);
        assert_eq!(exists.to_string(), "get pods n/a: m");
        let conflict = answer(
            409,
            r#"{"kind":"Status","reason":"Conflict","message":"m"}"#,
        );
        assert_eq!(conflict.kind, ClusterErrorKind::Conflict);
    }

    #[test]
    fn the_pause_comes_from_the_header_or_the_details() {
        let body = r#"{"kind":"Status","details":{"retryAfterSeconds":7}}"#;
        assert_eq!(answer(429, body).retry_after, Some(Duration::from_secs(7)));
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, http::HeaderValue::from_static("3"));
        let error = from_answer(
            "x",
            StatusCode::SERVICE_UNAVAILABLE,
            &headers,
            body.as_bytes(),
        );
        assert_eq!(error.retry_after, Some(Duration::from_secs(3)));
        assert_eq!(error.kind, ClusterErrorKind::Unavailable);
    }

    #[test]
    fn causes_are_named_once() {
        let body = r#"{"kind":"Status","message":"bad: too long","details":{"causes":[
            {"field":"spec.a","message":"too long"},{"field":"spec.b","message":"required"}]}}"#;
        assert_eq!(answer(422, body).message, "bad: too long; spec.b: required");
    }

    #[test]
    fn text_of_a_proxy_is_kept_but_cut() {
        let error = answer(502, "  bad gateway\n");
        assert_eq!(
            error.message,
            "the server answered 502 Bad Gateway: bad gateway"
        );
        assert!(answer(500, &"é".repeat(5000)).message.len() < MAX_MESSAGE + 100);
        assert_eq!(answer(418, "").kind, ClusterErrorKind::Other);
    }
}
