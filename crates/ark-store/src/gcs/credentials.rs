//! Who we are to Google: a location's credentials → the client's provider.
//!
//! A credentials file belongs to one location, so it is read here, and nothing else is
//! asked when there is one. Ambient credentials are found as Google's own clients find
//! them: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, gcloud's own, the
//! metadata server (which is how workload identity comes to a pod on GKE).

use ark_cloud::Credentials;
use opendal::services::Gcs;
use reqsign_core::ProvideCredentialChain;
use reqsign_google::{Credential, DefaultCredentialProvider, StaticCredentialProvider};
use serde::Deserialize;

use crate::location::Location;
use crate::open::OpenError;

/// What the bucket's objects may be used for with it.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";

/// Kinds of credentials files that are understood.
const KINDS: [&str; 4] = [
    "authorized_user",
    "external_account",
    "impersonated_service_account",
    "service_account",
];

/// As whom the bucket is used. Holds secrets, so it cannot be printed.
pub(crate) enum Identity {
    Ambient,
    Anonymous,
    File {
        /// Google's JSON.
        text: String,
        /// Where the file says that tokens are to be had.
        token_uri: Option<String>,
    },
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    token_uri: Option<String>,
}

impl Identity {
    pub(crate) async fn of(location: &Location) -> Result<Self, OpenError> {
        let refuse = |reason: String| OpenError::credentials(location, reason);
        let text = location.credentials.file().await.map_err(refuse)?;
        match (text, &location.credentials) {
            (Some(text), _) => Self::file(text).map_err(refuse),
            (None, Credentials::Anonymous) => Ok(Self::Anonymous),
            (None, Credentials::Keys { .. }) => {
                Err(refuse("provider `gcp` takes a file, no keys".to_owned()))
            }
            (None, _) => Ok(Self::Ambient),
        }
    }

    /// Messages never show the content, which is a secret.
    fn file(text: String) -> Result<Self, String> {
        let file: File = serde_json::from_str(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!(
                "the file is not one of Google's (JSON with a `type`): line {line}, column {column}"
            )
        })?;
        if !KINDS.contains(&file.kind.as_str()) {
            return Err(format!(
                "the file's `type` is `{}`; known are {}",
                file.kind,
                KINDS.join(", ")
            ));
        }
        Ok(Self::File {
            text,
            token_uri: file.token_uri,
        })
    }

    pub(crate) fn token_uri(&self) -> Option<String> {
        match self {
            Self::File { token_uri, .. } => token_uri.clone(),
            Self::Ambient | Self::Anonymous => None,
        }
    }

    /// What gives the credentials, or `None` for nobody's.
    pub(crate) fn chain(&self) -> Option<ProvideCredentialChain<Credential>> {
        let chain = ProvideCredentialChain::new();
        match self {
            Self::Anonymous => None,
            Self::Ambient => Some(chain.push(DefaultCredentialProvider::new())),
            Self::File { text, .. } => Some(chain.push(StaticCredentialProvider::new(text))),
        }
    }

    /// Sets the builder's credentials, and bars it from looking for others.
    pub(crate) fn apply(&self, builder: Gcs) -> Gcs {
        let builder = builder
            .scope(SCOPE)
            .disable_config_load()
            .disable_vm_metadata();
        match self.chain() {
            Some(chain) => builder.credential_provider_chain(chain),
            None => builder.skip_signature(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_without_saying_secrets() {
        let read = |text: &str| Identity::file(text.into()).map(|identity| identity.token_uri());
        let account =
            r#"{"type": "service_account", "token_uri": "https://t", "private_key": "k"}"#;
        assert_eq!(read(account), Ok(Some("https://t".to_owned())));
        assert_eq!(read(r#"{"type": "external_account"}"#), Ok(None));
        let unknown = read(r#"{"type": "gdch_service_account"}"#).unwrap_err();
        assert!(unknown.contains("`gdch_service_account`"), "{unknown}");
        for text in [
            "",
            "[default]\nsecret=hidden",
            r#"{"private_key": "hidden"}"#,
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.contains("line") && !error.contains("hidden"),
                "{error}"
            );
        }
    }
}
