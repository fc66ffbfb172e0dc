//! A repository's passwords.
//!
//! What encrypts a repository is one random master key that never changes; each password
//! opens a copy of it, in a file below `keys/`. Changing a password is a matter of one
//! small file, and somebody who knew the old one *and* kept the master key can go on
//! reading: a repository whose key leaked is copied into a new one instead.

use std::fmt;

use jiff::Timestamp;
use rustic_core::repofile::{KeyFile, KeyId};
use rustic_core::{FileType, KeyOptions, ReadBackend as _};

use super::control::Control;
use super::error::FileError;
use super::repository::{Repository, blocking};

/// What opens a repository. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// As the Secret `velero-repo-credentials` has it: surrounding blanks do not count.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What a repository is encrypted with. Whoever has it needs no password, and does not
/// spend the 128 MiB and the half second that a password takes. Never shown by `Debug`.
#[derive(Clone)]
pub struct MasterKey(pub(super) rustic_core::repofile::MasterKey);

impl MasterKey {
    /// The key as the format's own JSON, the one that `restic cat masterkey` prints.
    pub fn to_json(&self) -> Result<String, FileError> {
        serde_json::to_string(&self.0).map_err(|error| FileError::Other(error.to_string()))
    }

    /// The key out of that JSON.
    pub fn from_json(text: &str) -> Result<Self, FileError> {
        let key = serde_json::from_str(text);
        key.map(Self).map_err(|error| {
            FileError::Other(format!("this is not a repository's master key: {error}"))
        })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// One password, without itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// Its file below `keys/`.
    pub id: String,
    /// Where it was made, where that was noted.
    pub host: Option<String>,
    /// When, where that was noted.
    pub created: Option<Timestamp>,
}

/// What is noted about a key that Ark makes.
pub(super) fn options() -> KeyOptions {
    KeyOptions::default()
        .hostname(Some("ark".to_owned()))
        .with_created(true)
}

impl Repository {
    /// The passwords that open this repository, without themselves.
    pub async fn keys(&self) -> Result<Vec<KeyEntry>, FileError> {
        let here = self.clone();
        blocking(&Control::default(), move |control| {
            let bucket = here.bucket(&control);
            let mut entries = Vec::new();
            for id in bucket.list(FileType::Key)? {
                let bytes = bucket.read_full(FileType::Key, &id)?;
                let key: KeyFile = serde_json::from_slice(&bytes)
                    .map_err(|error| FileError::Damaged(format!("key {id}: {error}")))?;
                entries.push(KeyEntry {
                    id: id.to_hex().to_string(),
                    host: key.hostname,
                    created: key.created.map(|at| at.timestamp()),
                });
            }
            Ok(entries)
        })
        .await
    }

    /// Lets one more password open this repository; the id of its key.
    pub async fn add_password(&self, password: &Password) -> Result<String, FileError> {
        let (here, password) = (self.clone(), password.clone());
        blocking(&Control::default(), move |control| {
            let (_, repository) = here.open_now(&control)?;
            let id = repository.add_key(password.text(), &options())?;
            Ok(id.into_inner().to_hex().to_string())
        })
        .await
    }

    /// From now on this password opens the repository and no other one does.
    ///
    /// Whenever this is interrupted, the old one, the new one or both open it.
    pub async fn rotate_password(&self, password: &Password) -> Result<(), FileError> {
        let new = self.add_password(password).await?;
        // What is not known to open must not be the only one left.
        Self::open(self.store(), self.prefix(), password).await?;
        let here = self.clone();
        blocking(&Control::default(), move |control| {
            let (bucket, repository) = here.open_now(&control)?;
            for id in bucket.list(FileType::Key)? {
                if *id.to_hex() != *new {
                    repository.delete_key(&KeyId::from(id))?;
                }
            }
            Ok(())
        })
        .await
    }
}
