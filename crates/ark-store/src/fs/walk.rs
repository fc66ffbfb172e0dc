//! Listing a directory like a bucket: keys in order, page by page, folders unseen.
//!
//! In memory are the names of the folders on the way down, not the whole tree.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ark_engine::port::StoreEntry;

use super::write::{Folder, is_unfinished};
use super::{Failure, entry};
use crate::key;

/// Entries of a page.
const PAGE: usize = 1000;

/// A walk through all files whose key starts with a prefix.
pub(crate) struct Walk {
    /// The rest of each folder from the top to where the walk is.
    rest: Vec<std::vec::IntoIter<Node>>,
}

struct Node {
    key: String,
    path: PathBuf,
    is_folder: bool,
}

impl Walk {
    /// Begins in the folder that the prefix names; what stands behind its last `/` is
    /// the start of a name there.
    pub(crate) fn start(folder: &Folder, prefix: &str) -> Result<Self, Failure> {
        folder.check_bucket()?;
        let (parent, name) = match prefix.rfind('/') {
            Some(slash) => prefix.split_at(slash + 1),
            None => ("", prefix),
        };
        let mut top = nodes(&folder.base().join(parent), parent)?;
        top.retain(|node| node.key[parent.len()..].starts_with(name));
        Ok(Self {
            rest: vec![top.into_iter()],
        })
    }

    /// The next entries; none at the end.
    pub(crate) fn next_page(&mut self) -> Result<Vec<StoreEntry>, Failure> {
        let mut page = Vec::new();
        while let Some(level) = self.rest.last_mut() {
            let Some(node) = level.next() else {
                self.rest.pop();
                continue;
            };
            if node.is_folder {
                self.rest.push(nodes(&node.path, &node.key)?.into_iter());
                continue;
            }
            match node.path.symlink_metadata() {
                Ok(found) => page.push(entry(node.key, &found)),
                // Deleted since.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
            if page.len() == PAGE {
                break;
            }
        }
        Ok(page)
    }
}

/// The names of the folders directly inside one, sorted.
pub(crate) fn folders(folder: &Folder, prefix: &str) -> Result<Vec<String>, Failure> {
    folder.check_bucket()?;
    let prefix = prefix.trim_end_matches('/');
    let found = nodes(&folder.base().join(prefix), "")?;
    let mut names: Vec<_> = found
        .into_iter()
        .filter(|node| node.is_folder)
        .map(|node| node.key.trim_end_matches('/').to_owned())
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// What a folder holds, in the order that the keys below it have; nothing, if there
/// is no such folder (any more). A folder's key ends in `/`.
fn nodes(folder: &Path, key: &str) -> Result<Vec<Node>, Failure> {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error.into()),
    };
    let mut nodes = Vec::new();
    for entry in found {
        nodes.extend(node(&entry?, key)?);
    }
    nodes.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    Ok(nodes)
}

fn node(found: &fs::DirEntry, parent: &str) -> io::Result<Option<Node>> {
    let name = found.file_name();
    if is_unfinished(&name) {
        return Ok(None);
    }
    let kind = found.file_type()?;
    let usable = name.to_str().filter(|name| key::check(name).is_ok());
    let Some(name) = usable.filter(|_| kind.is_file() || kind.is_dir()) else {
        tracing::debug!(path = %found.path().display(), "is no object: a link, a device, or a name that no key has");
        return Ok(None);
    };
    let slash = if kind.is_dir() { "/" } else { "" };
    Ok(Some(Node {
        key: format!("{parent}{name}{slash}"),
        path: found.path(),
        is_folder: kind.is_dir(),
    }))
}
