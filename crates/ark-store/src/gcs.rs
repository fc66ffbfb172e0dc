//! Google Cloud Storage: a location → the client.
//!
//! Objects of unknown length are sent in sessions that can be resumed, and objects
//! are deleted one by one: both are one request of the JSON API each, where the
//! client's other ways are a second API and a batch whose parts fail by themselves.

mod credentials;
mod transport;

use std::sync::Arc;

use ark_cloud::gcp::Identity;
use ark_cloud::{Config, ConfigError};
use opendal::services::Gcs;
use opendal::{HttpTransporter, Operator};
use reqsign_google::RequestSigner;

use crate::client::layered;
use crate::gcs::credentials::apply;
use crate::gcs::transport::GoogleTransport;
use crate::heptio::LAYOUT_KEY;
use crate::location::Location;
use crate::open::OpenError;
use crate::remote::{Remote, Uploads};
use crate::signing::{self, Presigner};
use crate::tls;
use crate::transport::PoliteTransport;

const ENDPOINT: &str = "https://storage.googleapis.com";

/// Signing without a key is done by the IAM service, for which a token for the storage
/// alone would not do.
const SIGNING_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The config keys of Velero's plugin, `layout`, and `endpoint`, which is ours.
const KEYS: [&str; 4] = ["endpoint", "kmsKeyName", LAYOUT_KEY, "serviceAccount"];

pub(crate) async fn open(location: &Location) -> Result<Remote, OpenError> {
    let config = location.config("gcp", &KEYS)?;
    let endpoint = config.url("endpoint")?;
    let endpoint = endpoint.unwrap_or_else(|| ENDPOINT.to_owned());
    let bucket = location.bucket_name()?;
    let prefix = location.prefix_path()?;
    let identity = Identity::of(&location.credentials).await;
    let identity = identity.map_err(|reason| OpenError::credentials(location, reason))?;
    let tuning = &location.tuning;
    let polite = PoliteTransport::new(tls::client(location, true)?, tuning.longest_retry_after);
    let transport = HttpTransporter::new(GoogleTransport {
        inner: polite,
        token_uri: identity.token_uri(),
        kms_key: kms_key(&config)?,
    });
    let builder = Gcs::default()
        .bucket(bucket)
        .root(&format!("/{prefix}"))
        .endpoint(&endpoint);
    let client = Operator::new(apply(&identity, builder)).map_err(|error| OpenError::Client {
        location: location.name.clone(),
        reason: error.to_string(),
    })?;
    let base = format!("{endpoint}/{bucket}/{prefix}");
    let mut signing = RequestSigner::new("storage").with_scope(SIGNING_SCOPE);
    if let Some(account) = config.text("serviceAccount") {
        signing = signing.with_signer_email(account);
    }
    let context = signing::context(&transport, &[("GOOGLE_SCOPE", SIGNING_SCOPE)]);
    let signer = Presigner::new(&base, identity.chain(), signing, context);
    Ok(Remote {
        client: layered(client, transport, tuning),
        signer: signer.map(|signer| Arc::new(signer) as _),
        tuning: tuning.clone(),
        uploads: Uploads::Session,
        delete_limit: 1,
    })
}

/// `projects/P/locations/L/keyRings/R/cryptoKeys/K`.
fn kms_key(config: &Config<'_>) -> Result<Option<String>, ConfigError> {
    const KEY: &str = "kmsKeyName";
    const FORM: [&str; 4] = ["projects", "locations", "keyRings", "cryptoKeys"];
    let Some(name) = config.text(KEY) else {
        return Ok(None);
    };
    let parts: Vec<_> = name.split('/').collect();
    let kinds = parts.iter().step_by(2).copied();
    if parts.len() == 2 * FORM.len() && kinds.eq(FORM) && parts.iter().all(|part| !part.is_empty())
    {
        return Ok(Some(name));
    }
    Err(config.refuse(
        KEY,
        format!("is `{name}`, not projects/P/locations/L/keyRings/R/cryptoKeys/K"),
    ))
}
