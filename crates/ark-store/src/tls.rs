//! TLS of everything that this crate speaks to.

use std::sync::Once;

use crate::location::Location;
use crate::open::OpenError;

/// Sets up TLS for the whole process, and gives the object-store client's own calls a
/// transport. May be called any number of times.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ark_cloud::install_tls();
    ONCE.call_once(opendal_http_transport_reqwest::install_default);
}

/// The client that speaks to a location: the system's roots plus `ca_cert`.
pub(crate) fn client(location: &Location, verify: bool) -> Result<reqwest::Client, OpenError> {
    install_tls();
    let client = ark_cloud::tls::client(location.ca_cert.as_deref(), verify);
    client.map_err(|reason| OpenError::Client {
        location: location.name.clone(),
        reason,
    })
}
