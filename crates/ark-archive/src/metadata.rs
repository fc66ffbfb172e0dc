//! The backup's metadata file and the version of the tarball's format.
//!
//! Works on JSON values: the types of the custom resources are not known here.
//! Old files are converted when read and never rewritten.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use crate::heptio;

/// Content of `metadata/version` in the tarballs written here.
pub const TARBALL_VERSION: &str = "1.1.0\n";

const API_VERSION: &str = "velero.io/v1";

/// Version of a tarball's layout, from its `metadata/version`.
///
/// `1` has objects once; from `1.1.0` on they are there a second time below
/// their version. Archives of Heptio Ark have no version file and count as `1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FormatVersion {
    /// Readers refuse another one.
    pub major: u32,
    /// What came with it can be ignored.
    pub minor: u32,
    /// Corrections.
    pub patch: u32,
}

impl FormatVersion {
    /// What a tarball without version file has.
    pub const FIRST: Self = Self {
        major: 1,
        minor: 0,
        patch: 0,
    };
    /// What is written here.
    pub const CURRENT: Self = Self {
        major: 1,
        minor: 1,
        patch: 0,
    };

    /// Whether folders by version can be there.
    pub fn has_versions(self) -> bool {
        self >= Self::CURRENT
    }
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for FormatVersion {
    type Err = MetadataError;

    /// Takes `1`, `1.1`, `1.1.0`, with white space around.
    fn from_str(text: &str) -> Result<Self, MetadataError> {
        let unknown = || MetadataError::FormatVersion {
            found: text.trim().to_owned(),
        };
        let mut numbers = [0_u32; 3];
        let mut parts = text.trim().split('.');
        for (i, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(part) if part.bytes().all(|b| b.is_ascii_digit()) => {
                    *number = part.parse().map_err(|_| unknown())?;
                }
                None if i > 0 => {}
                _ => return Err(unknown()),
            }
        }
        let [major, minor, patch] = numbers;
        if major != 1 || parts.next().is_some() {
            return Err(unknown());
        }
        Ok(Self {
            major,
            minor,
            patch,
        })
    }
}

/// Why metadata cannot be used. Never worth a retry.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// A layout that this release does not know.
    #[error("the archive has format version {found:?}; this release reads versions 1 to 1.x")]
    FormatVersion {
        /// As found.
        found: String,
    },
    /// Larger than any backup's metadata.
    #[error("the metadata file has {bytes} bytes, more than {max}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// Not JSON.
    #[error("the metadata file is not valid JSON")]
    Json(#[source] serde_json::Error),
    /// JSON, but of something else.
    #[error("the metadata file holds {found:?} instead of a Backup of {API_VERSION}")]
    NotABackup {
        /// `apiVersion` and `kind` as found.
        found: String,
    },
    /// It could not be written as JSON.
    #[error("cannot write the backup as JSON")]
    Encode(#[source] serde_json::Error),
}

/// A backup's metadata in today's form.
#[derive(Debug, Clone, PartialEq)]
pub struct BackupDocument {
    /// The `Backup` resource, `velero.io/v1`.
    pub backup: Value,
    /// Whether it was written by Heptio Ark and converted.
    pub from_ark: bool,
}

/// The bytes of `velero-backup.json`: readable JSON and a newline, no gzip.
/// `backup` must have `apiVersion` and `kind`.
pub fn encode_backup<T: Serialize>(backup: &T) -> Result<Vec<u8>, MetadataError> {
    let mut bytes = serde_json::to_vec_pretty(backup).map_err(MetadataError::Encode)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads `velero-backup.json` or `ark-backup.json`, of at most `max` bytes.
pub fn decode_backup(bytes: &[u8], max: u64) -> Result<BackupDocument, MetadataError> {
    if bytes.len() as u64 > max {
        return Err(MetadataError::TooLarge {
            bytes: bytes.len() as u64,
            max,
        });
    }
    let mut backup: Value = serde_json::from_slice(bytes).map_err(MetadataError::Json)?;
    let field = |name: &str| backup.get(name).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (field("apiVersion"), field("kind"));
    let from_ark = api_version == heptio::API_VERSION;
    if kind != "Backup" || !(from_ark || api_version == API_VERSION) {
        return Err(MetadataError::NotABackup {
            found: format!("{api_version} {kind}"),
        });
    }
    if from_ark {
        heptio::convert(&mut backup);
    }
    Ok(BackupDocument { backup, from_ark })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn format_versions() {
        assert_eq!("1".parse::<FormatVersion>().unwrap(), FormatVersion::FIRST);
        assert_eq!(
            TARBALL_VERSION.parse::<FormatVersion>().unwrap(),
            FormatVersion::CURRENT
        );
        assert!("1.2.7".parse::<FormatVersion>().unwrap().has_versions());
        assert!(!FormatVersion::FIRST.has_versions());
        for bad in ["", "2", "1.1.0.0", "1.", "v1", "1.-1", "99999999999"] {
            assert!(bad.parse::<FormatVersion>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn todays_backups_pass_and_others_do_not() {
        let today = json!({"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": {}});
        let bytes = encode_backup(&today).unwrap();
        assert!(bytes.ends_with(b"}\n"));
        let read = decode_backup(&bytes, 1 << 20).unwrap();
        assert_eq!(
            read,
            BackupDocument {
                backup: today,
                from_ark: false
            }
        );

        let old = json!({"apiVersion": "ark.heptio.com/v1", "kind": "Backup", "metadata": {}});
        let read = decode_backup(old.to_string().as_bytes(), 1 << 20).unwrap();
        assert!(read.from_ark);
        assert_eq!(read.backup["apiVersion"], "velero.io/v1");

        let pod = br#"{"apiVersion":"v1","kind":"Pod"}"#;
        assert!(matches!(
            decode_backup(pod, 1 << 20),
            Err(MetadataError::NotABackup { found }) if found == "v1 Pod"
        ));
        assert!(matches!(
            decode_backup(&bytes, 3),
            Err(MetadataError::TooLarge { .. })
        ));
        assert!(matches!(
            decode_backup(b"{", 3),
            Err(MetadataError::Json(_))
        ));
    }
}
