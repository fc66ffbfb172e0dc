//! Requests that credentials make by themselves: token services, metadata servers.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use reqsign_core::{Context, Error, HttpSend, OsEnv};
use reqsign_file_read_tokio::TokioFileRead;

/// A metadata server that is not there must not hold a request for long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What providers of credentials may use: files, the environment, and the network
/// through `client`.
pub fn context(client: &reqwest::Client) -> Context {
    Context::new()
        .with_file_read(TokioFileRead)
        .with_env(OsEnv)
        .with_http_send(Sender(client.clone()))
}

/// An HTTP client as the providers want it.
#[derive(Debug, Clone)]
struct Sender(reqwest::Client);

impl HttpSend for Sender {
    async fn http_send(&self, request: Request<Bytes>) -> reqsign_core::Result<Response<Bytes>> {
        let failed = |error: &reqwest::Error| Error::unexpected(said(error)).set_retryable(true);
        let request = reqwest::Request::try_from(request)
            .map_err(|error| Error::request_invalid(said(&error)))?;
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let sent = tokio::time::timeout(TIMEOUT, async {
            let answer = self.0.execute(request).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            Ok((status, headers, answer.bytes().await?))
        });
        let (status, headers, body) = sent
            .await
            .map_err(|_| {
                let waited = format!("{host} does not answer for {} s", TIMEOUT.as_secs());
                Error::unexpected(waited).set_retryable(true)
            })?
            .map_err(|error| failed(&error))?;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// An error and its causes, since the first says only which request it was.
pub fn said(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
