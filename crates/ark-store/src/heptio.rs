//! A bucket as Heptio Ark 0.3 to 0.9 laid it out, seen in today's layout: the folders
//! of its backups lie at the root, here they show below `backups/`.
//!
//! Backups are read and never changed. What a restore leaves goes to `restores/`, as
//! everywhere.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ark_cloud::ConfigError;
use ark_engine::port::{
    ByteStream, EntryStream, PutMode, Store, StoreEntry, StoreError, StoreErrorKind, Upload,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, future};

use crate::probe::KNOWN_FOLDERS;

/// Config key that says how a bucket is laid out, for every provider.
pub const LAYOUT_KEY: &str = "layout";

/// Value of [`LAYOUT_KEY`] for the layout of Heptio Ark 0.3 to 0.9.
pub const HEPTIO_ARK: &str = "heptio-ark";

/// The layout of everything since.
const VELERO: &str = "velero";

/// Where backups show.
const BACKUPS: &str = "backups/";

/// Whether a location's config says that its bucket has the old layout.
///
/// # Errors
/// [`ConfigError::Value`] for a layout that there is not.
pub(crate) fn is_wanted(
    location: &str,
    config: &BTreeMap<String, String>,
) -> Result<bool, ConfigError> {
    match config.get(LAYOUT_KEY).map(String::as_str) {
        None | Some("" | VELERO) => Ok(false),
        Some(HEPTIO_ARK) => Ok(true),
        Some(other) => {
            let reason = format!("is `{other}`, not `{VELERO}` or `{HEPTIO_ARK}`");
            Err(ConfigError::value(location, LAYOUT_KEY, reason))
        }
    }
}

/// A store whose backups lie at its root.
pub(crate) struct AtRoot(pub(crate) Arc<dyn Store>);

/// The key in the bucket.
fn inner(key: &str) -> &str {
    key.strip_prefix(BACKUPS).unwrap_or(key)
}

/// Refuses to change a backup.
fn check_write(operation: &'static str, key: &str) -> Result<(), StoreError> {
    if key.starts_with(BACKUPS) {
        Err(StoreError {
            kind: StoreErrorKind::Unsupported,
            operation,
            key: key.to_owned(),
            message: format!(
                "backups of a location with `{LAYOUT_KEY}: {HEPTIO_ARK}` are read and never changed"
            ),
        })
    } else {
        Ok(())
    }
}

#[async_trait]
impl Store for AtRoot {
    async fn read(&self, key: &str, max: u64) -> Result<Bytes, StoreError> {
        self.0.read(inner(key), max).await
    }

    async fn read_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        self.0.read_range(inner(key), range).await
    }

    async fn stream(&self, key: &str) -> Result<ByteStream, StoreError> {
        self.0.stream(inner(key)).await
    }

    async fn put(&self, key: &str, body: Bytes, mode: PutMode) -> Result<(), StoreError> {
        check_write("put", key)?;
        self.0.put(key, body, mode).await
    }

    async fn upload(&self, key: &str, mode: PutMode) -> Result<Box<dyn Upload>, StoreError> {
        check_write("upload", key)?;
        self.0.upload(key, mode).await
    }

    async fn stat(&self, key: &str) -> Result<Option<StoreEntry>, StoreError> {
        let found = self.0.stat(inner(key)).await?;
        Ok(found.map(|entry| StoreEntry {
            key: key.to_owned(),
            ..entry
        }))
    }

    async fn list(&self, prefix: &str) -> Result<EntryStream, StoreError> {
        let Some(below) = prefix.strip_prefix(BACKUPS) else {
            return self.0.list(prefix).await;
        };
        let entries = self.0.list(below).await?;
        let shown = entries.filter_map(|entry| future::ready(show(entry)));
        Ok(shown.boxed())
    }

    async fn list_dirs(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let mut folders = self.0.list_dirs(inner(prefix)).await?;
        if prefix == BACKUPS {
            folders.retain(|folder| is_backup(folder));
        } else if prefix.is_empty() {
            let count = folders.len();
            folders.retain(|folder| !is_backup(folder));
            if folders.len() < count {
                folders.push(BACKUPS.trim_end_matches('/').to_owned());
                folders.sort_unstable();
                folders.dedup();
            }
        }
        Ok(folders)
    }

    async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        for key in keys {
            check_write("delete", key)?;
        }
        self.0.delete(keys).await
    }

    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, StoreError> {
        self.0.sign(inner(key), ttl).await
    }
}

/// Whether a folder at the root can be a backup's.
fn is_backup(folder: &str) -> bool {
    !KNOWN_FOLDERS.contains(&folder)
}

/// An entry of the bucket as it is shown; `None` for what is no backup's.
fn show(entry: Result<StoreEntry, StoreError>) -> Option<Result<StoreEntry, StoreError>> {
    match entry {
        Err(error) => Some(Err(error)),
        Ok(entry) => {
            let (folder, _) = entry.key.split_once('/')?;
            is_backup(folder).then(|| {
                Ok(StoreEntry {
                    key: format!("{BACKUPS}{}", entry.key),
                    ..entry
                })
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt as _;

    use super::*;
    use crate::location::Location;

    async fn bucket() -> (tempfile::TempDir, Arc<dyn Store>) {
        let dir = tempfile::tempdir().unwrap();
        for key in [
            "old/ark-backup.json",
            "old/old.tar.gz",
            "b/ark-backup.json",
            "restores/r/x",
        ] {
            let path = dir.path().join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, key).unwrap();
        }
        std::fs::write(dir.path().join("loose"), "").unwrap();
        let mut location = Location::new("fs", dir.path().to_str().unwrap());
        location.config = BTreeMap::from([(LAYOUT_KEY.to_owned(), HEPTIO_ARK.to_owned())]);
        let store = crate::open(&location).await.unwrap();
        (dir, store)
    }

    #[tokio::test]
    async fn backups_show_where_they_are_looked_for() {
        let (_dir, store) = bucket().await;
        assert_eq!(store.list_dirs("").await.unwrap(), ["backups", "restores"]);
        assert_eq!(store.list_dirs(BACKUPS).await.unwrap(), ["b", "old"]);
        crate::check_layout(store.as_ref()).await.unwrap();
        let key = "backups/old/old.tar.gz";
        assert_eq!(store.read(key, 99).await.unwrap(), "old/old.tar.gz");
        assert_eq!(store.stat(key).await.unwrap().unwrap().key, key);
        assert_eq!(store.read_range(key, 4..7).await.unwrap(), "old");
        let stream = store.stream(key).await.unwrap();
        let parts: Vec<Bytes> = stream.try_collect().await.unwrap();
        assert_eq!(parts.concat(), b"old/old.tar.gz");
        let url = store.sign(key, Duration::from_mins(1)).await.unwrap();
        assert!(
            url.ends_with("/old/old.tar.gz") && !url.contains("backups"),
            "{url}"
        );
        let listed = |prefix: &'static str| {
            let store = Arc::clone(&store);
            async move {
                let entries: Vec<_> = store
                    .list(prefix)
                    .await
                    .unwrap()
                    .try_collect()
                    .await
                    .unwrap();
                let mut keys: Vec<_> = entries.into_iter().map(|entry| entry.key).collect();
                keys.sort_unstable();
                keys
            }
        };
        let old = ["backups/old/ark-backup.json", "backups/old/old.tar.gz"];
        assert_eq!(listed("backups/old/").await, old);
        assert_eq!(
            listed(BACKUPS).await,
            ["backups/b/ark-backup.json", old[0], old[1]]
        );
        assert_eq!(listed("restores/").await, ["restores/r/x"]);
    }

    #[tokio::test]
    async fn backups_are_never_changed_and_restores_have_their_place() {
        let (dir, store) = bucket().await;
        let key = "backups/old/old.tar.gz".to_owned();
        let body = || Bytes::from_static(b"new");
        let put = store.put(&key, body(), PutMode::Replace).await.unwrap_err();
        let upload = store.upload(&key, PutMode::Create).await.err().unwrap();
        let delete = store.delete(&[key]).await.unwrap_err();
        for error in [put, upload, delete] {
            assert_eq!(error.kind, StoreErrorKind::Unsupported);
            assert!(error.to_string().contains("layout: heptio-ark"), "{error}");
        }
        let path = dir.path().join("old/old.tar.gz");
        assert_eq!(std::fs::read(path).unwrap(), b"old/old.tar.gz");
        let log = "restores/r/restore-r-logs.gz";
        store.put(log, body(), PutMode::Create).await.unwrap();
        assert_eq!(std::fs::read(dir.path().join(log)).unwrap(), b"new");
        store.delete(&[log.to_owned()]).await.unwrap();
    }

    #[tokio::test]
    async fn a_layout_that_there_is_not_is_refused() {
        let mut location = Location::new("fs", "/tmp");
        location.config = BTreeMap::from([(LAYOUT_KEY.to_owned(), "restic".to_owned())]);
        let error = crate::open(&location).await.err().unwrap().to_string();
        assert!(error.contains("`velero` or `heptio-ark`"), "{error}");
    }
}
