//! Who we are to Google: a location's credentials → what gives them.
//!
//! A credentials file belongs to one location, so it is read here, and nothing else is
//! asked when there is one. Ambient credentials are found as Google's own clients find
//! them: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, gcloud's own, the
//! metadata server (which is how workload identity comes to a pod on GKE).

use bytes::Bytes;
use http::{Request, Response, Uri};
use reqsign_core::{
    Context, Env as _, Error, HttpSend, OsEnv, ProvideCredential, ProvideCredentialChain, StaticEnv,
};
use reqsign_google::{
    Credential, DefaultCredentialProvider, ServiceAccountTokenCredentialProvider,
    StaticCredentialProvider,
};
use serde::Deserialize;

use crate::credentials::Credentials;

/// Kinds of credentials files that are understood.
const KINDS: [&str; 4] = [
    "authorized_user",
    "external_account",
    "impersonated_service_account",
    "service_account",
];
/// Where the client gets a service account's tokens, whatever its file says.
const TOKENS: &str = "https://oauth2.googleapis.com/token";
/// What tokens shall be good for, to all that give some.
const SCOPE: &str = "GOOGLE_SCOPE";

/// As whom Google is asked. Holds secrets, so it cannot be printed.
pub enum Identity {
    /// As the surroundings say.
    Ambient,
    /// As nobody.
    Anonymous,
    /// As a credentials file says.
    File(File),
}

/// A credentials file of Google's.
pub struct File {
    text: String,
    facts: Facts,
}

#[derive(Deserialize)]
struct Facts {
    #[serde(rename = "type")]
    kind: String,
    token_uri: Option<String>,
    project_id: Option<String>,
}

impl Identity {
    /// That of a location.
    ///
    /// # Errors
    /// Credentials that are none of Google's; the message has nothing of their content.
    pub async fn of(credentials: &Credentials) -> Result<Self, String> {
        match (credentials.file().await?, credentials) {
            (Some(text), _) => Self::file(text),
            (None, Credentials::Anonymous) => Ok(Self::Anonymous),
            (None, Credentials::Keys { .. }) => {
                Err("provider `gcp` takes a file, no keys".to_owned())
            }
            (None, _) => Ok(Self::Ambient),
        }
    }

    fn file(text: String) -> Result<Self, String> {
        let facts: Facts = serde_json::from_str(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!(
                "the file is not one of Google's (JSON with a `type`): line {line}, column {column}"
            )
        })?;
        if !KINDS.contains(&facts.kind.as_str()) {
            return Err(format!(
                "the file's `type` is `{}`; known are {}",
                facts.kind,
                KINDS.join(", ")
            ));
        }
        Ok(Self::File(File { text, facts }))
    }

    /// Where the file says that tokens are to be had.
    pub fn token_uri(&self) -> Option<String> {
        match self {
            Self::File(file) => file.facts.token_uri.clone(),
            Self::Ambient | Self::Anonymous => None,
        }
    }

    /// The project of the file's account.
    pub fn project(&self) -> Option<String> {
        match self {
            Self::File(file) => file.facts.project_id.clone(),
            Self::Ambient | Self::Anonymous => None,
        }
    }

    /// What gives the credentials, or `None` for nobody's.
    pub fn chain(&self) -> Option<ProvideCredentialChain<Credential>> {
        let chain = ProvideCredentialChain::new();
        match self {
            Self::Anonymous => None,
            Self::Ambient => Some(chain.push(DefaultCredentialProvider::new())),
            Self::File(file) => Some(chain.push(StaticCredentialProvider::new(&file.text))),
        }
    }

    /// What gives tokens for `scope`, a URL. Whoever signs keeps them until they end; with
    /// a service account's key alone there would be a new one for each request.
    pub fn tokens(&self, scope: &str) -> Option<ProvideCredentialChain<Credential>> {
        let tokens = Tokens {
            keys: self.chain()?,
            scope: scope.to_owned(),
        };
        Some(ProvideCredentialChain::new().push(tokens))
    }

    /// The surroundings in which tokens for `scope`, a URL, are asked for by `client`.
    pub fn context(&self, client: &reqwest::Client, scope: &str) -> Context {
        let mut envs = OsEnv.vars();
        envs.insert(SCOPE.to_owned(), scope.to_owned());
        let env = StaticEnv {
            home_dir: OsEnv.home_dir(),
            envs,
        };
        let context = crate::http::context(client).with_env(env);
        match self.token_uri().and_then(|uri| uri.parse().ok()) {
            Some(tokens) => {
                let inner = context.clone();
                context.with_http_send(Redirected { inner, tokens })
            }
            None => context,
        }
    }
}

/// Trades the key of a service account for a token.
#[derive(Debug)]
struct Tokens {
    keys: ProvideCredentialChain<Credential>,
    scope: String,
}

impl ProvideCredential for Tokens {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>, Error> {
        match self.keys.provide_credential(context).await? {
            Some(Credential {
                service_account: Some(account),
                token: None,
                ..
            }) => {
                let trade = ServiceAccountTokenCredentialProvider::new(account);
                let trade = trade.with_scope(&self.scope);
                trade.provide_credential(context).await
            }
            found => Ok(found),
        }
    }
}

/// Asks for tokens where the file says.
#[derive(Debug)]
struct Redirected {
    inner: Context,
    tokens: Uri,
}

impl HttpSend for Redirected {
    async fn http_send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
        if *request.uri() == TOKENS {
            *request.uri_mut() = self.tokens.clone();
        }
        self.inner.http_send(request).await
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
