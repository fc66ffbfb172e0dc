//! S3 and what speaks its protocol: a location → the client.

mod settings;
mod tagging;

use std::sync::Arc;

use ark_cloud::{ConfigError, aws};
use opendal::services::S3;
use opendal::{HttpTransporter, Operator};

use crate::client::layered;
use crate::location::Location;
use crate::open::OpenError;
use crate::remote::{Remote, Uploads};
use crate::s3::settings::{Encryption, Settings};
use crate::s3::tagging::{S3Transport, Tagger};
use crate::transport::PoliteTransport;
use crate::tuning::Tuning;
use crate::{signing, tls};

/// The region that servers other than Amazon's are signed for by default.
const DEFAULT_REGION: &str = "us-east-1";

/// Keys in one call to delete, as S3 bounds it.
const DELETE_BATCH: usize = 1000;

/// What an access point's name starts with.
const ACCESS_POINT: &str = "arn:aws:s3:";

pub(crate) async fn open(location: &Location) -> Result<Remote, OpenError> {
    let settings = Settings::parse(location)?;
    let bucket = Bucket::parse(location, &settings)?;
    location.prefix_path()?;
    let http = tls::client(location, settings.verify_tls)?;
    let region = match (&settings.region, &bucket.region) {
        (Some(region), _) | (None, Some(region)) => region.clone(),
        (None, None) => detect_region(&http, &bucket).await,
    };
    let key = customer_key(location, &settings.encryption).await?;
    let mut tuning = location.tuning.clone();
    tuning.part_size = settings.part_size.unwrap_or(tuning.part_size);
    let (credentials, profile) = (&location.credentials, settings.profile.as_deref());
    let chain = aws::chain(credentials, profile, &region, &http).await;
    let chain = chain.map_err(|reason| OpenError::credentials(location, reason))?;
    let chain = chain.map(Arc::new);
    let tagger = settings.tagging.clone().map(|tags| {
        let credentials = chain.clone().map(|chain| aws::Chain::new().push(chain));
        Tagger::new(tags, credentials, &region, ark_cloud::http::context(&http))
    });
    let transport = S3Transport {
        inner: PoliteTransport::new(http, tuning.longest_retry_after),
        tagger,
    };
    let maker = Maker {
        location,
        settings: &settings,
        bucket: &bucket,
        region: &region,
        key: key.as_deref(),
        chain,
        transport: HttpTransporter::new(transport),
        tuning: &tuning,
    };
    let client = maker.client(bucket.endpoint.as_deref())?;
    let signer = match (&key, &settings.public_endpoint) {
        (Some(_), _) => {
            Err("objects under a customer's key cannot be read by a signed URL alone".to_owned())
        }
        (None, Some(public)) => Ok(signing::of(maker.client(Some(public))?)),
        (None, None) => Ok(signing::of(client.clone())),
    };
    Ok(Remote {
        client,
        signer,
        tuning,
        uploads: Uploads::Parts,
        delete_limit: DELETE_BATCH,
    })
}

/// The name to put into the URL, and where.
#[derive(Debug, PartialEq, Eq)]
struct Bucket {
    name: String,
    endpoint: Option<String>,
    /// Where the name itself says it.
    region: Option<String>,
    path_style: bool,
}

impl Bucket {
    fn parse(location: &Location, settings: &Settings) -> Result<Self, OpenError> {
        let name = location.bucket_name()?;
        if let Some(rest) = name.strip_prefix(ACCESS_POINT) {
            return Self::access_point(rest, settings).ok_or_else(|| OpenError::Bucket {
                location: location.name.clone(),
                bucket: name.to_owned(),
                reason: "is not arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME",
            });
        }
        Ok(Self {
            name: name.to_owned(),
            endpoint: settings.endpoint.clone(),
            region: None,
            // A dot in the host's first part breaks TLS's wildcards, an address has no
            // parts at all.
            path_style: settings.path_style
                || name.contains('.')
                || settings.endpoint.as_deref().is_some_and(is_address),
        })
    }

    /// An access point is reached as host `NAME-ACCOUNT` below a domain of its own.
    fn access_point(arn: &str, settings: &Settings) -> Option<Self> {
        let mut parts = arn.splitn(3, ':');
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        let name = resource
            .strip_prefix("accesspoint/")
            .or_else(|| resource.strip_prefix("accesspoint:"))?;
        if region.is_empty() || account.is_empty() || name.is_empty() || name.contains(['/', '.']) {
            return None;
        }
        let domain = format!("https://s3-accesspoint.{region}.amazonaws.com");
        Some(Self {
            name: format!("{name}-{account}"),
            endpoint: Some(settings.endpoint.clone().unwrap_or(domain)),
            region: Some(region.to_owned()),
            path_style: false,
        })
    }
}

fn is_address(endpoint: &str) -> bool {
    let host = url::Url::parse(endpoint).ok();
    let host = host.as_ref().and_then(url::Url::host);
    matches!(host, Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)))
}

/// Asks the endpoint for the bucket's region, which it tells without credentials.
/// Servers other than Amazon's rarely do, and rarely care.
async fn detect_region(http: &reqwest::Client, bucket: &Bucket) -> String {
    let endpoint = bucket
        .endpoint
        .as_deref()
        .unwrap_or("https://s3.amazonaws.com");
    let answer = http
        .head(format!("{endpoint}/{}", bucket.name))
        .send()
        .await;
    let header = answer
        .as_ref()
        .ok()
        .and_then(|answer| answer.headers().get("x-amz-bucket-region"));
    let region = header
        .and_then(|value| value.to_str().ok())
        .unwrap_or(DEFAULT_REGION);
    tracing::debug!(bucket = bucket.name, region, "no region is configured");
    region.to_owned()
}

/// The 32 bytes of SSE-C.
async fn customer_key(
    location: &Location,
    encryption: &Encryption,
) -> Result<Option<Vec<u8>>, ConfigError> {
    let refuse = |key: &str, reason: String| ConfigError::value(&location.name, key, reason);
    let (config_key, bytes) = match encryption {
        Encryption::CustomerFile(path) => {
            let key = "customerKeyEncryptionFile";
            let bytes = tokio::fs::read(path).await;
            (
                key,
                bytes.map_err(|error| refuse(key, format!("is {}: {error}", path.display())))?,
            )
        }
        Encryption::Customer => (
            "customerKeyEncryptionSecret",
            location.customer_key.clone().unwrap_or_default(),
        ),
        Encryption::Default | Encryption::Managed { .. } => return Ok(None),
    };
    if bytes.len() != 32 {
        let reason = format!("names a key of {} bytes instead of 32", bytes.len());
        return Err(refuse(config_key, reason));
    }
    Ok(Some(bytes))
}

/// What all clients of a location share.
struct Maker<'a> {
    location: &'a Location,
    settings: &'a Settings,
    bucket: &'a Bucket,
    region: &'a str,
    key: Option<&'a [u8]>,
    /// Nobody's credentials, if there is none.
    chain: Option<Arc<aws::Chain>>,
    transport: HttpTransporter,
    tuning: &'a Tuning,
}

impl Maker<'_> {
    fn client(&self, endpoint: Option<&str>) -> Result<Operator, OpenError> {
        let prefix = self.location.prefix_path()?;
        let mut builder = S3::default()
            .bucket(&self.bucket.name)
            .root(&format!("/{prefix}"))
            .region(self.region)
            .endpoint(endpoint.unwrap_or_default());
        if !self.bucket.path_style {
            builder = builder.enable_virtual_host_style();
        }
        if self.settings.checksum {
            builder = builder.checksum_algorithm("crc32c");
        }
        if let Some(class) = &self.settings.storage_class {
            builder = builder.default_storage_class(class);
        }
        builder = match (&self.settings.encryption, self.key) {
            (_, Some(key)) => builder.server_side_encryption_with_customer_key("AES256", key),
            (Encryption::Managed { algorithm, kms_key }, None) => builder
                .server_side_encryption(algorithm)
                .server_side_encryption_aws_kms_key_id(kms_key.as_deref().unwrap_or_default()),
            _ => builder,
        };
        let builder = match &self.chain {
            Some(chain) => {
                let shared = aws::Chain::new().push(Arc::clone(chain));
                builder.credential_provider_chain(shared)
            }
            None => builder.skip_signature(),
        };
        let client = Operator::new(builder).map_err(|error| OpenError::Client {
            location: self.location.name.clone(),
            reason: error.to_string(),
        })?;
        Ok(layered(client, self.transport.clone(), self.tuning))
    }
}

#[cfg(test)]
mod tests;
