//! Reading a snapshot's directories.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustic_core::repofile::{BlobType, Node, Tree};
use rustic_core::{BlobId, Id, IndexedFullStatus, TreeId};
use sha2::{Digest as _, Sha256};

use super::error::FileError;

/// A repository whose whole index is in memory.
pub(super) type Indexed = rustic_core::Repository<IndexedFullStatus>;

/// A chunk, decrypted, and proved to be the one that was asked for: the encryption
/// alone does not tell one chunk from another.
pub(super) fn chunk(
    repository: &Indexed,
    kind: BlobType,
    id: BlobId,
) -> Result<bytes::Bytes, FileError> {
    let bytes = repository.get_blob_cached(&id, kind)?;
    if name_of(&bytes) == *id {
        Ok(bytes)
    } else {
        let name = id.to_hex();
        Err(FileError::Damaged(format!(
            "the chunk {} holds other bytes",
            &*name
        )))
    }
}

/// The name that a chunk of these bytes has.
pub(super) fn name_of(bytes: &[u8]) -> Id {
    Id::new(Sha256::digest(bytes).into())
}

/// What is in a directory.
pub(super) fn read(repository: &Indexed, id: TreeId) -> Result<Vec<Node>, FileError> {
    let bytes = chunk(repository, BlobType::Tree, BlobId::from(id.into_inner()))?;
    let tree: Tree = serde_json::from_slice(&bytes)
        .map_err(|error| FileError::Damaged(format!("the directory {id}: {error}")))?;
    Ok(tree.nodes)
}

/// Finds one entry; `None`: there is no such one.
pub(super) fn find(
    repository: &Indexed,
    root: TreeId,
    path: &Path,
) -> Result<Option<Node>, FileError> {
    let mut found: Option<Node> = None;
    for part in path.components() {
        let Component::Normal(name) = part else {
            continue;
        };
        let folder = match &found {
            None => Some(root),
            Some(node) => node.subtree,
        };
        let Some(folder) = folder else {
            return Ok(None);
        };
        found = read(repository, folder)?
            .into_iter()
            .find(|node| *node.name() == *name);
        if found.is_none() {
            return Ok(None);
        }
    }
    Ok(found)
}

/// What comes along in a walk.
pub(super) enum Step {
    /// An entry, a directory before what is in it.
    Entry(PathBuf, Box<Node>),
    /// All that is in this directory has come along.
    Leave(PathBuf, Box<Node>),
    /// An entry whose name is none: it would lead elsewhere.
    Refused(PathBuf, String),
}

/// A directory that is open: what is left in it, and what it is called; the one that the
/// walk began in is called nothing.
type Folder = (std::vec::IntoIter<Node>, Option<(PathBuf, Box<Node>)>);

/// Walks through a directory of a snapshot, depth first, in the order that it has.
pub(super) struct Walk<'a> {
    repository: &'a Indexed,
    open: Vec<Folder>,
    path: PathBuf,
}

impl<'a> Walk<'a> {
    /// Begins below a directory.
    pub(super) fn new(repository: &'a Indexed, folder: TreeId) -> Result<Self, FileError> {
        let nodes = read(repository, folder)?.into_iter();
        Ok(Self {
            repository,
            open: vec![(nodes, None)],
            path: PathBuf::new(),
        })
    }

    /// The next step; an error concerns a directory, whose content is left out.
    pub(super) fn next(&mut self) -> Option<Result<Step, (PathBuf, FileError)>> {
        let (nodes, _) = self.open.last_mut()?;
        let Some(node) = nodes.next() else {
            let (_, left) = self.open.pop()?;
            self.path.pop();
            let (path, node) = left?;
            return Some(Ok(Step::Leave(path, node)));
        };
        let name = node.name().into_owned();
        let path = self.path.join(&name);
        if !is_name(&name) {
            return Some(Ok(Step::Refused(self.path.clone(), node.name)));
        }
        if node.is_dir()
            && let Some(folder) = node.subtree
        {
            match read(self.repository, folder) {
                Ok(nodes) => {
                    let left = Some((path.clone(), Box::new(node.clone())));
                    self.open.push((nodes.into_iter(), left));
                    self.path.push(&name);
                }
                Err(error) => return Some(Err((path, error))),
            }
        }
        Some(Ok(Step::Entry(path, Box::new(node))))
    }
}

/// Whether this is the name of something in a directory, and not a way out of it.
fn is_name(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    !matches!(bytes, b"" | b"." | b"..") && !bytes.contains(&b'/') && !bytes.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for name in ["", ".", "..", "/", "a/b", "/etc", "../up", "a\0b"] {
            assert!(!is_name(OsStr::new(name)), "{name:?}");
        }
        for name in ["a", "...", ".hidden", "a b", "-rf", "\u{fc}"] {
            assert!(is_name(OsStr::new(name)), "{name:?}");
        }
    }
}
