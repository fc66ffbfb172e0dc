//! Reading the config keys of a location: which there are, and their forms. What a
//! provider makes of them is the provider's.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A config that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A key that the provider does not have.
    #[error(
        "location `{location}`: provider `{provider}` has no config key `{key}`; it takes {allowed}"
    )]
    UnknownKey {
        /// The location's name.
        location: String,
        /// Its provider.
        provider: &'static str,
        /// The key.
        key: String,
        /// All keys that exist.
        allowed: String,
    },
    /// A key whose value cannot be used, or that misses.
    #[error("location `{location}`: config key `{key}` {reason}")]
    Value {
        /// The location's name.
        location: String,
        /// The key.
        key: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
}

impl ConfigError {
    /// A value that cannot be used.
    pub fn value(location: &str, key: &str, reason: impl Into<String>) -> Self {
        Self::Value {
            location: location.to_owned(),
            key: key.to_owned(),
            reason: reason.into(),
        }
    }
}

/// The config of a location.
#[derive(Debug, Clone, Copy)]
pub struct Config<'a> {
    location: &'a str,
    values: &'a BTreeMap<String, String>,
}

impl<'a> Config<'a> {
    /// The values of the location named `location`.
    ///
    /// # Errors
    /// [`ConfigError::UnknownKey`] for one that is not among `keys`, all that the
    /// provider has.
    pub fn new(
        location: &'a str,
        values: &'a BTreeMap<String, String>,
        provider: &'static str,
        keys: &[&str],
    ) -> Result<Self, ConfigError> {
        let unknown = |key: &&String| !keys.contains(&key.as_str());
        match values.keys().find(unknown) {
            None => Ok(Self { location, values }),
            Some(key) => Err(ConfigError::UnknownKey {
                location: location.to_owned(),
                provider,
                key: key.clone(),
                allowed: keys.join(", "),
            }),
        }
    }

    /// A value; an empty one is none.
    pub fn text(&self, key: &str) -> Option<String> {
        let value = self.values.get(key);
        value.filter(|value| !value.is_empty()).cloned()
    }

    /// A value as it stands, also an empty one.
    pub fn raw(&self, key: &str) -> Option<&'a str> {
        self.values.get(key).map(String::as_str)
    }

    /// An error that says why a value cannot be used.
    pub fn refuse(&self, key: &str, reason: impl Into<String>) -> ConfigError {
        ConfigError::value(self.location, key, reason)
    }

    /// `true` or `false`; absent is `false`.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for anything else.
    pub fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        // What Go's ParseBool takes, since that is what reads the same key elsewhere.
        match self.text(key).as_deref() {
            None | Some("0" | "f" | "F" | "false" | "False" | "FALSE") => Ok(false),
            Some("1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(true),
            Some(other) => Err(self.refuse(key, format!("is `{other}`, not `true` or `false`"))),
        }
    }

    /// A URL of a server, without a slash at its end.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for what is none.
    pub fn url(&self, key: &str) -> Result<Option<String>, ConfigError> {
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

    /// A number of bytes.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for one that is not allowed.
    pub fn size(
        &self,
        key: &str,
        allowed: RangeInclusive<usize>,
    ) -> Result<Option<usize>, ConfigError> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(bytes) if allowed.contains(&bytes) => Ok(Some(bytes)),
            _ => Err(self.refuse(
                key,
                format!(
                    "is `{text}`, not a number from {} ({} MiB) to {} ({} MiB)",
                    allowed.start(),
                    allowed.start() >> 20,
                    allowed.end(),
                    allowed.end() >> 20
                ),
            )),
        }
    }
}
