//! One call to the API server: place, deadline, waiting, repeating, answer.
//!
//! Bodies are never logged: they hold Secrets.

use std::error::Error as StdError;
use std::time::Duration;

use ark_engine::port::{ClusterError, ClusterErrorKind};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::time::Instant;

use crate::backoff::{Backoff, jitter};
use crate::connect::Connection;
use crate::error;
use crate::throttle::{Class, Outcome};

pub(crate) const JSON: &str = "application/json";
/// Pause before a first repetition, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// A server that says nothing of how long to wait is asked again after this.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// What to ask.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    /// Body and its content type.
    pub(crate) body: Option<(Bytes, &'static str)>,
    pub(crate) accept: &'static str,
    pub(crate) class: Class,
    /// For errors: `create deployments.apps shop/web`.
    pub(crate) operation: String,
}

impl Call {
    /// Reads one object.
    pub(crate) fn get(path: String, operation: String) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            accept: JSON,
            class: Class::Read,
            operation,
        }
    }

    /// Reads an answer of any size.
    pub(crate) fn bulk(path: String, operation: String) -> Self {
        Self {
            class: Class::Bulk,
            ..Self::get(path, operation)
        }
    }

    /// Changes something.
    pub(crate) fn write(
        method: Method,
        path: String,
        body: Option<(Bytes, &'static str)>,
        operation: String,
    ) -> Self {
        Self {
            method,
            path,
            body,
            accept: JSON,
            class: Class::Write,
            operation,
        }
    }

    pub(crate) fn accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    fn request(&self) -> Result<Request<Body>, ClusterError> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(ACCEPT, HeaderValue::from_static(self.accept));
        let body = match &self.body {
            Some((bytes, content_type)) => {
                request = request.header(CONTENT_TYPE, HeaderValue::from_static(content_type));
                Body::from(bytes.clone())
            }
            None => Body::empty(),
        };
        request.body(body).map_err(|source| ClusterError {
            kind: ClusterErrorKind::Invalid,
            operation: self.operation.clone(),
            message: format!("cannot form the request: {source}"),
            retry_after: None,
        })
    }
}

/// A failed attempt, and whether the server may have acted on it.
struct Failure {
    error: ClusterError,
    never_sent: bool,
}

impl Connection {
    /// Makes the call; answers the body of a 2xx answer.
    ///
    /// Throttling is waited out for every call, since the server refused before
    /// it acted. Other passing failures are repeated for reads, and for writes
    /// only where no connection was made. All within the connection's patience.
    pub(crate) async fn call(&self, call: &Call) -> Result<Bytes, ClusterError> {
        let deadline = Instant::now() + self.limits().patience;
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        loop {
            let failure = match self.attempt(call).await {
                Ok(body) => return Ok(body),
                Err(failure) => failure,
            };
            let Some(pause) = pause(call, &failure, &mut backoff) else {
                return Err(failure.error);
            };
            if Instant::now() + pause > deadline {
                return Err(failure.error);
            }
            tracing::debug!(
                operation = %call.operation, ?pause, kind = ?failure.error.kind, "waiting to repeat a call"
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// Makes the call without repeating it, where a failure is an answer too.
    pub(crate) async fn call_once(&self, call: &Call) -> Result<Bytes, ClusterError> {
        self.attempt(call).await.map_err(|failure| failure.error)
    }

    async fn attempt(&self, call: &Call) -> Result<Bytes, Failure> {
        let request = call.request().map_err(Failure::definite)?;
        let permit = self.throttle().acquire().await;
        let limit = self.limits().call_timeout;
        let answer = tokio::time::timeout(limit, self.exchange(request)).await;
        let result = match answer {
            Err(_) => Err(Failure::definite(self.timed_out(call, limit))),
            Ok(Err(cause)) => Err(self.broken(call, cause.as_ref())),
            Ok(Ok((status, _, body))) if status.is_success() => Ok(body),
            Ok(Ok((status, headers, body))) => Err(Failure::definite(error::from_answer(
                &call.operation,
                status,
                &headers,
                &body,
            ))),
        };
        permit.finish(call.class, outcome(&result));
        result
    }

    async fn exchange(
        &self,
        request: Request<Body>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), Box<dyn StdError + Send + Sync>> {
        let response = self.client().send(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok((parts.status, parts.headers, body))
    }

    fn timed_out(&self, call: &Call, limit: Duration) -> ClusterError {
        ClusterError {
            kind: ClusterErrorKind::Unavailable,
            operation: call.operation.clone(),
            message: format!(
                "no answer from the API server at {} within {} s",
                self.server(),
                limit.as_secs()
            ),
            retry_after: None,
        }
    }

    fn broken(&self, call: &Call, cause: &(dyn StdError + 'static)) -> Failure {
        Failure {
            error: error::from_transport(&call.operation, self.server(), cause),
            never_sent: error::never_sent(cause),
        }
    }
}

impl Failure {
    fn definite(error: ClusterError) -> Self {
        Self {
            error,
            never_sent: false,
        }
    }
}

fn outcome(result: &Result<Bytes, Failure>) -> Outcome {
    match result {
        Ok(_) => Outcome::Answered,
        Err(failure) => match failure.error.kind {
            ClusterErrorKind::Throttled => Outcome::Throttled,
            ClusterErrorKind::Unavailable if failure.error.retry_after.is_some() => {
                Outcome::Throttled
            }
            ClusterErrorKind::Unavailable => Outcome::Failed,
            _ => Outcome::Answered,
        },
    }
}

/// How long to wait before the call may be repeated; `None` when it may not.
fn pause(call: &Call, failure: &Failure, backoff: &mut Backoff) -> Option<Duration> {
    let grown = backoff.pause();
    match failure.error.kind {
        ClusterErrorKind::Throttled => {
            let wait = failure.error.retry_after.unwrap_or(DEFAULT_WAIT);
            // Later by a random part, so that waiters do not return as one.
            Some(wait + jitter(DEFAULT_WAIT.min(grown)))
        }
        ClusterErrorKind::Unavailable if call.is_read() => Some(
            failure
                .error
                .retry_after
                .map_or(grown, |wait| wait + jitter(grown)),
        ),
        ClusterErrorKind::Unavailable if failure.never_sent => Some(grown),
        _ => None,
    }
}
