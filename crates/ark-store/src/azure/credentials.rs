//! Who we are to Azure: a location's settings and credentials file → the client's
//! provider.
//!
//! In Velero's order: the account's key that the location names; with `useAAD` a token
//! for a client with a secret, for a federated identity (workload identity), or for the
//! machine (managed identity); else the account's key, which Azure's management tells to
//! the owner of such a token.

use ark_cloud::Credentials;
use ark_cloud::azure::{File, Owner, Tokens};
use reqsign_azure_storage::{
    ClientSecretCredentialProvider, Credential, ImdsCredentialProvider, StaticCredentialProvider,
    WorkloadIdentityCredentialProvider,
};
use reqsign_core::ProvideCredentialChain;

use crate::azure::keys;
use crate::azure::settings::Settings;
use crate::location::Location;
use crate::open::OpenError;

/// As whom the container is used. Holds secrets, so it cannot be printed.
pub(crate) enum Identity {
    Anonymous,
    Key { account: String, key: String },
    Token { authority: String, file: File },
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
        let authority = settings.authority.clone();
        let key = match &settings.key_variable {
            Some(name) => named_key(file, name),
            None if settings.use_aad => {
                let file = file.clone();
                return Ok(Self::Token { authority, file });
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
            Self::Token { authority, file } => Some(tokens(chain, authority, file)),
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

/// What the file leaves out, the environment may have: workload identity on AKS comes
/// that way.
fn tokens(
    chain: ProvideCredentialChain<Credential>,
    authority: &str,
    file: &File,
) -> ProvideCredentialChain<Credential> {
    let value = |name: &str| file.get(name);
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
