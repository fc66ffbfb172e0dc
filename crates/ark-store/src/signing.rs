//! URLs that let whoever has them read one object for a while.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use opendal::{Error, ErrorKind, HttpTransporter, Operator};
use reqsign_core::{
    Context, Env as _, OsEnv, ProvideCredentialChain, SignRequest, Signer, SigningCredential,
    StaticEnv,
};
use reqsign_file_read_tokio::TokioFileRead;
use url::Url;

/// Signs URLs for the objects of one bucket.
#[async_trait]
pub(crate) trait UrlSigner: Send + Sync {
    /// A URL to read `key`, good for `ttl`.
    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, Error>;
}

/// The client's own way.
pub(crate) fn of(client: Operator) -> Arc<dyn UrlSigner> {
    Arc::new(client)
}

#[async_trait]
impl UrlSigner for Operator {
    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, Error> {
        let request = self.presign_read(key, ttl).await?;
        Ok(request.uri().to_string())
    }
}

/// Signs a plain GET, for stores whose client does not or not with all credentials.
pub(crate) struct Presigner<K: SigningCredential> {
    /// The folder of all keys.
    base: Url,
    signer: Signer<K>,
}

impl<K: SigningCredential> Presigner<K> {
    /// Signs below `base`, a URL. Fails with the reason why nobody can sign; `None` for
    /// the credentials is such a one.
    pub(crate) fn new(
        base: &str,
        credentials: Option<ProvideCredentialChain<K>>,
        request_signer: impl SignRequest<Credential = K>,
        context: Context,
    ) -> Result<Self, String> {
        let credentials = credentials.ok_or("without credentials nobody can sign")?;
        Ok(Self {
            base: Url::parse(base).map_err(|error| format!("`{base}`: {error}"))?,
            signer: Signer::new(context, credentials, request_signer),
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

/// What providers of credentials may use: files, the network, the environment and
/// `more` variables.
pub(crate) fn context(transport: &HttpTransporter, more: &[(&str, &str)]) -> Context {
    let mut envs = OsEnv.vars();
    envs.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    Context::new()
        .with_file_read(TokioFileRead)
        .with_http_send(transport.clone())
        .with_env(StaticEnv {
            home_dir: OsEnv.home_dir(),
            envs,
        })
}

#[async_trait]
impl<K: SigningCredential> UrlSigner for Presigner<K> {
    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, Error> {
        let fail = |what: &'static str| Error::new(ErrorKind::Unexpected, what);
        let request = http::Request::get(self.address(key).as_str())
            .body(())
            .map_err(|error| fail("the key makes no URL").set_source(error))?;
        let (mut parts, ()) = request.into_parts();
        let signed = self.signer.sign(&mut parts, Some(ttl)).await;
        signed.map_err(|error| fail("cannot sign a URL").set_source(error))?;
        Ok(parts.uri.to_string())
    }
}

#[cfg(test)]
mod tests {
    use reqsign_google::{Credential, RequestSigner};

    use super::*;

    #[test]
    fn keys_are_escaped_once() {
        let base = "https://storage.googleapis.com/b/folder";
        let signer = |chain| {
            Presigner::<Credential>::new(base, chain, RequestSigner::new("s"), Context::new())
        };
        let address = signer(Some(ProvideCredentialChain::new()))
            .unwrap()
            .address("backups/ä b/50%.tar");
        assert_eq!(
            address.as_str(),
            "https://storage.googleapis.com/b/folder/backups/%C3%A4%20b/50%25.tar"
        );
        assert!(signer(None).is_err());
    }
}
