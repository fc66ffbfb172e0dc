//! The config keys of the provider `aws`, as Velero's plugin has them, understood
//! and checked. No I/O, no client.
//!
//! What cannot be done is refused with a sentence, never ignored.

use std::path::PathBuf;

use http::HeaderValue;
use url::form_urlencoded;

use crate::heptio::LAYOUT_KEY;
use crate::location::Location;
use crate::open::OpenError;
use ark_cloud::{Config, ConfigError};

/// All keys that are understood, sorted. `uploadPartSizeBytes` is ours, and `layout`,
/// which is none of S3's: [`crate::heptio`] has seen to it.
const KEYS: [&str; 17] = [
    "checksumAlgorithm",
    "customerKeyEncryptionFile",
    "customerKeyEncryptionSecret",
    "enableSharedConfig",
    "insecureSkipTLSVerify",
    "kmsKeyId",
    LAYOUT_KEY,
    "profile",
    "publicUrl",
    "region",
    "s3ForcePathStyle",
    "s3Url",
    "serverSideEncryption",
    "signatureVersion",
    "storageClass",
    "tagging",
    "uploadPartSizeBytes",
];

/// Tags of an object, as S3 bounds them.
const MOST_TAGS: usize = 10;

/// What the config of a location says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) public_endpoint: Option<String>,
    pub(crate) path_style: bool,
    pub(crate) profile: Option<String>,
    pub(crate) verify_tls: bool,
    pub(crate) encryption: Encryption,
    pub(crate) checksum: bool,
    pub(crate) storage_class: Option<String>,
    pub(crate) part_size: Option<usize>,
    /// What objects are tagged with.
    pub(crate) tagging: Option<HeaderValue>,
}

/// Encryption at rest that the server does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// The bucket's own default.
    Default,
    /// `AES256` or `aws:kms`, and the key for the latter.
    Managed {
        algorithm: String,
        kms_key: Option<String>,
    },
    /// A key that goes along with each request, in this file.
    CustomerFile(PathBuf),
    /// The same, out of the location.
    Customer,
}

impl Settings {
    pub(crate) fn parse(location: &Location) -> Result<Self, OpenError> {
        let config = location.config("aws", &KEYS)?;
        check_signature(&config)?;
        // Roles and source profiles of a shared file are understood without it.
        config.flag("enableSharedConfig")?;
        Ok(Self {
            region: config.text("region"),
            endpoint: config.url("s3Url")?,
            public_endpoint: config.url("publicUrl")?,
            path_style: config.flag("s3ForcePathStyle")?,
            profile: config.text("profile"),
            verify_tls: !config.flag("insecureSkipTLSVerify")?,
            encryption: encryption(&config, location.customer_key.is_some())?,
            checksum: checksum(&config)?,
            storage_class: config.text("storageClass"),
            part_size: config.size("uploadPartSizeBytes", 5 << 20..=1 << 30)?,
            tagging: tagging(&config)?,
        })
    }
}

fn check_signature(config: &Config<'_>) -> Result<(), ConfigError> {
    match config.text("signatureVersion").as_deref() {
        None | Some("4") => Ok(()),
        Some(other) => Err(config.refuse(
            "signatureVersion",
            format!("is `{other}`; Ark signs with version 4 only"),
        )),
    }
}

/// `KEY=VALUE&KEY=VALUE`, escaped as in a URL.
fn tagging(config: &Config<'_>) -> Result<Option<HeaderValue>, ConfigError> {
    let Some(text) = config.text("tagging") else {
        return Ok(None);
    };
    let tags: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
    let is_pair = |part: &str| part.split_once('=').is_some_and(|(key, _)| !key.is_empty());
    if !text.split('&').all(is_pair) {
        return Err(config.refuse("tagging", format!("is `{text}`, not KEY=VALUE&KEY=VALUE")));
    }
    if tags.len() > MOST_TAGS {
        let why = format!("has {} tags; an object has {MOST_TAGS} at most", tags.len());
        return Err(config.refuse("tagging", why));
    }
    // Whatever was not escaped is now.
    let written = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(tags)
        .finish();
    let header = HeaderValue::try_from(written);
    header
        .map(Some)
        .map_err(|_| config.refuse("tagging", "cannot be sent in a header"))
}

fn encryption(config: &Config<'_>, has_key: bool) -> Result<Encryption, ConfigError> {
    let kms_key = config.text("kmsKeyId");
    let file = config.text("customerKeyEncryptionFile");
    let secret = config.text("customerKeyEncryptionSecret");
    let given = [&kms_key, &file, &secret].into_iter().flatten().count();
    if given > 1 {
        return Err(config.refuse(
            "kmsKeyId",
            "excludes customerKeyEncryptionFile and customerKeyEncryptionSecret, and they each other: one of the three",
        ));
    }
    let algorithm = config.text("serverSideEncryption");
    if let Some(other) = algorithm
        .as_deref()
        .filter(|name| !["AES256", "aws:kms"].contains(name))
    {
        return Err(config.refuse(
            "serverSideEncryption",
            format!("is `{other}`, not `AES256` or `aws:kms`"),
        ));
    }
    if let Some(file) = file {
        return Ok(Encryption::CustomerFile(file.into()));
    }
    if secret.is_some() {
        return if has_key {
            Ok(Encryption::Customer)
        } else {
            Err(config.refuse(
                "customerKeyEncryptionSecret",
                "names a secret of the cluster, which cannot be read from here",
            ))
        };
    }
    Ok(match (kms_key, algorithm) {
        (None, None) => Encryption::Default,
        // A key for KMS means KMS.
        (Some(key), _) => Encryption::Managed {
            algorithm: "aws:kms".to_owned(),
            kms_key: Some(key),
        },
        (None, Some(algorithm)) => Encryption::Managed {
            algorithm,
            kms_key: None,
        },
    })
}

/// Whether uploads carry a checksum (CRC32C). `CRC32`, Velero's default, asks for
/// the same protection; an empty value turns it off, for servers that do not know
/// checksums.
fn checksum(config: &Config<'_>) -> Result<bool, ConfigError> {
    match config.raw("checksumAlgorithm") {
        None | Some("CRC32" | "CRC32C") => Ok(true),
        Some("") => Ok(false),
        Some(other) => Err(config.refuse(
            "checksumAlgorithm",
            format!(
                "is `{other}`; Ark sends CRC32C (also for `CRC32`), or none if the value is empty"
            ),
        )),
    }
}

#[cfg(test)]
mod tests;
