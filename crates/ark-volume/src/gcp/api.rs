//! Calls of Compute Engine's REST API: one request each, operations, and what errors mean.

use std::time::Duration;

use ark_cloud::gcp::Identity;
use ark_cloud::http::said;
use ark_engine::port::{DiskError, DiskErrorKind};
use http::{Method, Request, StatusCode};
use reqsign_core::{Env as _, OsEnv, Signer};
use reqsign_google::{Credential, RequestSigner};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::place::{last, path_of};
use super::settings::Settings;
use crate::location::SnapshotLocation;
use crate::open::OpenError;
use crate::retry::retry;

/// What tokens must be good for.
const SCOPE: &str = "https://www.googleapis.com/auth/compute";
/// Google's wait for an operation answers after two minutes at most.
const TIMEOUT: Duration = Duration::from_secs(150);
/// How often an operation is waited for.
const WAITS: usize = 10;
/// Entries a page.
const PAGE: usize = 500;
/// Names the project of who has none otherwise.
const PROJECT: &str = "GOOGLE_CLOUD_PROJECT";
/// The metadata server of a machine.
const METADATA: &str = "metadata.google.internal";
const METADATA_HOST: &str = "GCE_METADATA_HOST";

/// Compute Engine, as somebody.
pub(super) struct Compute {
    client: reqwest::Client,
    /// Absent for requests without a token.
    signer: Option<Signer<Credential>>,
    /// Up to `…/v1/`.
    base: String,
}

/// How a call that makes something fails.
pub(super) enum Failure {
    /// The name is taken.
    Exists,
    /// Otherwise.
    Error(DiskError),
}

/// An error of a call about something.
pub(super) fn error(call: &str, what: &str, kind: DiskErrorKind, message: String) -> DiskError {
    DiskError {
        kind,
        operation: format!("{call} of {what}"),
        message,
        retry_after: None,
    }
}

impl Compute {
    /// The API, and the project of who asks.
    pub(super) async fn new(
        location: &SnapshotLocation,
        settings: &Settings,
    ) -> Result<(Self, String), OpenError> {
        let client = ark_cloud::tls::client(None, true)
            .map_err(|reason| OpenError::client(location, reason))?;
        let refuse = |reason: String| OpenError::credentials(location, reason);
        let identity = Identity::of(&location.credentials).await.map_err(refuse)?;
        let project = project(&identity, settings, &client).await;
        let project = project.map_err(|reason| OpenError::credentials(location, reason))?;
        let signer = identity.tokens(SCOPE).map(|chain| {
            let context = identity.context(&client, SCOPE);
            Signer::new(
                context,
                chain,
                RequestSigner::new("compute").with_scope(SCOPE),
            )
        });
        let base = format!("{}/compute/v1/", settings.endpoint);
        Ok((
            Self {
                client,
                signer,
                base,
            },
            project,
        ))
    }

    /// One resource, by its path.
    pub(super) async fn get(&self, path: &str, what: &str) -> Result<Value, DiskError> {
        retry(|_| self.send(("get", what), Method::GET, path, None)).await
    }

    /// All entries of a list in which zones and regions may stand.
    pub(super) async fn list(&self, path: &str, filter: &str) -> Result<Vec<Value>, DiskError> {
        let mut all = Vec::new();
        let mut token = String::new();
        loop {
            let target = format!("{path}?{}", query(filter, &token));
            let mut page = retry(|_| self.send(("list", path), Method::GET, &target, None)).await?;
            match page["items"].take() {
                Value::Array(items) => all.extend(items),
                // By zone and region, each with its own list.
                Value::Object(scopes) => {
                    for (_, mut scope) in scopes {
                        let items = scope["disks"].as_array_mut();
                        all.extend(items.into_iter().flat_map(std::mem::take));
                    }
                }
                _ => {}
            }
            let next = page["nextPageToken"].as_str();
            next.unwrap_or_default().clone_into(&mut token);
            if token.is_empty() {
                return Ok(all);
            }
        }
    }

    /// Asks for something to be made; the operation.
    pub(super) async fn post(
        &self,
        call: (&str, &str),
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let answer = self.send(call, Method::POST, path, Some(body)).await;
        answer.map_err(|error| {
            if error.message.starts_with("alreadyExists") {
                Failure::Exists
            } else {
                Failure::Error(error)
            }
        })
    }

    /// Asks for something to be deleted; the operation.
    pub(super) async fn delete(&self, path: &str, what: &str) -> Result<Value, DiskError> {
        self.send(("delete", what), Method::DELETE, path, None)
            .await
    }

    /// Waits for the end of an operation.
    pub(super) async fn finish(
        &self,
        call: (&str, &str),
        mut operation: Value,
    ) -> Result<(), DiskError> {
        for _ in 0..WAITS {
            check(call, &operation)?;
            if operation["status"] == "DONE" {
                return Ok(());
            }
            let target = format!("{}/wait", path_of(&operation["selfLink"]));
            operation = retry(|_| self.send(call, Method::POST, &target, None)).await?;
        }
        let name = last(operation["name"].as_str().unwrap_or_default());
        let message = format!("operation {name} does not end");
        Err(error(call.0, call.1, DiskErrorKind::Unavailable, message))
    }

    /// An operation as it is now.
    pub(super) async fn look(
        &self,
        call: (&str, &str),
        operation: &Value,
    ) -> Result<Value, DiskError> {
        let path = path_of(&operation["selfLink"]);
        retry(|_| self.send(call, Method::GET, path, None)).await
    }

    async fn send(
        &self,
        (call, what): (&str, &str),
        method: Method,
        target: &str,
        body: Option<&Value>,
    ) -> Result<Value, DiskError> {
        let told = |kind, message: String| error(call, what, kind, message);
        let lost = |problem: &reqwest::Error| told(DiskErrorKind::Unavailable, said(problem));
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.base))
            .header("Content-Type", "application/json")
            .body(body.map(Value::to_string).unwrap_or_default())
            .map_err(|problem| told(DiskErrorKind::Invalid, problem.to_string()))?;
        let (mut head, body) = request.into_parts();
        if let Some(signer) = &self.signer {
            signer.sign(&mut head, None).await.map_err(|problem| {
                let kind = if problem.is_retryable() {
                    DiskErrorKind::Unavailable
                } else {
                    DiskErrorKind::Denied
                };
                told(kind, format!("there is no token: {problem}"))
            })?;
        }
        let request = reqwest::Request::try_from(Request::from_parts(head, body));
        let mut request =
            request.map_err(|problem| told(DiskErrorKind::Invalid, said(&problem)))?;
        *request.timeout_mut() = Some(TIMEOUT);
        let answer = self.client.execute(request).await;
        let answer = answer.map_err(|problem| lost(&problem))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|problem| lost(&problem))?;
        let parsed = serde_json::from_str::<Value>(&text);
        match (status.is_success(), parsed) {
            (true, Ok(value)) => Ok(value),
            (true, Err(problem)) => Err(told(DiskErrorKind::Malformed, problem.to_string())),
            (false, parsed) => {
                let (kind, message) = refusal(status, &parsed.unwrap_or_default(), &text);
                Err(told(kind, message))
            }
        }
    }
}

/// Tells the error of an operation that has failed.
pub(super) fn check(call: (&str, &str), operation: &Value) -> Result<(), DiskError> {
    let Some(reason) = operation["error"]["errors"].get(0) else {
        return Ok(());
    };
    let status = operation["httpErrorStatusCode"]
        .as_u64()
        .unwrap_or_default();
    let status = u16::try_from(status).ok();
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let text = |key: &str| reason[key].as_str().unwrap_or_default();
    let message = format!("{}: {}", text("code"), text("message"));
    let kind = kind(text("code"), status.unwrap_or_default());
    Err(error(call.0, call.1, kind, message))
}

fn query(filter: &str, token: &str) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("filter", filter);
    query.append_pair("maxResults", &PAGE.to_string());
    if !token.is_empty() {
        query.append_pair("pageToken", token);
    }
    query.finish()
}

/// Who asks: of the file, the environment, the location, the machine.
async fn project(
    identity: &Identity,
    settings: &Settings,
    client: &reqwest::Client,
) -> Result<String, String> {
    let named = identity.project().or_else(|| OsEnv.var(PROJECT));
    let named = named.or_else(|| settings.project.clone());
    if let Some(project) = named.filter(|project| !project.is_empty()) {
        return Ok(project);
    }
    let missing = || {
        "the credentials name no project: write the config key `project`, or set \
         GOOGLE_CLOUD_PROJECT"
            .to_owned()
    };
    if !matches!(identity, Identity::Ambient) {
        return Err(missing());
    }
    let host = OsEnv.var(METADATA_HOST);
    let host = host.unwrap_or_else(|| METADATA.to_owned());
    let request = client
        .get(format!(
            "http://{host}/computeMetadata/v1/project/project-id"
        ))
        .header("Metadata-Flavor", "Google");
    let answer = request.send().await.map_err(|_| missing())?;
    let answer = answer.error_for_status().map_err(|_| missing())?;
    answer.text().await.map_err(|_| missing())
}

/// Kind and words of an answer that is an error.
fn refusal(status: StatusCode, answer: &Value, text: &str) -> (DiskErrorKind, String) {
    let reason = answer["error"]["errors"][0]["reason"].as_str();
    let message = answer["error"]["message"].as_str();
    if let (Some(reason), Some(message)) = (reason, message) {
        return (kind(reason, status), format!("{reason}: {message}"));
    }
    let words: String = text.chars().take(300).collect();
    let message = format!("Compute Engine answers {status}: {words}");
    (kind("", status), message)
}

/// By the reason of an answer or the code of an operation, else by the status.
fn kind(reason: &str, status: StatusCode) -> DiskErrorKind {
    match reason {
        "notFound" | "RESOURCE_NOT_FOUND" => DiskErrorKind::NotFound,
        "quotaExceeded" | "QUOTA_EXCEEDED" | "limitExceeded" => DiskErrorKind::Quota,
        "rateLimitExceeded"
        | "userRateLimitExceeded"
        | "operationRateExceeded"
        | "RESOURCE_OPERATION_RATE_EXCEEDED" => DiskErrorKind::Throttled,
        // Another operation on it is under way.
        "resourceNotReady" | "RESOURCE_NOT_READY" => DiskErrorKind::Unavailable,
        _ => match status.as_u16() {
            401 | 403 => DiskErrorKind::Denied,
            404 => DiskErrorKind::NotFound,
            429 => DiskErrorKind::Throttled,
            500.. => DiskErrorKind::Unavailable,
            400..=499 => DiskErrorKind::Invalid,
            _ => DiskErrorKind::Other,
        },
    }
}
