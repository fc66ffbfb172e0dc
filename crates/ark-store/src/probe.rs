//! Whether a bucket (below its prefix) holds backups and nothing else.
//!
//! The rule is Velero's, which both servers share: a folder directly below the root
//! that is none of the known ones makes the location invalid, so that backups do not
//! end up among somebody's other data. Objects directly below the root, and whatever
//! lies inside the folders, do not matter.

use ark_engine::port::{Store, StoreError};

/// The folders that a bucket of backups may have.
pub const KNOWN_FOLDERS: [&str; 6] = [
    "backups", "restores", "restic", "kopia", "plugins", "metadata",
];

/// How many unknown folders are named.
const NAMED: usize = 3;

/// A bucket that is not one of backups.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LayoutError {
    /// It has folders of somebody else.
    #[error(
        "the backup location holds top-level folders that no backup has: {}; use an empty bucket or a prefix",
        names(.folders)
    )]
    Foreign {
        /// All of them, sorted.
        folders: Vec<String>,
    },
    /// It has backups at its root, as Heptio Ark up to 0.9 kept them.
    #[error(
        "the backup location holds backups of Heptio Ark 0.3 to 0.9 at its root ({}); to read them set the config key `layout` to `heptio-ark` and the access mode to ReadOnly",
        names(.folders)
    )]
    HeptioArk {
        /// The folders that are backups, as far as they were looked at.
        folders: Vec<String>,
    },
    /// It could not be listed.
    #[error(transparent)]
    List(#[from] StoreError),
}

/// Checks the folders directly below the store's root. An empty bucket is valid.
///
/// # Errors
/// [`LayoutError`]
pub async fn check_layout(store: &dyn Store) -> Result<(), LayoutError> {
    let mut folders = store.list_dirs("").await?;
    folders.retain(|folder| !KNOWN_FOLDERS.contains(&folder.as_str()));
    let mut old = Vec::new();
    for folder in folders.iter().take(NAMED) {
        if store
            .stat(&format!("{folder}/ark-backup.json"))
            .await?
            .is_some()
        {
            old.push(folder.clone());
        }
    }
    if !old.is_empty() {
        Err(LayoutError::HeptioArk { folders: old })
    } else if folders.is_empty() {
        Ok(())
    } else {
        Err(LayoutError::Foreign { folders })
    }
}

fn names(folders: &[String]) -> String {
    let shown = folders.iter().take(NAMED);
    let mut text = shown.map(String::as_str).collect::<Vec<_>>().join(", ");
    if folders.len() > NAMED {
        text.push_str(", ...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_three_and_then_an_ellipsis() {
        let error = |folders: &[&str]| {
            let folders = folders.iter().map(|&folder| folder.to_owned()).collect();
            LayoutError::Foreign { folders }.to_string()
        };
        assert!(error(&["a", "b", "c"]).contains(": a, b, c;"));
        assert!(error(&["a", "b", "c", "d"]).contains(": a, b, c, ...;"));
    }
}
