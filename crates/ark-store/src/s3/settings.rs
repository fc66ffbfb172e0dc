//! The config keys of the provider `aws`, as Velero's plugin has them, understood
//! and checked. No I/O, no client.
//!
//! What cannot be done is refused with a sentence, never ignored.

use std::path::PathBuf;

use crate::heptio::LAYOUT_KEY;
use crate::location::Location;
use crate::open::OpenError;

const PROVIDER: &str = "aws";

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
        let config = Config(location);
        config.check_keys()?;
        config.check_signature()?;
        config.check_tagging()?;
        // Roles and source profiles of a shared file are understood without it.
        config.flag("enableSharedConfig")?;
        Ok(Self {
            region: config.text("region"),
            endpoint: config.url("s3Url")?,
            public_endpoint: config.url("publicUrl")?,
            path_style: config.flag("s3ForcePathStyle")?,
            profile: config.text("profile"),
            verify_tls: !config.flag("insecureSkipTLSVerify")?,
            encryption: config.encryption()?,
            checksum: config.checksum()?,
            storage_class: config.text("storageClass"),
            part_size: config.part_size()?,
        })
    }
}

struct Config<'a>(&'a Location);

impl Config<'_> {
    /// A value; an empty one is none.
    fn text(&self, key: &str) -> Option<String> {
        self.0
            .config
            .get(key)
            .filter(|value| !value.is_empty())
            .cloned()
    }

    fn refuse(&self, key: &str, reason: impl Into<String>) -> OpenError {
        OpenError::Value {
            location: self.0.name.clone(),
            key: key.to_owned(),
            reason: reason.into(),
        }
    }

    fn check_keys(&self) -> Result<(), OpenError> {
        match self
            .0
            .config
            .keys()
            .find(|key| !KEYS.contains(&key.as_str()))
        {
            None => Ok(()),
            Some(key) => Err(OpenError::UnknownKey {
                location: self.0.name.clone(),
                provider: PROVIDER,
                key: key.clone(),
                allowed: KEYS.join(", "),
            }),
        }
    }

    fn flag(&self, key: &str) -> Result<bool, OpenError> {
        // What Go's ParseBool takes, since that is what reads the same key elsewhere.
        match self.text(key).as_deref() {
            None | Some("0" | "f" | "F" | "false" | "False" | "FALSE") => Ok(false),
            Some("1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(true),
            Some(other) => Err(self.refuse(key, format!("is `{other}`, not `true` or `false`"))),
        }
    }

    fn url(&self, key: &str) -> Result<Option<String>, OpenError> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let url = url::Url::parse(&text).ok();
        let usable = url.filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host().is_some()
                && url.query().is_none()
        });
        match usable {
            Some(_) => Ok(Some(text.trim_end_matches('/').to_owned())),
            None => Err(self.refuse(
                key,
                format!(
                    "is `{text}`, not a URL like https://s3.example.com or http://10.0.0.1:9000"
                ),
            )),
        }
    }

    fn check_signature(&self) -> Result<(), OpenError> {
        match self.text("signatureVersion").as_deref() {
            None | Some("4") => Ok(()),
            Some(other) => Err(self.refuse(
                "signatureVersion",
                format!("is `{other}`; Ark signs with version 4 only"),
            )),
        }
    }

    fn check_tagging(&self) -> Result<(), OpenError> {
        match self.text("tagging") {
            None => Ok(()),
            Some(_) => Err(self.refuse(
                "tagging",
                "is not supported: Ark's client cannot tag objects; leave it out, and use a lifecycle rule or a bucket tag",
            )),
        }
    }

    fn encryption(&self) -> Result<Encryption, OpenError> {
        let kms_key = self.text("kmsKeyId");
        let file = self.text("customerKeyEncryptionFile");
        let secret = self.text("customerKeyEncryptionSecret");
        let given = [&kms_key, &file, &secret].into_iter().flatten().count();
        if given > 1 {
            return Err(self.refuse(
                "kmsKeyId",
                "excludes customerKeyEncryptionFile and customerKeyEncryptionSecret, and they each other: one of the three",
            ));
        }
        let algorithm = self.text("serverSideEncryption");
        if let Some(other) = algorithm
            .as_deref()
            .filter(|name| !["AES256", "aws:kms"].contains(name))
        {
            return Err(self.refuse(
                "serverSideEncryption",
                format!("is `{other}`, not `AES256` or `aws:kms`"),
            ));
        }
        if let Some(file) = file {
            return Ok(Encryption::CustomerFile(file.into()));
        }
        if secret.is_some() {
            return match &self.0.customer_key {
                Some(_) => Ok(Encryption::Customer),
                None => Err(self.refuse(
                    "customerKeyEncryptionSecret",
                    "names a secret of the cluster, which cannot be read from here",
                )),
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
    fn checksum(&self) -> Result<bool, OpenError> {
        match self.0.config.get("checksumAlgorithm").map(String::as_str) {
            None | Some("CRC32" | "CRC32C") => Ok(true),
            Some("") => Ok(false),
            Some(other) => Err(self.refuse(
                "checksumAlgorithm",
                format!("is `{other}`; Ark sends CRC32C (also for `CRC32`), or none if the value is empty"),
            )),
        }
    }

    fn part_size(&self) -> Result<Option<usize>, OpenError> {
        const KEY: &str = "uploadPartSizeBytes";
        let Some(text) = self.text(KEY) else {
            return Ok(None);
        };
        match text.parse::<usize>() {
            Ok(bytes) if (5 << 20..=1 << 30).contains(&bytes) => Ok(Some(bytes)),
            _ => Err(self.refuse(
                KEY,
                format!("is `{text}`, not a number from 5242880 (5 MiB) to 1073741824 (1 GiB)"),
            )),
        }
    }
}

#[cfg(test)]
mod tests;
