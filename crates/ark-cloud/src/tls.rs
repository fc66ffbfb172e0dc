//! The one crypto provider of the process, the roots that are trusted, and the HTTP
//! client of a location.

use std::sync::Once;
use std::time::Duration;

/// A host that does not answer the handshake is tried again, not waited for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes ring the crypto provider of rustls for the whole process, unless one is
/// set already. May be called any number of times.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that there is a provider, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// A client that trusts the system's roots and `ca_cert` (PEM, several allowed), or,
/// without `verify`, everybody.
///
/// # Errors
/// The certificates cannot be used, or no client can be made.
pub fn client(ca_cert: Option<&[u8]>, verify: bool) -> Result<reqwest::Client, String> {
    install_tls();
    let extra = ca_cert.map_or_else(|| Ok(Vec::new()), certificates)?;
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
        .map_err(|error| error.to_string())
}

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, String> {
    let found =
        reqwest::Certificate::from_pem_bundle(pem).map_err(|_| "caCert is not PEM".to_owned())?;
    if found.is_empty() {
        return Err("caCert holds no certificate (`-----BEGIN CERTIFICATE-----`)".to_owned());
    }
    Ok(found)
}
