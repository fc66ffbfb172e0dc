//! Things made once and kept in the user's cache folder, by one process at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{environment, progress};

/// `<cache>/ark/testenv/<folder>/<file>`, made if it is missing: by `make`, at the
/// path it is given, and renamed afterwards, so that a file that exists is whole.
pub(crate) fn once(
    folder: &str,
    file: &str,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let dir = dir(folder)?;
    let path = dir.join(file);
    if path.is_file() {
        return Ok(path);
    }
    let _lock = Lock::take(&dir)?;
    // Whoever held the lock before may have made it.
    if !path.is_file() {
        remove_leftovers(&dir)?;
        let unfinished = unfinished(&dir, file);
        make(&unfinished)?;
        fs::rename(&unfinished, &path)
            .with_context(|| format!("cannot put {} in place", path.display()))?;
    }
    Ok(path)
}

/// `<cache>/ark/testenv/<name>`, made if it is missing.
fn dir(name: &str) -> Result<PathBuf> {
    let dir = environment::cache_dir()?.join("testenv").join(name);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

/// Holds the directory's lock file until dropped or until the process ends.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for whoever holds the lock, and says so.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        let path = dir.join(".lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress::say(&format!(
                    "waiting for another process that fills {}",
                    dir.display()
                ));
                file.lock()
                    .with_context(|| format!("cannot lock {}", path.display()))?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        Ok(Self { _file: file })
    }
}

/// Removes what a build that was cut short has left. Call with the lock held.
fn remove_leftovers(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        let unfinished = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(UNFINISHED));
        if unfinished {
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Where to make `name` before it is renamed to its place in `dir`.
fn unfinished(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{UNFINISHED}{name}.{}", std::process::id()))
}

const UNFINISHED: &str = ".unfinished-";
