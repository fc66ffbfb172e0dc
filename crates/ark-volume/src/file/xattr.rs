//! Extended attributes, as the kernel hands them out.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use rustix::io::Errno;

/// Set by every node for itself, by a policy of its own, and refused by most others.
pub(super) const OF_THE_NODE: &str = "security.selinux";

/// The names that `ask` puts into a buffer, in the order of the alphabet; none where the
/// file system has none.
pub(super) fn names(
    ask: impl FnMut(&mut Vec<u8>) -> rustix::io::Result<usize>,
) -> io::Result<Vec<String>> {
    let buffer = match grow(ask) {
        Ok(buffer) => buffer,
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut names = Vec::new();
    for name in buffer
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        let text = std::str::from_utf8(name).map_err(|_| {
            let shown = String::from_utf8_lossy(name);
            io::Error::other(format!(
                "the attribute `{shown}` has a name that is no UTF-8"
            ))
        })?;
        if text != OF_THE_NODE {
            names.push(text.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The value that `ask` puts into a buffer; `None`: it is gone since it was listed.
pub(super) fn value(
    ask: impl FnMut(&mut Vec<u8>) -> rustix::io::Result<usize>,
) -> io::Result<Option<Vec<u8>>> {
    match grow(ask) {
        Ok(value) => Ok(Some(value)),
        Err(Errno::NODATA) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A path to `name` that leads through the open folder and nothing else: calls on
/// extended attributes take no folder.
pub(super) fn beside(folder: BorrowedFd<'_>, name: &CStr) -> Vec<u8> {
    let mut path = format!("/proc/self/fd/{}/", folder.as_raw_fd()).into_bytes();
    path.extend_from_slice(name.to_bytes());
    path
}

/// Asks with larger buffers until the answer fits.
fn grow(
    mut ask: impl FnMut(&mut Vec<u8>) -> rustix::io::Result<usize>,
) -> rustix::io::Result<Vec<u8>> {
    // The kernel makes neither an attribute nor a list of them larger.
    const MOST: usize = 64 << 10;
    let mut buffer = Vec::with_capacity(256);
    loop {
        match ask(&mut buffer) {
            Err(Errno::RANGE) if buffer.capacity() < MOST => {
                buffer = Vec::with_capacity(buffer.capacity() * 4);
            }
            result => return result.map(|_| buffer),
        }
    }
}
