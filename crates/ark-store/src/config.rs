//! Reading the config keys of a location: which there are, and their forms. What a
//! provider makes of them is the provider's.

use std::ops::RangeInclusive;

use crate::location::Location;
use crate::open::OpenError;

/// The config of a location.
pub(crate) struct Config<'a> {
    pub(crate) location: &'a Location,
}

impl<'a> Config<'a> {
    /// # Errors
    /// [`OpenError::UnknownKey`] for one that is not among `keys`, all that the
    /// provider has.
    pub(crate) fn new(
        location: &'a Location,
        provider: &'static str,
        keys: &[&str],
    ) -> Result<Self, OpenError> {
        let unknown = |key: &&String| !keys.contains(&key.as_str());
        match location.config.keys().find(unknown) {
            None => Ok(Self { location }),
            Some(key) => Err(OpenError::UnknownKey {
                location: location.name.clone(),
                provider,
                key: key.clone(),
                allowed: keys.join(", "),
            }),
        }
    }

    /// A value; an empty one is none.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let value = self.location.config.get(key);
        value.filter(|value| !value.is_empty()).cloned()
    }

    pub(crate) fn refuse(&self, key: &str, reason: impl Into<String>) -> OpenError {
        OpenError::Value {
            location: self.location.name.clone(),
            key: key.to_owned(),
            reason: reason.into(),
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Result<bool, OpenError> {
        // What Go's ParseBool takes, since that is what reads the same key elsewhere.
        match self.text(key).as_deref() {
            None | Some("0" | "f" | "F" | "false" | "False" | "FALSE") => Ok(false),
            Some("1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(true),
            Some(other) => Err(self.refuse(key, format!("is `{other}`, not `true` or `false`"))),
        }
    }

    /// A URL of a server, without a slash at its end.
    pub(crate) fn url(&self, key: &str) -> Result<Option<String>, OpenError> {
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
    pub(crate) fn size(
        &self,
        key: &str,
        allowed: RangeInclusive<usize>,
    ) -> Result<Option<usize>, OpenError> {
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
