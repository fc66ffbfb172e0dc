//! Two things that the client's own layers do not know: a server's `Retry-After`
//! is waited for, and a certificate that is not trusted is no passing failure.

use std::error::Error as _;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, Request, Response, StatusCode};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport};
use opendal_http_transport_reqwest::ReqwestTransport;

/// The HTTP transport of a location.
pub(crate) struct PoliteTransport {
    inner: ReqwestTransport,
    longest: Duration,
}

impl PoliteTransport {
    /// Waits no longer than `longest` for a `Retry-After`.
    pub(crate) fn new(client: reqwest::Client, longest: Duration) -> Self {
        Self {
            inner: ReqwestTransport::new(client),
            longest,
        }
    }
}

impl HttpTransport for PoliteTransport {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let answer = self
            .inner
            .fetch(request)
            .await
            .map_err(settle_certificate)?;
        if let Some(wait) = retry_after(answer.status(), answer.headers()) {
            // Inside the attempt, before the retry layer sees it: its own wait adds up.
            tokio::time::sleep(wait.min(self.longest)).await;
        }
        Ok(answer)
    }
}

/// The wait that an overloaded server asks for. Dates, the header's other form, are
/// left to the client's own waits.
fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if status != StatusCode::TOO_MANY_REQUESTS && status != StatusCode::SERVICE_UNAVAILABLE {
        return None;
    }
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// A certificate that is not trusted stays so however often one asks.
fn settle_certificate(error: Error) -> Error {
    match certificate_failure(&error) {
        Some(reason) => Error::new(ErrorKind::ConfigInvalid, reason).set_source(error),
        None => error,
    }
}

fn certificate_failure(error: &Error) -> Option<String> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        // An I/O error hides its content from `source`.
        let hidden = inner
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        let tls = inner
            .downcast_ref::<rustls::Error>()
            .or_else(|| hidden.and_then(|hidden| hidden.downcast_ref::<rustls::Error>()));
        if let Some(rustls::Error::InvalidCertificate(reason)) = tls {
            return Some(format!("the server's certificate is not trusted: {reason}"));
        }
        cause = hidden.map_or_else(|| inner.source(), |hidden| Some(hidden));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_for_overload_and_in_seconds() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, http::HeaderValue::from_static("7"));
        let seven = Some(Duration::from_secs(7));
        assert_eq!(
            retry_after(StatusCode::SERVICE_UNAVAILABLE, &headers),
            seven
        );
        assert_eq!(retry_after(StatusCode::TOO_MANY_REQUESTS, &headers), seven);
        assert_eq!(retry_after(StatusCode::FORBIDDEN, &headers), None);
        headers.insert(
            RETRY_AFTER,
            http::HeaderValue::from_static("Wed, 21 Oct 2026 07:28:00 GMT"),
        );
        assert_eq!(retry_after(StatusCode::SERVICE_UNAVAILABLE, &headers), None);
    }
}
