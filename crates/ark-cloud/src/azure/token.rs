//! Tokens of Microsoft Entra for Azure's management, which the storage client's own
//! providers do not ask for: they know the scope of the storage alone.
//!
//! Source: "OAuth 2.0 client credentials flow" of the Microsoft identity platform, and
//! "How to use managed identities for Azure resources on an Azure VM".

use std::fmt;
use std::time::{Duration, Instant};

use reqsign_core::{Env as _, OsEnv};
use reqwest::Client;
use serde::{Deserialize, Deserializer};
use tokio::sync::Mutex;
use url::form_urlencoded::Serializer;

use super::{File, certificate};
use crate::http::said;

/// The metadata server of a machine.
const MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// Another address for it.
const MACHINE_VARIABLE: &str = "AZURE_IMDS_ENDPOINT";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A token that is good for less is not used any more.
const LEAST: Duration = Duration::from_mins(5);

/// No token, or no answer to who has one.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct TokenError {
    /// Whom was asked, and the words of the answer.
    pub message: String,
    /// Whether it may work later without any change.
    pub may_pass: bool,
}

impl From<&reqwest::Error> for TokenError {
    fn from(error: &reqwest::Error) -> Self {
        Self {
            message: said(error),
            may_pass: true,
        }
    }
}

/// Whose token it is. Holds secrets, so it cannot be printed.
pub struct Owner(Kind);

enum Kind {
    /// A client, which shows a secret, what its certificate's key has signed, or the token
    /// of another authority.
    Client {
        tenant: String,
        client: String,
        proof: Proof,
    },
    /// The machine, as one of its identities.
    Machine { client: Option<String> },
}

enum Proof {
    Secret(String),
    Certificate(certificate::Source, File),
    /// A file with the other authority's token; it changes.
    TokenFile(String),
}

impl Proof {
    /// What `client` sends of it to `audience`.
    async fn show(
        &self,
        client: &str,
        audience: &str,
    ) -> Result<Vec<(&'static str, String)>, TokenError> {
        let wrong = |message: String| TokenError {
            message,
            may_pass: false,
        };
        let assertion = match self {
            Self::Secret(secret) => return Ok(vec![("client_secret", secret.clone())]),
            Self::Certificate(source, file) => {
                let certificate = source.read(file).await.map_err(wrong)?;
                certificate.assertion(client, audience).map_err(wrong)?
            }
            Self::TokenFile(path) => {
                let token = tokio::fs::read_to_string(path).await;
                let token = token.map_err(|error| wrong(format!("{path}: {error}")))?;
                token.trim().to_owned()
            }
        };
        Ok(vec![
            ("client_assertion_type", ASSERTION.to_owned()),
            ("client_assertion", assertion),
        ])
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Owner {
    /// In Velero's order; what the file leaves out, the environment may have.
    pub fn of(file: &File) -> Self {
        let value = |name: &str| file.get_or_env(name);
        let client = value("AZURE_CLIENT_ID");
        let secret = value("AZURE_CLIENT_SECRET").map(Proof::Secret);
        let certificate =
            || certificate::source(file).map(|source| Proof::Certificate(source, file.clone()));
        let token_file = || value("AZURE_FEDERATED_TOKEN_FILE").map(Proof::TokenFile);
        let proof = secret.or_else(certificate).or_else(token_file);
        match (value("AZURE_TENANT_ID"), client, proof) {
            (Some(tenant), Some(client), Some(proof)) => Self(Kind::Client {
                tenant,
                client,
                proof,
            }),
            (_, client, _) => Self(Kind::Machine { client }),
        }
    }

    async fn ask(
        &self,
        http: &Client,
        authority: &str,
        resource: &str,
    ) -> Result<Token, TokenError> {
        let request = match &self.0 {
            Kind::Client {
                tenant,
                client,
                proof,
            } => {
                let scope = format!("{resource}/.default");
                let mut fields = vec![
                    ("grant_type", "client_credentials"),
                    ("client_id", client),
                    ("scope", &scope),
                ];
                let address = format!("{authority}/{tenant}/oauth2/v2.0/token");
                let proof = proof.show(client, &address).await?;
                fields.extend(proof.iter().map(|(name, value)| (*name, value.as_str())));
                http.post(address)
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .body(form(&fields))
            }
            Kind::Machine { client } => {
                let mut fields = vec![("api-version", "2018-02-01"), ("resource", resource)];
                fields.extend(client.iter().map(|client| ("client_id", client.as_str())));
                let address = OsEnv.var(MACHINE_VARIABLE);
                let address = address.unwrap_or_else(|| MACHINE.to_owned());
                http.get(format!("{address}?{}", form(&fields)))
                    .header("Metadata", "true")
            }
        };
        answer(request).await
    }
}

/// Tokens of one owner for one API, each used until shortly before its end.
pub struct Tokens {
    http: Client,
    owner: Owner,
    authority: String,
    resource: String,
    kept: Mutex<Option<(String, Instant)>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// For `resource`, the address of an API; `authority` gives them. Asks nobody yet.
    pub fn new(http: &Client, owner: Owner, authority: &str, resource: &str) -> Self {
        Self {
            http: http.clone(),
            owner,
            authority: authority.to_owned(),
            resource: resource.to_owned(),
            kept: Mutex::new(None),
        }
    }

    /// One that is good for some minutes yet.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn token(&self) -> Result<String, TokenError> {
        Ok(self.token_for().await?.0)
    }

    /// The same, and for how long it is to be used.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn token_for(&self) -> Result<(String, Duration), TokenError> {
        let mut kept = self.kept.lock().await;
        if let Some((token, end)) = kept.as_ref()
            && *end > Instant::now()
        {
            let left = end.saturating_duration_since(Instant::now());
            return Ok((token.clone(), left));
        }
        let asked = Instant::now();
        let owner = &self.owner;
        let new = owner.ask(&self.http, &self.authority, &self.resource);
        let new = new.await?;
        let life = Duration::from_secs(new.expires_in).saturating_sub(LEAST);
        *kept = Some((new.access_token.clone(), asked + life));
        Ok((new.access_token, life))
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    /// Seconds.
    #[serde(deserialize_with = "number_or_text")]
    expires_in: u64,
}

/// Machines are told numbers as texts.
fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// Sends a request and reads the JSON that it is answered with. Messages have the
/// server's words, which tell no secrets.
///
/// # Errors
/// [`TokenError`]
pub async fn answer<T: serde::de::DeserializeOwned>(
    request: reqwest::RequestBuilder,
) -> Result<T, TokenError> {
    let answer = request.send().await;
    let answer = answer.map_err(|error| TokenError::from(&error))?;
    let (status, url) = (answer.status(), answer.url().clone());
    let bytes = answer.bytes().await;
    let bytes = bytes.map_err(|error| TokenError::from(&error))?;
    let place = url.host_str().unwrap_or_default();
    if !status.is_success() {
        let words: String = String::from_utf8_lossy(&bytes).chars().take(500).collect();
        return Err(TokenError {
            message: format!("{place} answers {status}: {words}"),
            may_pass: status.is_server_error() || status.as_u16() == 429,
        });
    }
    serde_json::from_slice(&bytes).map_err(|error| TokenError {
        message: format!("{place} answers with something else: {error}"),
        may_pass: false,
    })
}

#[cfg(test)]
mod tests {
    use ark_testkit::tokens::TokenServer;
    use serde_json::json;

    use super::*;

    fn client(seconds: &serde_json::Value) -> (TokenServer, Tokens) {
        let server = TokenServer::with("t", &[("expires_in", seconds.clone())]).unwrap();
        let file = [
            ("AZURE_TENANT_ID", "tenant"),
            ("AZURE_CLIENT_ID", "client"),
            ("AZURE_CLIENT_SECRET", "secret"),
        ];
        let file = file.into_iter().collect();
        let http = crate::tls::client(None, true).unwrap();
        let authority = format!("http://{}", server.authority());
        let tokens = Tokens::new(&http, Owner::of(&file), &authority, "https://api");
        (server, tokens)
    }

    #[tokio::test]
    async fn a_token_is_kept_until_shortly_before_its_end() {
        // Entra tells numbers, machines tell texts.
        for (seconds, asked) in [(json!(3600), 1), (json!("3600"), 1), (json!(299), 3)] {
            let (server, tokens) = client(&seconds);
            for _ in 0..3 {
                assert_eq!(tokens.token().await.unwrap(), "t");
            }
            let questions = server.questions();
            assert_eq!(questions.len(), asked, "{seconds}");
            let question = &questions[0];
            assert!(
                question.head.starts_with("POST /tenant/oauth2/v2.0/token "),
                "{question:?}"
            );
            assert!(
                question.body.contains("scope=https%3A%2F%2Fapi%2F.default"),
                "{question:?}"
            );
        }
    }

    #[tokio::test]
    async fn whom_nobody_answers_may_ask_again() {
        let (server, mut tokens) = client(&json!(3600));
        tokens.authority = "http://127.0.0.1:1".to_owned();
        let error = tokens.token().await.unwrap_err();
        assert!(
            error.may_pass && error.message.contains("127.0.0.1"),
            "{error}"
        );
        assert!(server.questions().is_empty());
    }
}
