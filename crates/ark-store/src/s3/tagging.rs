//! Tags on what is written: a header that the client does not know, and that the
//! signature must cover.
//!
//! Source: `PutObject` and `CreateMultipartUpload` of the Amazon S3 API.

use ark_cloud::aws::Chain;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport};
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::Signer;
use url::form_urlencoded;

use crate::transport::PoliteTransport;

const TAGGING: HeaderName = HeaderName::from_static("x-amz-tagging");
/// What the client's own signature has put there.
const SIGNED: [&str; 2] = ["x-amz-date", "x-amz-security-token"];

/// The HTTP transport of a location at S3.
pub(crate) struct S3Transport {
    pub(crate) inner: PoliteTransport,
    pub(crate) tagger: Option<Tagger>,
}

impl HttpTransport for S3Transport {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let request = match &self.tagger {
            Some(tagger) if begins_object(request.method(), request.uri()) => {
                tagger.tag(request).await?
            }
            _ => request,
        };
        self.inner.fetch(request).await
    }
}

/// Tags objects that are begun.
pub(crate) struct Tagger {
    tags: HeaderValue,
    /// Nobody's, if requests are not signed.
    signer: Option<Signer<Credential>>,
}

impl Tagger {
    /// Signs for `region` as `credentials`, in these surroundings.
    pub(crate) fn new(
        tags: HeaderValue,
        credentials: Option<Chain>,
        region: &str,
        context: reqsign_core::Context,
    ) -> Self {
        let signer = |chain| Signer::new(context, chain, RequestSigner::new("s3", region));
        Self {
            tags,
            signer: credentials.map(signer),
        }
    }

    async fn tag(&self, request: Request<Buffer>) -> opendal::Result<Request<Buffer>> {
        let (mut head, body) = request.into_parts();
        head.headers.insert(TAGGING, self.tags.clone());
        if let Some(signer) = &self.signer {
            head.headers.remove(AUTHORIZATION);
            for name in SIGNED {
                head.headers.remove(name);
            }
            signer.sign(&mut head, None).await.map_err(|error| {
                let passes = error.is_retryable();
                let failed = Error::new(ErrorKind::Unexpected, "cannot sign a request with tags");
                let failed = failed.set_source(error);
                if passes {
                    failed.set_temporary()
                } else {
                    failed
                }
            })?;
        }
        Ok(Request::from_parts(head, body))
    }
}

/// Parts of an object have no tags of their own.
fn begins_object(method: &Method, uri: &Uri) -> bool {
    let mut query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    match *method {
        Method::PUT => !query.any(|(key, _)| key == "partNumber"),
        Method::POST => query.any(|(key, _)| key == "uploads"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_begin_by_these_calls() {
        for (method, uri, begins) in [
            (Method::PUT, "http://s/b/k", true),
            (Method::POST, "http://s/b/k?uploads", true),
            (Method::PUT, "http://s/b/k?partNumber=1&uploadId=u", false),
            (Method::POST, "http://s/b/k?uploadId=u", false),
            (Method::POST, "http://s/b?delete", false),
            (Method::GET, "http://s/b/k", false),
        ] {
            assert_eq!(
                begins_object(&method, &uri.parse().unwrap()),
                begins,
                "{method} {uri}"
            );
        }
    }
}
