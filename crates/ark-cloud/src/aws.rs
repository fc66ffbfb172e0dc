//! Credentials of AWS, and other addresses for its services.
//!
//! A credentials file belongs to one location, so nothing else is asked when there is
//! one. Ambient credentials are found as AWS's own clients find them: environment,
//! shared files, web identity, container and instance metadata.

mod endpoint;
mod profile;
mod role;

pub use endpoint::endpoint;
use reqsign_aws_v4::{Credential, DefaultCredentialProvider, StaticCredentialProvider};
use reqsign_core::{Context, ProvideCredential, ProvideCredentialChain};

use crate::credentials::Credentials;
use crate::http;

/// What gives the credentials.
pub type Chain = ProvideCredentialChain<Credential>;

/// What gives a location's credentials; `None` for nobody's. A file's section is
/// `profile`, else `default`. `client` is for the token services, `region` for theirs.
///
/// # Errors
/// The file cannot be read, or does not say enough. Messages name lines and sections,
/// never a secret.
pub async fn chain(
    credentials: &Credentials,
    profile: Option<&str>,
    region: &str,
    client: &reqwest::Client,
) -> Result<Option<Chain>, String> {
    let context = http::context(client);
    let sts = role::Sts::new(context.clone(), region);
    let chain = match credentials {
        Credentials::Anonymous => return Ok(None),
        Credentials::Keys {
            access_key,
            secret_key,
            session_token,
        } => keys(access_key, secret_key, session_token.as_deref()),
        Credentials::Ambient => {
            let mut ambient = DefaultCredentialProvider::builder();
            if let Some(profile) = profile {
                ambient = ambient.with_profile(profile);
            }
            let ambient = ambient.web_identity(sts.web_identity()).build();
            Chain::new().push(sts.around(ambient))
        }
        Credentials::Contents(_) | Credentials::File(_) => {
            let text = credentials.file().await?.unwrap_or_default();
            let sections = profile::sections(&text)?;
            profile::chain(&sections, profile.unwrap_or("default"), &sts)?
        }
    };
    Ok(Some(chain))
}

fn keys(access_key: &str, secret_key: &str, token: Option<&str>) -> Chain {
    let mut provider = StaticCredentialProvider::new(access_key, secret_key);
    if let Some(token) = token {
        provider = provider.with_session_token(token);
    }
    Chain::new().push(provider)
}

/// A provider with surroundings of its own, whatever those of the one who asks are.
#[derive(Debug)]
struct Within<P> {
    provider: P,
    context: Context,
}

impl<P: ProvideCredential<Credential = Credential>> ProvideCredential for Within<P> {
    type Credential = Credential;

    async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<Credential>> {
        self.provider.provide_credential(&self.context).await
    }
}
