//! Reading one entry, and telling when that did not work: the library leaves out what it
//! cannot read, and says so to nobody.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustic_core::{ErrorKind, ReadSourceOpen, RusticError, RusticResult};
use rustix::fs::{FileType, Mode, OFlags, fstat, openat};

use super::Shared;
use crate::file::error::{Stopped, library};

/// An entry that will be opened when its turn comes.
pub(in crate::file) struct Opener {
    pub(super) what: What,
    /// Below the source's root, for messages.
    pub(super) path: PathBuf,
    /// Bytes that it had when it was found.
    pub(super) size: u64,
    pub(super) shared: Arc<Shared>,
}

/// What is behind an entry.
pub(super) enum What {
    /// A file: its folder, its name, and the number by which it is known again.
    File(Arc<OwnedFd>, CString, u64),
    /// A device, already open.
    Device(File),
}

impl ReadSourceOpen for Opener {
    type Reader = Reader;

    fn open(self) -> RusticResult<Reader> {
        let Self {
            what,
            path,
            size,
            shared,
        } = self;
        if shared.control.cancel.is_cancelled() {
            return Err(library(Stopped));
        }
        let opened = match what {
            What::File(folder, name, inode) => open(&folder, &name, inode),
            What::Device(file) => Ok(file),
        };
        let file = opened.map_err(|error| {
            shared.unread.fetch_add(1, Ordering::Relaxed);
            shared
                .problems
                .add(&path, format!("cannot open it: {error}"));
            RusticError::with_source(ErrorKind::InputOutput, "cannot open a file", error)
        })?;
        Ok(Reader {
            file,
            path,
            size,
            read: 0,
            ended: false,
            shared,
        })
    }
}

/// Opens a file that nobody may have put something else in the place of: a link would
/// lead out of the volume, a pipe would be waited for.
fn open(folder: &OwnedFd, name: &CString, inode: u64) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(folder, name, flags, Mode::empty())?;
    let stat = fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_ino != inode {
        return Err(io::Error::other(
            "something else was put in its place meanwhile",
        ));
    }
    Ok(file.into())
}

/// An entry that is being read.
pub(in crate::file) struct Reader {
    file: File,
    path: PathBuf,
    size: u64,
    read: u64,
    ended: bool,
    shared: Arc<Shared>,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.shared.control.cancel.is_cancelled() {
            return Err(io::Error::other(Stopped));
        }
        let count = self.file.read(buffer).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.shared.unread.fetch_add(1, Ordering::Relaxed);
                let what = format!("cannot read it from byte {}: {error}", self.read);
                self.shared.problems.add(&self.path, what);
            }
        })?;
        self.read += count as u64;
        if count == 0 && !buffer.is_empty() && !self.ended {
            self.ended = true;
            if self.read != self.size {
                let what = format!(
                    "it had {} bytes when it was found and {} when it was read; somebody wrote \
                     to it meanwhile, and the copy may be of no moment that ever was",
                    self.size, self.read
                );
                self.shared.problems.add(&self.path, what);
            }
        }
        Ok(count)
    }
}
