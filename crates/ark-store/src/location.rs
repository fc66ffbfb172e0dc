//! What a location is: provider, bucket, prefix, config, credentials; and how a URL
//! on the command line becomes one.
//!
//! Plain values and rules over them: no I/O.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ark_cloud::{Config, ConfigError, Credentials};
use url::Url;

use crate::open::OpenError;
use crate::tuning::Tuning;

/// Where backups are: what a `BackupStorageLocation` says, with its references
/// (secrets, certificates) already fetched by the caller.
#[derive(Debug, Clone)]
pub struct Location {
    /// What messages call it.
    pub name: String,
    /// `aws`, `gcp`, `azure` or `fs`, with or without `velero.io/` before it.
    pub provider: String,
    /// The bucket, or for `fs` an absolute directory.
    pub bucket: String,
    /// Folder inside the bucket; slashes around it do not matter.
    pub prefix: String,
    /// `spec.config`, with the keys of Velero's plugin for the provider.
    pub config: BTreeMap<String, String>,
    /// Certificates (PEM, several allowed) trusted besides the system's.
    pub ca_cert: Option<Vec<u8>>,
    /// As whom.
    pub credentials: Credentials,
    /// The 32 bytes that the config key `customerKeyEncryptionSecret` names, which
    /// only the caller can fetch.
    pub customer_key: Option<Vec<u8>>,
    /// Sizes and times.
    pub tuning: Tuning,
}

/// The backends, after the provider's name was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    S3,
    Gcs,
    Azure,
    Directory,
}

impl Location {
    /// A location named like its bucket, with ambient credentials and no config.
    pub fn new(provider: &str, bucket: &str) -> Self {
        Self {
            name: bucket.to_owned(),
            provider: provider.to_owned(),
            bucket: bucket.to_owned(),
            prefix: String::new(),
            config: BTreeMap::new(),
            ca_cert: None,
            credentials: Credentials::Ambient,
            customer_key: None,
            tuning: Tuning::default(),
        }
    }

    /// Reads `s3://BUCKET/PREFIX?KEY=VALUE&…`, `gs://…` and
    /// `azblob://CONTAINER/…` of the same form, `file:///DIR?KEY=VALUE`, or a directory's
    /// path (a relative one below the current directory).
    ///
    /// Keys of an S3 URL: `region`, `endpoint`, `path_style`, `profile`,
    /// `credentials` (the path of a credentials file), and every config key of the
    /// provider `aws` by its own name. Keys of the others: `credentials`, and those of
    /// the provider `gcp` or `azure`. Keys of a file URL: those of the provider `fs`.
    ///
    /// # Errors
    /// [`OpenError::Url`] for other schemes, a missing bucket or unknown keys.
    pub fn from_url(text: &str) -> Result<Self, OpenError> {
        let refuse = |reason: String| OpenError::Url {
            url: text.to_owned(),
            reason,
        };
        let Some((scheme, _)) = text.split_once("://") else {
            return directory(text).map_err(refuse);
        };
        let url = Url::parse(text).map_err(|error| refuse(error.to_string()))?;
        match scheme {
            "s3" => bucket("aws", &url).map_err(refuse),
            "gs" => bucket("gcp", &url).map_err(refuse),
            "azblob" => bucket("azure", &url).map_err(refuse),
            "file" => {
                let path = url
                    .to_file_path()
                    .map_err(|()| refuse("names no absolute directory".to_owned()))?;
                let mut location = directory(&path.to_string_lossy()).map_err(refuse)?;
                location.config = url.query_pairs().into_owned().collect();
                Ok(location)
            }
            _ => Err(refuse(format!(
                "has the scheme `{scheme}`; Ark takes s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, azblob://CONTAINER/PREFIX, file:///DIRECTORY or a directory's path"
            ))),
        }
    }

    /// The config, if all its keys are among `keys`.
    pub(crate) fn config(
        &self,
        provider: &'static str,
        keys: &[&str],
    ) -> Result<Config<'_>, ConfigError> {
        Config::new(&self.name, &self.config, provider, keys)
    }

    pub(crate) fn provider(&self) -> Result<Provider, OpenError> {
        match self
            .provider
            .strip_prefix("velero.io/")
            .unwrap_or(&self.provider)
        {
            "aws" => Ok(Provider::S3),
            "gcp" => Ok(Provider::Gcs),
            "azure" => Ok(Provider::Azure),
            "fs" => Ok(Provider::Directory),
            _ => Err(OpenError::Provider {
                location: self.name.clone(),
                provider: self.provider.clone(),
            }),
        }
    }

    /// The bucket's name without the slashes around it. Inner slashes are for
    /// access points (`arn:aws:s3:…`) alone.
    pub(crate) fn bucket_name(&self) -> Result<&str, OpenError> {
        let bucket = self.bucket.trim_matches('/');
        let refuse = |reason| OpenError::Bucket {
            location: self.name.clone(),
            bucket: self.bucket.clone(),
            reason,
        };
        if bucket.is_empty() {
            return Err(refuse("is empty"));
        }
        if bucket.contains('/') && !bucket.starts_with("arn:aws:s3:") {
            return Err(refuse(
                "has a `/` inside; a folder of the bucket belongs into the prefix",
            ));
        }
        if bucket
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "?#\\".contains(c))
        {
            return Err(refuse("has a character that no bucket's name has"));
        }
        Ok(bucket)
    }

    /// The prefix without slashes around it; may be empty.
    pub(crate) fn prefix_path(&self) -> Result<&str, OpenError> {
        let prefix = self.prefix.trim_matches('/');
        if prefix.is_empty() {
            return Ok(prefix);
        }
        crate::key::check(prefix).map_err(|reason| OpenError::Prefix {
            location: self.name.clone(),
            prefix: self.prefix.clone(),
            reason,
        })?;
        Ok(prefix)
    }
}

fn directory(path: &str) -> Result<Location, String> {
    if path.is_empty() {
        return Err("is empty".to_owned());
    }
    let absolute = std::path::absolute(path).map_err(|error| error.to_string())?;
    let absolute = absolute.to_str().ok_or("is not UTF-8")?;
    let mut location = Location::new("fs", absolute);
    path.clone_into(&mut location.name);
    Ok(location)
}

fn bucket(provider: &str, url: &Url) -> Result<Location, String> {
    let bucket = url.host_str().filter(|host| !host.is_empty());
    let mut location = Location::new(provider, bucket.ok_or("names no bucket")?);
    location.prefix = percent_decode(url.path())?;
    location.name = format!("{}://{}{}", url.scheme(), location.bucket, url.path());
    for (key, value) in url.query_pairs() {
        let key = match &*key {
            "endpoint" if provider == "aws" => "s3Url",
            "path_style" if provider == "aws" => "s3ForcePathStyle",
            "credentials" => {
                location.credentials = Credentials::File(PathBuf::from(&*value));
                continue;
            }
            key => key,
        };
        location.config.insert(key.to_owned(), value.into_owned());
    }
    Ok(location)
}

/// A path's escapes, which [`Url`] keeps as they came.
fn percent_decode(path: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(value.ok_or("has a `%` that two hexadecimal digits do not follow")?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests;
