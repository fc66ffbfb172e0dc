//! Calls of Azure Resource Manager: one request each, operations, and what errors mean.
//!
//! Source: "Asynchronous operations" and "Throttling" of Azure Resource Manager.

use std::time::Duration;

use ark_cloud::azure::Tokens;
use ark_cloud::http::said;
use ark_engine::port::{DiskError, DiskErrorKind};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::id::{Id, Kind};
use crate::retry::retry;

/// Of the disks' part of `Microsoft.Compute`.
const VERSION: &str = "2024-03-02";
/// Pause between two looks at an operation that names none: the first, and the longest.
const LOOK: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Where to look how far an operation is; where there is no such thing, where it ends.
const OPERATION: &str = "azure-asyncoperation";
const END: &str = "location";

/// Azure's management, as somebody.
pub(super) struct Manager {
    pub(super) client: reqwest::Client,
    /// Absent for requests without one.
    pub(super) tokens: Option<Tokens>,
    /// Without a slash at its end.
    pub(super) endpoint: String,
    /// How long something may take.
    pub(super) timeout: Duration,
}

/// What is done, on what: for errors.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) deed: &'a str,
    pub(super) what: &'a str,
}

impl Call<'_> {
    /// An error of it.
    pub(super) fn error(self, kind: DiskErrorKind, message: impl Into<String>) -> DiskError {
        DiskError {
            kind,
            operation: format!("{} of {}", self.deed, self.what),
            message: message.into(),
            retry_after: None,
        }
    }
}

/// An answer that is no error.
struct Answer {
    /// Nothing, or JSON.
    body: Value,
    /// Path and query of the operation that goes on, if one does.
    operation: Option<String>,
    /// After which time to look at it.
    pause: Option<Duration>,
}

impl Manager {
    /// A disk or snapshot as it is; not before changes that are under way have ended.
    pub(super) async fn settled(&self, id: &Id) -> Result<Value, DiskError> {
        let (begun, mut pause) = (Instant::now(), LOOK.0);
        loop {
            let thing = self.get(id).await?;
            let state = thing["properties"]["provisioningState"].as_str();
            if !matches!(state, Some("Creating" | "Updating")) {
                return Ok(thing);
            }
            if begun.elapsed() > self.timeout {
                let what = id.to_string();
                let call = Call {
                    deed: "get",
                    what: &what,
                };
                return Err(self.endless(call));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LOOK.1);
        }
    }

    /// A disk or snapshot as it is now.
    pub(super) async fn get(&self, id: &Id) -> Result<Value, DiskError> {
        let what = id.to_string();
        let call = Call {
            deed: "get",
            what: &what,
        };
        let answer = retry(|_| self.send(call, Method::GET, versioned(&what), None)).await?;
        Ok(answer.body)
    }

    /// All of a subscription.
    pub(super) async fn list(
        &self,
        subscription: &str,
        kind: Kind,
    ) -> Result<Vec<Value>, DiskError> {
        let folder = kind.folder();
        let path = format!("/subscriptions/{subscription}/providers/Microsoft.Compute/{folder}");
        let call = Call {
            deed: "list",
            what: &path,
        };
        let mut target = versioned(&path);
        let mut all = Vec::new();
        loop {
            let page = retry(|_| self.send(call, Method::GET, target.clone(), None));
            let mut page = page.await?.body;
            if let Value::Array(items) = page["value"].take() {
                all.extend(items);
            }
            match page["nextLink"].as_str().and_then(path_of) {
                Some(next) => target = next,
                None => return Ok(all),
            }
        }
    }

    /// Makes something; returns when it is made. Not repeated: whoever does looks first
    /// what became of it.
    pub(super) async fn put(&self, id: &Id, body: &Value) -> Result<(), DiskError> {
        let what = id.to_string();
        let call = Call {
            deed: "put",
            what: &what,
        };
        let answer = self.send(call, Method::PUT, versioned(&what), Some(body));
        self.finish(call, answer.await?).await
    }

    /// Deletes something, if it is there; returns when it is gone.
    pub(super) async fn delete(&self, id: &Id) -> Result<(), DiskError> {
        let what = id.to_string();
        let call = Call {
            deed: "delete",
            what: &what,
        };
        let ended = retry(async |_| {
            let answer = self.send(call, Method::DELETE, versioned(&what), None);
            self.finish(call, answer.await?).await
        });
        match ended.await {
            Err(error) if error.kind == DiskErrorKind::NotFound => Ok(()),
            ended => ended,
        }
    }

    /// Waits for the end of the operation that an answer names, and tells its error.
    async fn finish(&self, call: Call<'_>, mut answer: Answer) -> Result<(), DiskError> {
        let Some(operation) = answer.operation.take() else {
            return Ok(());
        };
        let (begun, mut pause) = (Instant::now(), LOOK.0);
        loop {
            sleep(answer.pause.unwrap_or(pause)).await;
            pause = (pause * 2).min(LOOK.1);
            answer = retry(|_| self.send(call, Method::GET, operation.clone(), None)).await?;
            match answer.body["status"].as_str() {
                Some("Failed" | "Canceled") => {
                    let (code, message) = words(&answer.body);
                    let kind = kind(StatusCode::OK, code, message);
                    return Err(call.error(kind, format!("{code}: {message}")));
                }
                // At `Location` there is the thing itself when it is made.
                Some("Succeeded") => return Ok(()),
                None if answer.operation.is_none() => return Ok(()),
                _ if begun.elapsed() > self.timeout => return Err(self.endless(call)),
                _ => {}
            }
        }
    }

    fn endless(&self, call: Call<'_>) -> DiskError {
        let waited = self.timeout.as_secs();
        let message = format!("has not ended after {waited} s; `apiTimeout` says how long to wait");
        call.error(DiskErrorKind::Other, message)
    }

    async fn send(
        &self,
        call: Call<'_>,
        method: Method,
        target: String,
        body: Option<&Value>,
    ) -> Result<Answer, DiskError> {
        let lost = |problem: reqwest::Error| call.error(DiskErrorKind::Unavailable, said(&problem));
        let url = format!("{}{target}", self.endpoint);
        let mut request = self.client.request(method, url).timeout(self.timeout);
        if let Some(tokens) = &self.tokens {
            let token = tokens.token().await.map_err(|error| {
                let kind = if error.may_pass {
                    DiskErrorKind::Unavailable
                } else {
                    DiskErrorKind::Denied
                };
                call.error(kind, format!("there is no token: {error}"))
            })?;
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some(body) = body {
            let json = ("Content-Type", "application/json");
            request = request.header(json.0, json.1).body(body.to_string());
        }
        let answer = request.send().await.map_err(lost)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.map_err(lost)?;
        if !status.is_success() {
            return Err(refusal(call, status, &headers, &text));
        }
        let body = match text.trim() {
            "" => Value::Null,
            text => serde_json::from_str(text)
                .map_err(|problem| call.error(DiskErrorKind::Malformed, problem.to_string()))?,
        };
        let goes_on = status == StatusCode::ACCEPTED;
        let end = || headers.get(END).filter(|_| goes_on);
        let operation = headers.get(OPERATION).or_else(end);
        Ok(Answer {
            body,
            operation: operation.and_then(|link| path_of(link.to_str().ok()?)),
            pause: seconds(&headers),
        })
    }
}

fn versioned(path: &str) -> String {
    format!("{path}?api-version={VERSION}")
}

/// A link without its host: nobody else is shown the token.
fn path_of(link: &str) -> Option<String> {
    let url = url::Url::parse(link).ok()?;
    let query = url.query().map(|query| format!("?{query}"));
    Some(format!("{}{}", url.path(), query.unwrap_or_default()))
}

fn seconds(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// Code and message of an error, which may be wrapped.
fn words(body: &Value) -> (&str, &str) {
    let error = match &body["error"] {
        Value::Null => body,
        error => error,
    };
    let text = |key: &str| error[key].as_str().unwrap_or_default();
    (text("code"), text("message"))
}

fn refusal(call: Call<'_>, status: StatusCode, headers: &HeaderMap, text: &str) -> DiskError {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let (code, message) = words(&body);
    let kind = kind(status, code, message);
    let message = if code.is_empty() {
        let text: String = text.chars().take(300).collect();
        format!("Azure answers {status}: {text}")
    } else {
        format!("{code}: {message}")
    };
    DiskError {
        retry_after: seconds(headers),
        ..call.error(kind, message)
    }
}

/// By the code, else by the status.
fn kind(status: StatusCode, code: &str, message: &str) -> DiskErrorKind {
    match code {
        "ResourceNotFound" | "ResourceGroupNotFound" | "NotFound" => DiskErrorKind::NotFound,
        "QuotaExceeded" | "SnapshotCountExceeded" | "TooManySnapshots" => DiskErrorKind::Quota,
        // The same code says that something is in use.
        "OperationNotAllowed" if message.to_lowercase().contains("quota") => DiskErrorKind::Quota,
        "TooManyRequests" | "OperationNotAllowedOnThrottling" => DiskErrorKind::Throttled,
        // Another change of it is under way.
        "Conflict" | "AnotherOperationInProgress" | "OperationPreempted" | "RetryableError" => {
            DiskErrorKind::Unavailable
        }
        "InternalServerError" | "InternalExecutionError" => DiskErrorKind::Unavailable,
        _ => match status.as_u16() {
            401 | 403 => DiskErrorKind::Denied,
            404 => DiskErrorKind::NotFound,
            408 | 500.. => DiskErrorKind::Unavailable,
            429 => DiskErrorKind::Throttled,
            400..=499 => DiskErrorKind::Invalid,
            _ => DiskErrorKind::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_by_what_can_be_done() {
        let quota = "Operation could not be completed as it results in exceeding approved Quota.";
        for (status, code, message, expected) in [
            (404, "ResourceGroupNotFound", "", DiskErrorKind::NotFound),
            (409, "OperationNotAllowed", quota, DiskErrorKind::Quota),
            (
                409,
                "OperationNotAllowed",
                "Disk is attached.",
                DiskErrorKind::Invalid,
            ),
            (409, "Conflict", "", DiskErrorKind::Unavailable),
            (403, "AuthorizationFailed", "", DiskErrorKind::Denied),
            (429, "", "", DiskErrorKind::Throttled),
            (503, "", "", DiskErrorKind::Unavailable),
            (400, "InvalidParameter", "", DiskErrorKind::Invalid),
            (200, "OperationFailed", "", DiskErrorKind::Other),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(kind(status, code, message), expected, "{status} {code}");
        }
    }

    #[test]
    fn links_are_followed_at_the_same_host() {
        let path = path_of("https://elsewhere.example/subscriptions/s?p=1&api-version=v");
        assert_eq!(path.unwrap(), "/subscriptions/s?p=1&api-version=v");
        assert_eq!(path_of("no link"), None);
    }
}
