//! What a location may say of credentials. Never shows a secret in `Debug`.

use std::fmt;
use std::path::PathBuf;

/// As whom a cloud is used.
#[derive(Clone, Default)]
pub enum Credentials {
    /// What the surroundings give: environment, shared files, web identity, container
    /// and instance metadata, in this order.
    #[default]
    Ambient,
    /// Requests are not signed.
    Anonymous,
    /// The content of a credentials file in the provider's own form: for `aws` INI, of
    /// which the config key `profile` chooses a section; for `gcp` JSON; for `azure`
    /// lines `NAME=VALUE`.
    Contents(Vec<u8>),
    /// The path of such a file, read again whenever the location is opened.
    File(PathBuf),
    /// Keys.
    Keys {
        /// The access key's public half.
        access_key: String,
        /// The secret half.
        secret_key: String,
        /// For temporary keys.
        session_token: Option<String>,
    },
}

impl Credentials {
    /// The text of the location's own file; `None` when it has none.
    ///
    /// # Errors
    /// It cannot be read or is not text; the message has nothing of its content.
    pub async fn file(&self) -> Result<Option<String>, String> {
        let bytes = match self {
            Self::Contents(bytes) => bytes.clone(),
            Self::File(path) => {
                let bytes = tokio::fs::read(path).await;
                bytes.map_err(|error| format!("{}: {error}", path.display()))?
            }
            Self::Ambient | Self::Anonymous | Self::Keys { .. } => return Ok(None),
        };
        let text = String::from_utf8(bytes);
        text.map(Some)
            .map_err(|_| "the file is not UTF-8".to_owned())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambient => f.write_str("Ambient"),
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Contents(_) => f.write_str("Contents(..)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Keys { access_key, .. } => f.debug_tuple("Keys").field(access_key).finish(),
        }
    }
}
