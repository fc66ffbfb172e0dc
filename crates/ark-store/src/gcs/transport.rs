//! Two things that Google's API knows and the client does not: a key of KMS for what
//! is written, and the place that a service account's file names for its tokens.

use http::{Method, Request, Response, Uri};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport};
use url::form_urlencoded::byte_serialize;

use crate::transport::PoliteTransport;

/// Where the client gets tokens whatever the file says.
const TOKENS: &str = "https://oauth2.googleapis.com/token";

/// What every request that begins an object goes to.
const UPLOADS: &str = "/upload/storage/v1/b/";

/// The HTTP transport of a location at Google.
pub(crate) struct GoogleTransport {
    pub(crate) inner: PoliteTransport,
    pub(crate) token_uri: Option<String>,
    pub(crate) kms_key: Option<String>,
}

impl GoogleTransport {
    /// Where a request goes instead, if it does.
    fn elsewhere(&self, method: &Method, uri: &Uri) -> Option<String> {
        if *uri == TOKENS {
            return self.token_uri.clone();
        }
        let begins = method == Method::POST && uri.path().starts_with(UPLOADS);
        let key = self.kms_key.as_ref().filter(|_| begins)?;
        let key: String = byte_serialize(key.as_bytes()).collect();
        Some(format!("{uri}&kmsKeyName={key}"))
    }
}

impl HttpTransport for GoogleTransport {
    async fn fetch(&self, mut request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        if let Some(uri) = self.elsewhere(request.method(), request.uri()) {
            *request.uri_mut() = uri.parse().map_err(|error| {
                Error::new(ErrorKind::ConfigInvalid, format!("`{uri}` is no URL")).set_source(error)
            })?;
        }
        self.inner.fetch(request).await
    }
}
