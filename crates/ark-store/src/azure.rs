//! Azure Blob Storage: a location → the client.

mod credentials;
mod keys;
mod settings;

use std::sync::Arc;

use ark_cloud::azure::File;
use opendal::services::Azblob;
use opendal::{HttpTransporter, Operator};
use reqsign_azure_storage::RequestSigner;

use crate::azure::credentials::Identity;
use crate::azure::settings::Settings;
use crate::client::layered;
use crate::location::Location;
use crate::open::OpenError;
use crate::remote::{Remote, Uploads};
use crate::signing::{self, Presigner};
use crate::tls;
use crate::transport::PoliteTransport;

/// Blobs in one call to delete, as Azure bounds it.
const DELETE_BATCH: usize = 256;

/// What a signed URL is good for.
const READ: &str = "r";

pub(crate) async fn open(location: &Location) -> Result<Remote, OpenError> {
    let file = File::of(&location.credentials).await;
    let file = file.map_err(|reason| OpenError::credentials(location, reason))?;
    let settings = Settings::parse(location, &file)?;
    let container = location.bucket_name()?;
    let prefix = location.prefix_path()?;
    let http = tls::client(location, true)?;
    let identity = Identity::of(location, &settings, &file, &http).await?;
    let mut tuning = location.tuning.clone();
    tuning.part_size = settings.block_size.unwrap_or(tuning.part_size);
    let polite = PoliteTransport::new(http, tuning.longest_retry_after);
    let transport = HttpTransporter::new(polite);
    let builder = Azblob::default()
        .container(container)
        .root(&format!("/{prefix}"))
        .endpoint(&settings.endpoint)
        .account_name(&settings.account);
    let builder = match identity.chain() {
        Some(chain) => builder.credential_provider_chain(chain),
        None => builder.skip_signature(),
    };
    let client = Operator::new(builder).map_err(|error| OpenError::Client {
        location: location.name.clone(),
        reason: error.to_string(),
    })?;
    let base = format!("{}/{container}/{prefix}", settings.endpoint);
    let signer = match identity {
        // Azure signs in the name of a token's owner by another call, which is not there.
        Identity::Token(_) => Err("a URL is signed with the account's key alone".to_owned()),
        _ => Presigner::new(
            &base,
            identity.chain(),
            RequestSigner::new().with_service_sas_permissions(READ),
            signing::context(&transport, &[]),
        ),
    };
    Ok(Remote {
        client: layered(client, transport, &tuning),
        signer: signer.map(|signer| Arc::new(signer) as _),
        tuning,
        uploads: Uploads::Parts,
        delete_limit: DELETE_BATCH,
    })
}
