//! Tokens of Microsoft Entra for Azure's management, which the storage client's own
//! providers do not ask for: they know the scope of the storage alone.
//!
//! Source: "OAuth 2.0 client credentials flow" of the Microsoft identity platform, and
//! "How to use managed identities for Azure resources on an Azure VM".

use ark_cloud::http::said;
use reqsign_core::{Env as _, OsEnv};
use reqwest::Client;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::azure::file::File;

/// The metadata server of a machine.
const MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// Another address for it.
const MACHINE_VARIABLE: &str = "AZURE_IMDS_ENDPOINT";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Whose token it is.
pub(crate) enum Owner {
    /// A client, which shows a secret or the token of another authority.
    Client {
        tenant: String,
        client: String,
        proof: Proof,
    },
    /// The machine, as one of its identities.
    Machine { client: Option<String> },
}

pub(crate) enum Proof {
    Secret(String),
    /// A file with the other authority's token; it changes.
    TokenFile(String),
}

impl Proof {
    /// What is sent of it.
    async fn read(&self) -> Result<Vec<(&'static str, String)>, String> {
        match self {
            Self::Secret(secret) => Ok(vec![("client_secret", secret.clone())]),
            Self::TokenFile(path) => {
                let token = tokio::fs::read_to_string(path).await;
                let token = token.map_err(|error| format!("{path}: {error}"))?;
                Ok(vec![
                    ("client_assertion_type", ASSERTION.to_owned()),
                    ("client_assertion", token.trim().to_owned()),
                ])
            }
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Owner {
    /// In Velero's order; what the file leaves out, the environment may have.
    pub(crate) fn of(file: &File) -> Self {
        let value = |name: &str| {
            let value = file.get(name).cloned().or_else(|| OsEnv.var(name));
            value.filter(|value| !value.is_empty())
        };
        let client = value("AZURE_CLIENT_ID");
        let secret = value("AZURE_CLIENT_SECRET").map(Proof::Secret);
        let token_file = || value("AZURE_FEDERATED_TOKEN_FILE").map(Proof::TokenFile);
        match (value("AZURE_TENANT_ID"), client, secret.or_else(token_file)) {
            (Some(tenant), Some(client), Some(proof)) => Self::Client {
                tenant,
                client,
                proof,
            },
            (_, client, _) => Self::Machine { client },
        }
    }

    /// A token for `resource`, the address of an API.
    pub(crate) async fn token(
        &self,
        http: &Client,
        authority: &str,
        resource: &str,
    ) -> Result<String, String> {
        let request = match self {
            Self::Client {
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
                let proof = proof.read().await?;
                fields.extend(proof.iter().map(|(name, value)| (*name, value.as_str())));
                http.post(format!("{authority}/{tenant}/oauth2/v2.0/token"))
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .body(form(&fields))
            }
            Self::Machine { client } => {
                let mut fields = vec![("api-version", "2018-02-01"), ("resource", resource)];
                fields.extend(client.iter().map(|client| ("client_id", client.as_str())));
                let address = OsEnv.var(MACHINE_VARIABLE);
                let address = address.unwrap_or_else(|| MACHINE.to_owned());
                http.get(format!("{address}?{}", form(&fields)))
                    .header("Metadata", "true")
            }
        };
        let token: Token = answer(request).await?;
        Ok(token.access_token)
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

/// Sends a request and reads the JSON that it is answered with. Messages have the
/// server's words, which tell no secrets.
pub(crate) async fn answer<T: serde::de::DeserializeOwned>(
    request: reqwest::RequestBuilder,
) -> Result<T, String> {
    let answer = request.send().await.map_err(|error| said(&error))?;
    let (status, url) = (answer.status(), answer.url().clone());
    let bytes = answer.bytes().await.map_err(|error| said(&error))?;
    let place = url.host_str().unwrap_or_default();
    if !status.is_success() {
        let words: String = String::from_utf8_lossy(&bytes).chars().take(500).collect();
        return Err(format!("{place} answers {status}: {words}"));
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| format!("{place} answers with something else: {error}"))
}
