//! The client configuration: a flat JSON object in `~/.config/ark/config.json`.
//!
//! Keys that this version does not know are kept, so that clients of several
//! versions can share the file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Key: namespace of the server's resources.
pub const NAMESPACE: &str = "namespace";
/// Key: features to switch on, separated by commas.
pub const FEATURES: &str = "features";
/// Key: whether to colour output, `true` or `false`.
pub const COLORIZED: &str = "colorized";
/// Key: file with the certificate authority of the object store.
pub const CACERT: &str = "cacert";

/// The settings, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientConfig(BTreeMap<String, Value>);

/// Why the client configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there but cannot be read.
    #[error("cannot read the client configuration `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file does not hold a JSON object.
    #[error("the client configuration `{path}` is not a JSON object")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where it goes wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the client configuration `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no home directory to keep it in.
    #[error("no place for the client configuration: neither `XDG_CONFIG_HOME` nor `HOME` is set")]
    NoHome,
}

/// Where the file lies below the directory of configuration files.
pub fn path(config_home: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let home = config_home.ok_or(ConfigError::NoHome)?;
    Ok(home.join("ark").join("config.json"))
}

impl ClientConfig {
    /// Reads the file; an absent one holds no settings.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                return Err(ConfigError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let settings = serde_json::from_slice(&text).map_err(|source| ConfigError::Parse {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self(settings))
    }

    /// Writes the file, making its directory where needed. A reader sees the
    /// old or the new content, never a part.
    pub fn save(&self, path: &Path) -> Result<(), ConfigError> {
        let failed = |source| ConfigError::Write {
            path: path.to_owned(),
            source,
        };
        let directory = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory).map_err(failed)?;
        let mut text = serde_json::to_vec_pretty(&self.0).map_err(|e| failed(e.into()))?;
        text.push(b'\n');
        let draft = path.with_extension(format!("json.{}", std::process::id()));
        std::fs::write(&draft, text).map_err(failed)?;
        std::fs::rename(&draft, path).map_err(failed)
    }

    /// A setting as text; numbers and booleans as they are written in JSON.
    pub fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).map(text)
    }

    /// All settings, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), text(value)))
    }

    /// Sets a key; the empty value removes it.
    pub fn set(&mut self, key: &str, value: &str) {
        if value.is_empty() {
            self.0.remove(key);
        } else {
            self.0.insert(key.to_owned(), Value::from(value));
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_and_the_empty_value_removes() {
        let directory = tempfile::tempdir().unwrap();
        let path = path(Some(directory.path())).unwrap();
        assert_eq!(ClientConfig::load(&path).unwrap(), ClientConfig::default());

        let mut config = ClientConfig::default();
        config.set(NAMESPACE, "backups");
        config.set("other", "1");
        config.save(&path).unwrap();
        config.set("other", "");
        config.save(&path).unwrap();

        let read = ClientConfig::load(&path).unwrap();
        assert_eq!(
            read.iter().collect::<Vec<_>>(),
            [(NAMESPACE, "backups".to_owned())]
        );
    }

    #[test]
    fn a_broken_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.json");
        std::fs::write(&path, "[]").unwrap();
        let error = ClientConfig::load(&path).unwrap_err();
        assert!(error.to_string().contains("config.json"), "{error}");
    }

    #[test]
    fn values_that_are_not_text_are_shown_as_json() {
        let config = ClientConfig(BTreeMap::from([(COLORIZED.to_owned(), Value::Bool(true))]));
        assert_eq!(config.get(COLORIZED).as_deref(), Some("true"));
    }
}
