//! Sets the client up for who a location is to Google.

use ark_cloud::gcp::Identity;
use opendal::services::Gcs;

/// What the bucket's objects may be used for with it.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";

/// Sets the builder's credentials, and bars it from looking for others.
pub(crate) fn apply(identity: &Identity, builder: Gcs) -> Gcs {
    let builder = builder
        .scope(SCOPE)
        .disable_config_load()
        .disable_vm_metadata();
    match identity.tokens(SCOPE) {
        Some(chain) => builder.credential_provider_chain(chain),
        None => builder.skip_signature(),
    }
}
