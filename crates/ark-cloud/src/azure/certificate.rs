//! A client that shows a certificate: a token that it has signed itself.
//!
//! Source: "Microsoft identity platform application authentication certificate
//! credentials".

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqsign_core::time::Timestamp;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::File;

/// The certificate itself, with its key.
const CONTENT: &str = "AZURE_CLIENT_CERTIFICATE";
/// A file with both.
const PATH: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const PASSWORD: &str = "AZURE_CLIENT_CERTIFICATE_PASSWORD";
/// `true`: the certificates above it go along, for those that are trusted by their issuer.
const SEND_CHAIN: &str = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN";
/// How long what is signed is good for.
const LIFE: Duration = Duration::from_mins(10);

/// Where a certificate is to be had.
pub(super) enum Source {
    Content(String),
    Path(String),
}

/// A certificate with its key. Cannot be printed.
pub(super) struct Certificate {
    key: Arc<dyn SigningKey>,
    thumbprint: String,
    /// The first is the client's own; none if they do not go along.
    sent: Vec<String>,
}

/// Which one a file, or else the environment, names.
pub(super) fn source(file: &File) -> Option<Source> {
    if let Some(text) = file.get_or_env(CONTENT) {
        // A line of such a file has line breaks so.
        return Some(Source::Content(text.replace("\\n", "\n")));
    }
    file.get_or_env(PATH).map(Source::Path)
}

impl Source {
    /// Reads it anew, since certificates are renewed.
    ///
    /// # Errors
    /// What is wrong with it, in words that have nothing of its content.
    pub(super) async fn read(&self, file: &File) -> Result<Certificate, String> {
        let (name, pem) = match self {
            Self::Content(text) => (CONTENT, text.clone().into_bytes()),
            Self::Path(path) => {
                let bytes = tokio::fs::read(path).await;
                (PATH, bytes.map_err(|error| format!("{path}: {error}"))?)
            }
        };
        let sends_chain = file.get_or_env(SEND_CHAIN);
        let sends_chain = sends_chain.is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let parsed = Certificate::parse(&pem, sends_chain);
        parsed.map_err(|why| match file.get_or_env(PASSWORD) {
            Some(_) => format!("{name}: {why}; a key under a password is not understood"),
            None => format!("{name}: {why}"),
        })
    }
}

impl Certificate {
    fn parse(pem: &[u8], sends_chain: bool) -> Result<Self, String> {
        let key = PrivateKeyDer::from_pem_slice(pem)
            .map_err(|_| "has no private key in PEM (`-----BEGIN PRIVATE KEY-----`)")?;
        let key = any_supported_type(&key).map_err(|_| "its private key is not understood")?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let chain = chain.map_err(|_| "its certificates are not PEM")?;
        let own = chain
            .first()
            .ok_or("has no certificate (`-----BEGIN CERTIFICATE-----`)")?;
        let sent = chain.iter().filter(|_| sends_chain);
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(own)),
            sent: sent.map(|one| STANDARD.encode(one)).collect(),
        })
    }

    /// Says to `audience`, the address that gives tokens, that this is `client`.
    pub(super) fn assertion(&self, client: &str, audience: &str) -> Result<String, String> {
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PSS_SHA256]);
        let signer = signer.ok_or("the certificate's key is not one of RSA")?;
        let now = Timestamp::now();
        let mut header = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint});
        if !self.sent.is_empty() {
            header["x5c"] = json!(self.sent);
        }
        let claims = json!({
            "aud": audience,
            "iss": client,
            "sub": client,
            // Whoever heard of it before refuses it.
            "jti": format!("{}.{:09}", now.as_second(), now.subsec_nanosecond()),
            "nbf": now.as_second(),
            "exp": (now + LIFE).as_second(),
        });
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let statement = format!("{header}.{claims}");
        let signature = signer.sign(statement.as_bytes());
        let signature = signature.map_err(|_| "the certificate's key does not sign")?;
        Ok(format!("{statement}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use webpki::EndEntityCert;
    use webpki::ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY;

    use super::*;

    /// A certificate of nobody with its key, made for tests.
    const PEM: &[u8] = include_bytes!("../../tests/azure/client.pem");

    #[test]
    fn what_is_signed_can_be_verified_with_the_certificate() {
        for sends_chain in [false, true] {
            let certificate = Certificate::parse(PEM, sends_chain).unwrap();
            let token = certificate.assertion("client", "https://login/t").unwrap();
            let (statement, signature) = token.rsplit_once('.').unwrap();
            let der = CertificateDer::from_pem_slice(PEM).unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            EndEntityCert::try_from(&der)
                .unwrap()
                .verify_signature(
                    RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
                    statement.as_bytes(),
                    &signature,
                )
                .unwrap();
            let (header, claims) = statement.split_once('.').unwrap();
            let [header, claims] = [header, claims].map(|part| -> Value {
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
            });
            let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&der));
            assert_eq!(header["x5t#S256"], thumbprint);
            assert_eq!(header["x5c"].is_array(), sends_chain);
            assert_eq!(
                (&claims["iss"], &claims["sub"]),
                (&json!("client"), &json!("client"))
            );
            assert_eq!(claims["aud"], "https://login/t");
            let life = claims["exp"].as_u64().unwrap() - claims["nbf"].as_u64().unwrap();
            assert_eq!(life, LIFE.as_secs());
        }
    }

    #[tokio::test]
    async fn what_is_no_certificate_is_told_without_its_content() {
        let text = String::from_utf8(PEM.to_vec()).unwrap();
        let key = text.split("-----BEGIN CERTIFICATE").next().unwrap();
        for (content, words) in [("secret", "no private key"), (key, "no certificate")] {
            let file: File = [(CONTENT, content), (PASSWORD, "p")].into_iter().collect();
            let error = source(&file).unwrap().read(&file).await.err().unwrap();
            assert!(
                error.starts_with(CONTENT) && error.contains(words),
                "{error}"
            );
            assert!(
                error.contains("password") && !error.contains("secret"),
                "{error}"
            );
        }
        let escaped = text.replace('\n', "\\n");
        let file: File = [(CONTENT, escaped.as_str())].into_iter().collect();
        source(&file).unwrap().read(&file).await.unwrap();
        let file: File = [(PATH, "/nowhere/c.pem")].into_iter().collect();
        let error = source(&file).unwrap().read(&file).await.err().unwrap();
        assert!(error.contains("/nowhere/c.pem"), "{error}");
    }
}
