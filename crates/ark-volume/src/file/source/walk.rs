//! Walking through a directory, in the order that the format wants: each directory
//! before what is in it, names by their bytes.
//!
//! # Guarantees
//! * No link is followed, and no other file system is entered: what a container puts
//!   into its volume cannot make a copy of the node's own files.
//! * Memory is one directory's names for each level.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustic_core::ReadSourceEntry;
use rustic_core::repofile::{Node, NodeType};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use tokio_util::sync::CancellationToken;

use super::reader::{Opener, What};
use super::{Entry, Shared, VOLUME, attributes};
use crate::file::error::FileError;

/// A directory that is open.
pub(super) struct Directory {
    root: Arc<OwnedFd>,
    stat: Stat,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let failed = |error: rustix::io::Errno| FileError::local("read", path, error);
        let root = openat(rustix::fs::CWD, path, folder(), Mode::empty()).map_err(failed)?;
        let stat = fstat(&root).map_err(failed)?;
        let root = Arc::new(root);
        Ok(Self { root, stat })
    }

    /// Bytes of all files; what cannot be looked at counts as none, since the walk that
    /// copies says so. `None`: told to stop.
    pub(super) fn size(&self, cancel: &CancellationToken) -> Option<u64> {
        let mut walk = Names::below(self.root.clone(), self.stat.st_dev);
        let mut size = 0;
        while let Some(step) = walk.next() {
            if cancel.is_cancelled() {
                return None;
            }
            if let Ok(Found { stat, .. }) = step
                && FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            {
                size += u64::try_from(stat.st_size).unwrap_or(0);
            }
        }
        Some(size)
    }

    pub(super) fn walk(&self, shared: Arc<Shared>) -> impl Iterator<Item = Entry> + Send + use<> {
        let root = Ok(self.entry());
        let mut names = Names::below(self.root.clone(), self.stat.st_dev);
        let rest = std::iter::from_fn(move || {
            loop {
                if shared.control.cancel.is_cancelled() {
                    return None;
                }
                match names.next()? {
                    Ok(found) => {
                        if found.elsewhere {
                            let what = "another file system is mounted here";
                            shared.elsewhere.add(&found.path, what);
                        }
                        if let Some(entry) = entry(&found, &shared) {
                            return Some(Ok(entry));
                        }
                    }
                    Err((path, error)) => {
                        shared
                            .problems
                            .add(&path, format!("cannot look at it: {error}"));
                    }
                }
            }
        });
        std::iter::once(root).chain(rest)
    }

    /// The root itself: whose it is, and who may do what in it.
    fn entry(&self) -> ReadSourceEntry<Opener> {
        let mut metadata = attributes::of(&self.stat);
        // Its attributes are those of `.` in it; none are better than no copy at all.
        let _ = attributes::extend(&mut metadata, self.root.as_fd(), c".");
        ReadSourceEntry {
            path: Path::new("/").join(VOLUME),
            node: Node::new_node(OsStr::new(VOLUME), NodeType::Dir, metadata),
            open: None,
        }
    }
}

/// How directories are opened.
fn folder() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// One entry as the library takes it; `None`: it cannot be described, which is told.
fn entry(found: &Found, shared: &Arc<Shared>) -> Option<ReadSourceEntry<Opener>> {
    let mut metadata = attributes::of(&found.stat);
    let folder = found.folder.as_fd();
    let kind = match attributes::kind(folder, &found.name, &found.stat) {
        Ok(kind) => kind,
        Err(error) => {
            shared
                .problems
                .add(&found.path, format!("cannot read the link: {error}"));
            return None;
        }
    };
    if let Err(error) = attributes::extend(&mut metadata, folder, &found.name) {
        let what = format!("cannot read its extended attributes: {error}");
        shared.problems.add(&found.path, what);
    }
    let open = (kind == NodeType::File).then(|| Opener {
        what: What::File(found.folder.clone(), found.name.clone(), found.stat.st_ino),
        path: found.path.clone(),
        size: metadata.size,
        shared: shared.clone(),
    });
    if kind != NodeType::Dir {
        shared.entries.fetch_add(1, Ordering::Relaxed);
    }
    let name = OsStr::from_bytes(found.name.to_bytes());
    let path = Path::new("/").join(VOLUME).join(&found.path);
    let node = Node::new_node(name, kind, metadata);
    Some(ReadSourceEntry { path, node, open })
}

/// Something in a directory.
struct Found {
    folder: Arc<OwnedFd>,
    name: CString,
    /// Below the root.
    path: PathBuf,
    stat: Stat,
    /// It is a directory of another file system.
    elsewhere: bool,
}

/// All names below a directory, with what `stat` says of each.
struct Names {
    /// Directories that are open: each with the names that are left, the next one last.
    open: Vec<(Arc<OwnedFd>, Vec<CString>)>,
    /// The innermost of them, below the root.
    path: PathBuf,
    device: u64,
    /// A directory to be gone into next.
    enter: Option<Entering>,
}

/// A directory that is gone into: the one it is in, its name and its path.
type Entering = (Arc<OwnedFd>, CString, PathBuf);

impl Names {
    fn below(root: Arc<OwnedFd>, device: u64) -> Self {
        Self {
            open: Vec::new(),
            path: PathBuf::new(),
            device,
            enter: Some((root, c".".to_owned(), PathBuf::new())),
        }
    }

    /// Opens what is to be gone into and reads its names.
    fn go_in(&mut self, (outer, name, path): Entering) -> Result<(), (PathBuf, io::Error)> {
        let opened = openat(&outer, &name, folder(), Mode::empty());
        let listed = opened.map_err(io::Error::from).and_then(|folder| {
            let names = names(&folder)?;
            Ok((Arc::new(folder), names))
        });
        match listed {
            Ok(level) => {
                self.open.push(level);
                self.path = path;
                Ok(())
            }
            Err(error) => Err((path, error)),
        }
    }

    fn next(&mut self) -> Option<Result<Found, (PathBuf, io::Error)>> {
        if let Some(entering) = self.enter.take()
            && let Err(failed) = self.go_in(entering)
        {
            return Some(Err(failed));
        }
        loop {
            let (folder, names) = self.open.last_mut()?;
            let Some(name) = names.pop() else {
                self.open.pop();
                self.path.pop();
                continue;
            };
            let path = self.path.join(OsStr::from_bytes(name.to_bytes()));
            let stat = match statat(&*folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(error) => return Some(Err((path, error.into()))),
            };
            let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
            let elsewhere = is_folder && stat.st_dev != self.device;
            let folder = folder.clone();
            if is_folder && !elsewhere {
                self.enter = Some((folder.clone(), name.clone(), path.clone()));
            }
            return Some(Ok(Found {
                folder,
                name,
                path,
                stat,
                elsewhere,
            }));
        }
    }
}

/// The names in a directory, the last one first.
fn names(folder: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        if name != c"." && name != c".." {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable_by(|one, other| other.cmp(one));
    Ok(names)
}
