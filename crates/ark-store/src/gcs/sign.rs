//! Signed URLs of Google Cloud Storage (V4, of its XML API).
//!
//! With a service account's key they are signed here; with a token alone the IAM
//! service signs them in the name of the account that the config key `serviceAccount`
//! names, or that the metadata server tells.

use std::time::Duration;

use async_trait::async_trait;
use opendal::{Error, ErrorKind, HttpTransporter};
use reqsign_core::{Context, Env as _, OsEnv, StaticEnv};
use reqsign_file_read_tokio::TokioFileRead;
use reqsign_google::{Credential, RequestSigner};
use url::Url;

use super::credentials::Identity;
use crate::signing::UrlSigner;

/// A token for the storage alone would not do for the IAM service.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

pub(crate) struct Signer {
    /// The bucket's folder.
    base: Url,
    inner: reqsign_core::Signer<Credential>,
}

impl Signer {
    /// Signs below `base`. Fails with the reason why there is nobody to sign.
    pub(crate) fn new(
        identity: &Identity,
        base: &str,
        transport: &HttpTransporter,
        account: Option<String>,
    ) -> Result<Self, String> {
        let Some(chain) = identity.chain() else {
            return Err("without credentials nobody can sign".to_owned());
        };
        let mut signer = RequestSigner::new("storage").with_scope(SCOPE);
        if let Some(account) = account {
            signer = signer.with_signer_email(account);
        }
        let mut envs = OsEnv.vars();
        envs.insert("GOOGLE_SCOPE".to_owned(), SCOPE.to_owned());
        let context = Context::new()
            .with_file_read(TokioFileRead)
            .with_http_send(transport.clone())
            .with_env(StaticEnv {
                home_dir: OsEnv.home_dir(),
                envs,
            });
        Ok(Self {
            base: Url::parse(base).map_err(|error| error.to_string())?,
            inner: reqsign_core::Signer::new(context, chain, signer),
        })
    }

    fn address(&self, key: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(key.split('/'));
        }
        url
    }
}

#[async_trait]
impl UrlSigner for Signer {
    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, Error> {
        let request = http::Request::get(self.address(key).as_str()).body(());
        let request = request.map_err(|error| {
            Error::new(ErrorKind::Unexpected, "the key makes no URL").set_source(error)
        })?;
        let (mut parts, ()) = request.into_parts();
        self.inner
            .sign(&mut parts, Some(ttl))
            .await
            .map_err(|error| {
                Error::new(ErrorKind::Unexpected, "cannot sign a URL").set_source(error)
            })?;
        Ok(parts.uri.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped_once() {
        let transport = HttpTransporter::new(crate::transport::PoliteTransport::new(
            crate::tls::client(&crate::Location::new("gcp", "b"), true).unwrap(),
            Duration::ZERO,
        ));
        let base = "https://storage.googleapis.com/b/folder";
        let signer = Signer::new(&Identity::Ambient, base, &transport, None).unwrap();
        let address = signer.address("backups/ä b/50%.tar");
        assert_eq!(
            address.as_str(),
            "https://storage.googleapis.com/b/folder/backups/%C3%A4%20b/50%25.tar"
        );
        assert!(Signer::new(&Identity::Anonymous, base, &transport, None).is_err());
    }
}
