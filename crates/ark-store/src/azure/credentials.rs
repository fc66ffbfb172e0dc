//! Who we are to Azure: a location's settings and credentials file → the client's
//! provider.
//!
//! In Velero's order: the account's key that the location names; with `useAAD` a token
//! for a client with a secret or a certificate, for a federated identity (workload
//! identity), or for the machine (managed identity); else the account's key, which Azure's
//! management tells to the owner of such a token.

use std::sync::Arc;
use std::time::Duration;

use ark_cloud::Credentials;
use ark_cloud::azure::{File, Owner, Tokens};
use reqsign_azure_storage::{Credential, StaticCredentialProvider};
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, Error, ProvideCredential, ProvideCredentialChain};

use crate::azure::keys;
use crate::azure::settings::Settings;
use crate::location::Location;
use crate::open::OpenError;

/// What tokens for storage are for, in every cloud.
const STORAGE: &str = "https://storage.azure.com";
/// The least that a token is used for before the next one is asked for.
const LEAST: Duration = Duration::from_mins(1);

/// As whom the container is used. Holds secrets, so it cannot be printed.
pub(crate) enum Identity {
    Anonymous,
    Key { account: String, key: String },
    Token(Arc<Tokens>),
}

impl Identity {
    /// Asks Azure's management by `http` where that is needed.
    pub(crate) async fn of(
        location: &Location,
        settings: &Settings,
        file: &File,
        http: &reqwest::Client,
    ) -> Result<Self, OpenError> {
        if matches!(location.credentials, Credentials::Anonymous) {
            return Ok(Self::Anonymous);
        }
        let key = match &settings.key_variable {
            Some(name) => named_key(file, name),
            None if settings.use_aad => {
                let tokens = Tokens::new(http, Owner::of(file), &settings.authority, STORAGE);
                return Ok(Self::Token(Arc::new(tokens)));
            }
            None => managed_key(settings, file, http).await,
        };
        let account = settings.account.clone();
        match key {
            Ok(key) => Ok(Self::Key { account, key }),
            Err(reason) => Err(OpenError::credentials(location, reason)),
        }
    }

    /// What gives the credentials, or `None` for nobody's.
    pub(crate) fn chain(&self) -> Option<ProvideCredentialChain<Credential>> {
        let chain = ProvideCredentialChain::new();
        match self {
            Self::Anonymous => None,
            Self::Key { account, key } => {
                Some(chain.push(StaticCredentialProvider::new_shared_key(account, key)))
            }
            Self::Token(tokens) => Some(chain.push(Bearer(Arc::clone(tokens)))),
        }
    }
}

fn named_key(file: &File, name: &str) -> Result<String, String> {
    file.get(name).map(str::to_owned).ok_or_else(|| {
        format!("`storageAccountKeyEnvVar` is `{name}`, which the credentials file does not have")
    })
}

async fn managed_key(
    settings: &Settings,
    file: &File,
    http: &reqwest::Client,
) -> Result<String, String> {
    let Some(management) = &settings.management else {
        return Err(
            "set `useAAD: \"true\"`, name the account's key by `storageAccountKeyEnvVar`, or say \
             with `resourceGroup` and `subscriptionId` where Azure can be asked for it"
                .to_owned(),
        );
    };
    let (authority, address) = (&settings.authority, &management.address);
    let tokens = Tokens::new(http, Owner::of(file), authority, address);
    let token = tokens.token().await;
    let token = token
        .map_err(|error| format!("no token to ask Azure for the account's key with: {error}"))?;
    keys::first(http, (management, &settings.account), &token)
        .await
        .map_err(|error| format!("cannot ask Azure for the account's key: {error}"))
}

/// A token, as the client wants it.
#[derive(Debug)]
struct Bearer(Arc<Tokens>);

impl ProvideCredential for Bearer {
    type Credential = Credential;

    async fn provide_credential(&self, _: &Context) -> Result<Option<Credential>, Error> {
        let token = self.0.token_for().await;
        let (token, life) = token.map_err(|error| {
            Error::credential_invalid(error.to_string()).set_retryable(error.may_pass)
        })?;
        let end = Timestamp::now() + life.max(LEAST);
        Ok(Some(Credential::with_bearer_token(&token, Some(end))))
    }
}
