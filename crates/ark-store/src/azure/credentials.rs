//! Who we are to Azure: a location's settings and credentials file → the client's
//! provider.
//!
//! In Velero's order: the account's key that the location names; with `useAAD` a token
//! for a client with a secret, for a federated identity (workload identity), or for the
//! machine (managed identity). Velero's third way, asking Azure for the account's key,
//! is not there.

use reqsign_azure_storage::{
    ClientSecretCredentialProvider, Credential, ImdsCredentialProvider, StaticCredentialProvider,
    WorkloadIdentityCredentialProvider,
};
use reqsign_core::ProvideCredentialChain;

use crate::azure::file::File;
use crate::azure::settings::Settings;
use crate::location::{Credentials, Location};
use crate::open::OpenError;

/// As whom the container is used.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    Anonymous,
    Key { account: String, key: String },
    Token { authority: String, file: File },
}

impl Identity {
    pub(crate) fn of(
        location: &Location,
        settings: &Settings,
        file: &File,
    ) -> Result<Self, OpenError> {
        if matches!(location.credentials, Credentials::Anonymous) {
            return Ok(Self::Anonymous);
        }
        let refuse = |reason: String| OpenError::Credentials {
            location: location.name.clone(),
            reason,
        };
        if let Some(name) = &settings.key_variable {
            let key = file.get(name).filter(|key| !key.is_empty());
            return match key {
                Some(key) => Ok(Self::Key {
                    account: settings.account.clone(),
                    key: key.clone(),
                }),
                None => Err(refuse(format!(
                    "`storageAccountKeyEnvVar` is `{name}`, which the credentials file does not have"
                ))),
            };
        }
        if settings.use_aad {
            return Ok(Self::Token {
                authority: settings.authority.clone(),
                file: file.clone(),
            });
        }
        Err(refuse(
            "name the account's key by `storageAccountKeyEnvVar`, or set `useAAD: \"true\"`; Ark does not ask Azure for the key".to_owned(),
        ))
    }

    /// What gives the credentials, or `None` for nobody's.
    pub(crate) fn chain(&self) -> Option<ProvideCredentialChain<Credential>> {
        let chain = ProvideCredentialChain::new();
        match self {
            Self::Anonymous => None,
            Self::Key { account, key } => {
                Some(chain.push(StaticCredentialProvider::new_shared_key(account, key)))
            }
            Self::Token { authority, file } => Some(tokens(chain, authority, file)),
        }
    }
}

/// What the file leaves out, the environment may have: workload identity on AKS comes
/// that way.
fn tokens(
    chain: ProvideCredentialChain<Credential>,
    authority: &str,
    file: &File,
) -> ProvideCredentialChain<Credential> {
    let value = |name: &str| file.get(name).filter(|value| !value.is_empty());
    let mut secret = ClientSecretCredentialProvider::new().with_authority_host(authority);
    let mut federated = WorkloadIdentityCredentialProvider::new().with_authority_host(authority);
    if let Some(tenant) = value("AZURE_TENANT_ID") {
        secret = secret.with_tenant_id(tenant);
        federated = federated.with_tenant_id(tenant);
    }
    if let Some(client) = value("AZURE_CLIENT_ID") {
        secret = secret.with_client_id(client);
        federated = federated.with_client_id(client);
    }
    if let Some(text) = value("AZURE_CLIENT_SECRET") {
        secret = secret.with_client_secret(text);
    }
    if let Some(path) = value("AZURE_FEDERATED_TOKEN_FILE") {
        federated = federated.with_federated_token_file(path);
    }
    chain
        .push(secret)
        .push(federated)
        .push(ImdsCredentialProvider::new())
}
