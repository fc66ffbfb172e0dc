//! The one crypto provider of the process, the roots that are trusted, and the HTTP
//! client of a location.

use std::sync::Once;
use std::time::Duration;

use crate::location::Location;
use crate::open::OpenError;

/// A host that does not answer the handshake is tried again, not waited for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes ring the crypto provider of rustls for the whole process, unless one is
/// set already, and gives the credential chain's own calls (STS) a client. May be
/// called any number of times.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that there is a provider, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        opendal_http_transport_reqwest::install_default();
    });
}

/// The client that speaks to a location: the system's roots plus `ca_cert`.
pub(crate) fn client(location: &Location, verify: bool) -> Result<reqwest::Client, OpenError> {
    install_tls();
    let refuse = |reason: String| OpenError::Client {
        location: location.name.clone(),
        reason,
    };
    let extra = match &location.ca_cert {
        Some(pem) => certificates(pem).map_err(refuse)?,
        None => Vec::new(),
    };
    let builder = || {
        reqwest::Client::builder()
            .user_agent(concat!("ark/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .tls_danger_accept_invalid_certs(!verify)
    };
    builder()
        .tls_certs_merge(extra.clone())
        .build()
        // A container without any root certificates: what the location brings must do,
        // and plain HTTP needs none.
        .or_else(|_| builder().tls_certs_only(extra).build())
        .map_err(|error| refuse(error.to_string()))
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, String> {
    let found =
        reqwest::Certificate::from_pem_bundle(pem).map_err(|_| "caCert is not PEM".to_owned())?;
    if found.is_empty() {
        return Err("caCert holds no certificate (`-----BEGIN CERTIFICATE-----`)".to_owned());
    }
    Ok(found)
}
