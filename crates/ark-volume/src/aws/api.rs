//! One signed call of EC2's query API, and what its errors mean.

use std::fmt;
use std::time::Duration;

use ark_cloud::http::said;
use ark_engine::port::{DiskError, DiskErrorKind, Tags};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Request};
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::Signer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded::Serializer;

use super::settings::Settings;
use crate::location::SnapshotLocation;
use crate::open::OpenError;

const VERSION: &str = "2016-11-15";
const FORM: HeaderValue =
    HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
const BODY_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// An answer that takes longer is not waited for.
const TIMEOUT: Duration = Duration::from_mins(1);
/// How long to wait when a disk had a snapshot a moment ago.
const DISK_PAUSE: Duration = Duration::from_secs(15);

/// EC2 in one region.
pub(super) struct Ec2 {
    client: reqwest::Client,
    /// Absent for requests that are not signed.
    signer: Option<Signer<Credential>>,
    endpoint: String,
}

/// One call: an action, its parameters, and what it is about.
#[derive(Debug, Clone)]
pub(super) struct Call {
    operation: String,
    parameters: Vec<(String, String)>,
}

impl Call {
    /// `what` is for messages: `CreateSnapshot of vol-1`.
    pub(super) fn new(action: &str, what: &str) -> Self {
        let call = Self {
            operation: format!("{action} of {what}"),
            parameters: Vec::new(),
        };
        call.with("Action", action).with("Version", VERSION)
    }

    pub(super) fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.parameters.push((name.to_owned(), value.to_string()));
        self
    }

    /// The next page after the one that gave the token.
    pub(super) fn page(self, token: Option<&str>) -> Self {
        match token {
            Some(token) => self.with("NextToken", token),
            None => self,
        }
    }

    /// What is made gets these tags at once.
    pub(super) fn tagged(self, resource: &str, tags: &Tags) -> Self {
        let mut call = self.with("TagSpecification.1.ResourceType", resource);
        for (number, (key, value)) in (1..).zip(tags) {
            let prefix = format!("TagSpecification.1.Tag.{number}");
            call = call.with(&format!("{prefix}.Key"), key);
            call = call.with(&format!("{prefix}.Value"), value);
        }
        call
    }

    /// An error of this call.
    pub(super) fn error(&self, kind: DiskErrorKind, message: &str) -> DiskError {
        DiskError {
            kind,
            operation: self.operation.clone(),
            message: message.to_owned(),
            retry_after: None,
        }
    }
}

impl Ec2 {
    pub(super) async fn new(
        location: &SnapshotLocation,
        settings: &Settings,
    ) -> Result<Self, OpenError> {
        let client = ark_cloud::tls::client(None, true)
            .map_err(|reason| OpenError::client(location, reason))?;
        let (credentials, profile) = (&location.credentials, settings.profile.as_deref());
        let chain = ark_cloud::aws::chain(credentials, profile, &settings.region, &client).await;
        let chain = chain.map_err(|reason| OpenError::credentials(location, reason))?;
        let signer = chain.map(|chain| {
            let context = ark_cloud::http::context(&client);
            let signer = RequestSigner::new("ec2", &settings.region);
            Signer::new(context, chain, signer)
        });
        Ok(Self {
            client,
            signer,
            endpoint: settings.endpoint.clone(),
        })
    }

    /// Sends a call and reads its answer.
    pub(super) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, DiskError> {
        let text = self.send(&call).await?;
        quick_xml::de::from_str(&text).map_err(|error| {
            let message = format!("the answer cannot be read: {error}");
            call.error(DiskErrorKind::Malformed, &message)
        })
    }

    /// Sends a call whose answer says nothing.
    pub(super) async fn order(&self, call: Call) -> Result<(), DiskError> {
        self.send(&call).await.map(drop)
    }

    async fn send(&self, call: &Call) -> Result<String, DiskError> {
        let lost = |error: &reqwest::Error| call.error(DiskErrorKind::Unavailable, &said(error));
        let request = self.signed(call).await?;
        let answer = self.client.execute(request).await;
        let answer = answer.map_err(|error| lost(&error))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| lost(&error))?;
        if status.is_success() {
            Ok(text)
        } else {
            Err(refused(call, status, &text))
        }
    }

    async fn signed(&self, call: &Call) -> Result<reqwest::Request, DiskError> {
        let invalid = |error: String| call.error(DiskErrorKind::Invalid, &error);
        let body = Serializer::new(String::new())
            .extend_pairs(&call.parameters)
            .finish();
        let digest = hex::encode(Sha256::digest(&body));
        let request = Request::post(format!("{}/", self.endpoint))
            .header(CONTENT_TYPE, FORM)
            .header(BODY_HASH, digest)
            .body(body)
            .map_err(|error| invalid(error.to_string()))?;
        let (mut head, body) = request.into_parts();
        if let Some(signer) = &self.signer {
            let signed = signer.sign(&mut head, None).await;
            signed.map_err(|error| {
                let kind = if error.is_retryable() {
                    DiskErrorKind::Unavailable
                } else {
                    DiskErrorKind::Denied
                };
                call.error(
                    kind,
                    &format!("there are no credentials to sign with: {error}"),
                )
            })?;
        }
        // The client writes it itself, as it was signed.
        head.headers.remove(HOST);
        let request = reqwest::Request::try_from(Request::from_parts(head, body));
        let mut request = request.map_err(|error| invalid(said(&error)))?;
        *request.timeout_mut() = Some(TIMEOUT);
        Ok(request)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refusal {
    errors: Errors,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Errors {
    error: Vec<Reason>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reason {
    code: String,
    #[serde(default)]
    message: String,
}

fn refused(call: &Call, status: http::StatusCode, text: &str) -> DiskError {
    let refusal = quick_xml::de::from_str::<Refusal>(text).ok();
    let Some(reason) = refusal.and_then(|refusal| refusal.errors.error.into_iter().next()) else {
        let kind = if status.is_server_error() {
            DiskErrorKind::Unavailable
        } else {
            DiskErrorKind::Malformed
        };
        let words: String = text.chars().take(300).collect();
        return call.error(kind, &format!("EC2 answers {status}: {words}"));
    };
    let message = format!("{}: {}", reason.code, reason.message);
    DiskError {
        retry_after: (reason.code == "SnapshotCreationPerVolumeRateExceeded").then_some(DISK_PAUSE),
        ..call.error(kind(&reason.code, status), &message)
    }
}

/// Source: "Error codes for the Amazon EC2 API".
fn kind(code: &str, status: http::StatusCode) -> DiskErrorKind {
    match code {
        "InvalidVolume.NotFound" | "InvalidSnapshot.NotFound" => DiskErrorKind::NotFound,
        "AccessDenied"
        | "AuthFailure"
        | "Blocked"
        | "ExpiredToken"
        | "InvalidClientTokenId"
        | "OptInRequired"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnauthorizedOperation" => DiskErrorKind::Denied,
        "MaxIOPSLimitExceeded" | "SnapshotLimitExceeded" | "VolumeLimitExceeded" => {
            DiskErrorKind::Quota
        }
        "ConcurrentSnapshotLimitExceeded"
        | "EC2ThrottledException"
        | "PendingSnapshotLimitExceeded"
        | "RequestLimitExceeded"
        | "SnapshotCreationPerVolumeRateExceeded"
        | "Throttling"
        | "ThrottlingException" => DiskErrorKind::Throttled,
        "InternalError" | "InternalFailure" | "ServiceUnavailable" | "Unavailable" => {
            DiskErrorKind::Unavailable
        }
        _ if status.is_server_error() => DiskErrorKind::Unavailable,
        "MissingParameter" | "UnknownParameter" | "VolumeInUse" => DiskErrorKind::Invalid,
        code if code.starts_with("Invalid") => DiskErrorKind::Invalid,
        _ => DiskErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn told(status: u16, text: &str) -> (DiskErrorKind, String) {
        let status = StatusCode::from_u16(status).unwrap();
        let error = refused(&Call::new("CreateSnapshot", "vol-1"), status, text);
        (error.kind, error.to_string())
    }

    #[test]
    fn refusals_are_told_in_ec2s_words_and_sorted_by_what_can_be_done() {
        let of = |status, code: &str| {
            let text = format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>Why.</Message></Error></Errors>\
                 <RequestID>r</RequestID></Response>"
            );
            told(status, &text)
        };
        let (kind, text) = of(400, "InvalidVolume.NotFound");
        assert_eq!(kind, DiskErrorKind::NotFound);
        assert_eq!(
            text,
            "CreateSnapshot of vol-1: InvalidVolume.NotFound: Why."
        );
        for (status, code, kind) in [
            (401, "AuthFailure", DiskErrorKind::Denied),
            (400, "SnapshotLimitExceeded", DiskErrorKind::Quota),
            (503, "RequestLimitExceeded", DiskErrorKind::Throttled),
            (500, "InternalError", DiskErrorKind::Unavailable),
            (503, "SomethingNew", DiskErrorKind::Unavailable),
            (400, "InvalidParameterValue", DiskErrorKind::Invalid),
            (400, "SomethingNew", DiskErrorKind::Other),
        ] {
            assert_eq!(of(status, code).0, kind, "{code}");
        }
        assert_eq!(
            told(502, "<html>gateway</html>"),
            (
                DiskErrorKind::Unavailable,
                "CreateSnapshot of vol-1: EC2 answers 502 Bad Gateway: <html>gateway</html>"
                    .to_owned()
            )
        );
    }
}
