//! Taking on a role through AWS's token service, also where that has another address.

use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri, request};
use reqsign_aws_v4::{
    AssumeRoleCredentialProvider, AssumeRoleWithWebIdentityCredentialProvider, Credential,
    RequestSigner,
};
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, HttpSend, ProvideCredential, SignRequest, Signer};

use super::endpoint::endpoint;
use super::{Chain, Within};

/// The token service.
pub(super) struct Sts {
    context: Context,
    region: String,
    address: Option<Address>,
}

/// What a role is taken on with.
pub(super) struct Role<'a> {
    pub(super) arn: &'a str,
    pub(super) external_id: Option<&'a str>,
    pub(super) session: Option<&'a str>,
}

impl Sts {
    pub(super) fn new(context: Context, region: &str) -> Self {
        let address =
            endpoint(|name| context.env_var(name), "STS").and_then(|url| Address::parse(&url));
        Self {
            context: Self::context(context, address.clone()),
            region: region.to_owned(),
            address,
        }
    }

    /// Requests that nobody signs find the address on their way out.
    fn context(context: Context, address: Option<Address>) -> Context {
        match address {
            Some(address) => {
                let inner = context.clone();
                context.with_http_send(Redirected { inner, address })
            }
            None => context,
        }
    }

    /// A provider that asks this token service.
    pub(super) fn around<P>(&self, provider: P) -> Within<P>
    where
        P: ProvideCredential<Credential = Credential>,
    {
        Within {
            provider,
            context: self.context.clone(),
        }
    }

    /// By the token of another authority, as the environment names it.
    pub(super) fn web_identity(&self) -> AssumeRoleWithWebIdentityCredentialProvider {
        let provider = AssumeRoleWithWebIdentityCredentialProvider::new();
        provider
            .with_region(self.region.clone())
            .with_regional_sts_endpoint()
    }

    /// By the token of another authority, in a file.
    pub(super) fn by_token(&self, role: &Role<'_>, file: &str) -> Chain {
        let mut provider = self
            .web_identity()
            .with_role_arn(role.arn)
            .with_web_identity_token_file(file);
        if let Some(session) = role.session {
            provider = provider.with_role_session_name(session.to_owned());
        }
        Chain::new().push(self.around(provider))
    }

    /// By somebody else's keys.
    pub(super) fn by_keys(&self, role: &Role<'_>, keys: Chain) -> Chain {
        let signer = RequestSigner::new("sts", &self.region);
        let address = self.address.clone();
        let signer = Signer::new(self.context.clone(), keys, Readdressed { signer, address });
        let mut provider = AssumeRoleCredentialProvider::new(role.arn.to_owned(), signer)
            .with_region(self.region.clone())
            .with_regional_sts_endpoint();
        if let Some(id) = role.external_id {
            provider = provider.with_external_id(id.to_owned());
        }
        if let Some(session) = role.session {
            provider = provider.with_role_session_name(session.to_owned());
        }
        Chain::new().push(self.around(provider))
    }
}

/// Where a service is instead of at AWS.
#[derive(Debug, Clone)]
struct Address {
    scheme: Scheme,
    authority: Authority,
}

impl Address {
    fn parse(url: &str) -> Option<Self> {
        let parts = url.parse::<Uri>().ok()?.into_parts();
        Some(Self {
            scheme: parts.scheme?,
            authority: parts.authority?,
        })
    }

    /// The same request there, if it is one for AWS's token service.
    fn apply(&self, uri: &mut Uri) {
        if !uri.host().is_some_and(|host| host.starts_with("sts.")) {
            return;
        }
        let mut parts = std::mem::take(uri).into_parts();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        // Whole as it was, but for two parts that are valid.
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
}

/// Signs for the address that the request will go to.
#[derive(Debug)]
struct Readdressed {
    signer: RequestSigner,
    address: Option<Address>,
}

impl SignRequest for Readdressed {
    type Credential = Credential;

    fn required_valid_until(&self, credential: &Credential, ttl: Option<Duration>) -> Timestamp {
        self.signer.required_valid_until(credential, ttl)
    }

    async fn sign_request(
        &self,
        context: &Context,
        request: &mut request::Parts,
        credential: Option<&Credential>,
        expires_in: Option<Duration>,
    ) -> reqsign_core::Result<()> {
        if let Some(address) = &self.address {
            address.apply(&mut request.uri);
        }
        self.signer
            .sign_request(context, request, credential, expires_in)
            .await
    }
}

/// Sends requests for the token service to its address.
#[derive(Debug)]
struct Redirected {
    inner: Context,
    address: Address,
}

impl HttpSend for Redirected {
    async fn http_send(
        &self,
        mut request: Request<Bytes>,
    ) -> reqsign_core::Result<Response<Bytes>> {
        self.address.apply(request.uri_mut());
        self.inner.http_send(request).await
    }
}

#[cfg(test)]
mod tests {
    use ark_testkit::aws::{AwsServer, REGION};
    use reqsign_core::StaticEnv;

    use super::super::profile;
    use super::*;

    /// The token service of a server, as the environment names it.
    fn sts(server: &AwsServer) -> Sts {
        let client = crate::tls::client(None, true).unwrap();
        let name = "AWS_ENDPOINT_URL_STS".to_owned();
        let context = crate::http::context(&client).with_env(StaticEnv {
            home_dir: None,
            envs: [(name, server.endpoint())].into(),
        });
        Sts::new(context, REGION)
    }

    async fn access_key(chain: &Chain) -> String {
        // Whoever asks brings nothing: the provider has its own surroundings.
        let asked = chain.provide_credential(&Context::new()).await;
        let credential = asked.unwrap().expect("credentials");
        assert!(credential.session_token.is_some(), "keys for a while");
        credential.access_key_id
    }

    fn chain(file: &str, section: &str, server: &AwsServer) -> Chain {
        let sections = profile::sections(file).unwrap();
        profile::chain(&sections, section, &sts(server)).unwrap()
    }

    #[tokio::test]
    async fn a_role_is_taken_on_with_somebodys_keys() {
        let server = AwsServer::shared();
        let arn = server.create_unique_role().unwrap();
        let file = format!(
            "{}[role]\nrole_arn={arn}\nsource_profile=default\nrole_session_name=ark\n\
             [wrong]\naws_access_key_id={}\naws_secret_access_key=guessed\n\
             [refused]\nrole_arn={arn}\nsource_profile=wrong\n",
            server.credentials_file(),
            server.access_key,
        );
        let key = access_key(&chain(&file, "role", server)).await;
        assert!(key.starts_with("ASIA"), "{key}");
        // The server looked at the signature.
        let refused = chain(&file, "refused", server)
            .provide_credential(&Context::new())
            .await;
        assert!(
            !matches!(refused, Ok(Some(_))),
            "a wrong key takes on no role"
        );
    }

    #[tokio::test]
    async fn a_role_is_taken_on_with_the_token_of_another_authority() {
        let server = AwsServer::start_unchecked().unwrap();
        let arn = server.create_unique_role().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let token = dir.path().join("token");
        std::fs::write(&token, "header.claims.signature").unwrap();
        let file = format!(
            "[web]\nrole_arn={arn}\nweb_identity_token_file={}\n",
            token.display()
        );
        let key = access_key(&chain(&file, "web", &server)).await;
        assert!(key.starts_with("ASIA"), "{key}");
    }

    #[test]
    fn only_the_token_service_has_the_other_address() {
        let address = Address::parse("http://127.0.0.1:5000").unwrap();
        let moved = |uri: &str| {
            let mut uri: Uri = uri.parse().unwrap();
            address.apply(&mut uri);
            uri.to_string()
        };
        assert_eq!(
            moved("https://sts.eu-west-1.amazonaws.com/?Action=A"),
            "http://127.0.0.1:5000/?Action=A"
        );
        assert_eq!(
            moved("http://169.254.169.254/x"),
            "http://169.254.169.254/x"
        );
        assert!(Address::parse("nonsense").is_none());
    }
}
