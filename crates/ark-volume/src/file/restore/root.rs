//! A directory that no path leads out of.
//!
//! Paths come from a snapshot and meet whatever is at the target; neither is trusted.
//! The kernel itself is told to follow no link and to stay below (`openat2`, Linux 5.6).

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustic_core::repofile::NodeType;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawMode, ResolveFlags, linkat, mkdirat, mknodat, openat2,
    statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

/// A directory that is restored to.
pub(super) struct Root {
    folder: OwnedFd,
}

/// A folder below the root, and a name in it.
pub(super) struct Place<'a> {
    pub(super) folder: OwnedFd,
    pub(super) name: &'a OsStr,
}

/// A file that is going to be written.
pub(super) enum Begun {
    /// It is new and holds nothing.
    New,
    /// There was one, which holds something.
    There,
}

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self { folder })
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    fn open_below(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let stay = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(openat2(&self.folder, path, flags, Mode::empty(), stay)?)
    }

    /// The folder that a path is in.
    pub(super) fn place<'a>(&self, path: &'a Path) -> io::Result<Place<'a>> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let folder = self.open_below(folder, OFlags::PATH | OFlags::DIRECTORY)?;
        Ok(Place { folder, name })
    }

    /// Opens a file for reading and writing.
    pub(super) fn file(&self, path: &Path) -> io::Result<File> {
        Ok(self
            .open_below(path, OFlags::RDWR | OFlags::NONBLOCK)?
            .into())
    }

    /// Opens a folder.
    pub(super) fn folder(&self, path: &Path) -> io::Result<OwnedFd> {
        self.open_below(path, OFlags::RDONLY | OFlags::DIRECTORY)
    }

    /// Makes a folder, unless it is there.
    pub(super) fn make_folder(&self, path: &Path) -> io::Result<()> {
        let place = self.place(path)?;
        if place.kind()? == Some(FileType::Directory) {
            return Ok(());
        }
        place.clear()?;
        Ok(mkdirat(&place.folder, place.name, Mode::RWXU)?)
    }

    /// Makes a file of so many bytes, or takes the one that is there.
    pub(super) fn begin_file(&self, path: &Path, size: u64) -> io::Result<Begun> {
        let place = self.place(path)?;
        let found = place.stat()?;
        let alone = found.is_some_and(|stat| {
            // One with several names may have some that are not in the snapshot.
            FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink == 1
        });
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if alone {
            let file: File =
                rustix::fs::openat(&place.folder, place.name, flags, Mode::empty())?.into();
            file.set_len(size)?;
            return Ok(Begun::There);
        }
        place.clear()?;
        let flags = flags | OFlags::CREATE | OFlags::EXCL;
        let mode = Mode::RUSR | Mode::WUSR;
        let file: File = rustix::fs::openat(&place.folder, place.name, flags, mode)?.into();
        file.set_len(size)?;
        Ok(Begun::New)
    }

    /// Gives a file that was restored one more name.
    pub(super) fn link(&self, first: &Path, path: &Path) -> io::Result<()> {
        let (first, place) = (self.place(first)?, self.place(path)?);
        let same = first
            .stat()?
            .zip(place.stat()?)
            .is_some_and(|(one, other)| (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino));
        if same {
            return Ok(());
        }
        place.clear()?;
        let flags = AtFlags::empty();
        Ok(linkat(
            &first.folder,
            first.name,
            &place.folder,
            place.name,
            flags,
        )?)
    }

    /// Makes what has no content: a link, a device, a pipe, a socket.
    pub(super) fn make_special(&self, path: &Path, kind: &NodeType) -> io::Result<()> {
        let place = self.place(path)?;
        place.clear()?;
        let (kind, device) = match kind {
            NodeType::Symlink { .. } => {
                return Ok(symlinkat(kind.to_link(), &place.folder, place.name)?);
            }
            NodeType::Dev { device } => (FileType::BlockDevice, *device),
            NodeType::Chardev { device } => (FileType::CharacterDevice, *device),
            NodeType::Fifo => (FileType::Fifo, 0),
            NodeType::Socket => (FileType::Socket, 0),
            NodeType::File | NodeType::Dir => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(mknodat(&place.folder, place.name, kind, mode, device)?)
    }
}

impl Place<'_> {
    pub(super) fn stat(&self) -> io::Result<Option<rustix::fs::Stat>> {
        match statat(&self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn kind(&self) -> io::Result<Option<FileType>> {
        let stat = self.stat()?;
        Ok(stat.map(|stat| FileType::from_raw_mode(RawMode::from(stat.st_mode))))
    }

    /// Takes away what is in the way; a folder only when nothing is in it.
    fn clear(&self) -> io::Result<()> {
        let flags = match self.kind()? {
            None => return Ok(()),
            Some(FileType::Directory) => AtFlags::REMOVEDIR,
            Some(_) => AtFlags::empty(),
        };
        Ok(unlinkat(&self.folder, self.name, flags)?)
    }
}
