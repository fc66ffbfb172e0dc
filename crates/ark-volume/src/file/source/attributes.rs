//! What the format holds of an entry beside its content.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use rustic_core::repofile::{Metadata, NodeType};
use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, Stat, lgetxattr, llistxattr, readlinkat};
use serde_json::json;

use crate::file::{mode, xattr};

/// Owner, permissions, times and identity. Names of owners are left out: they are the
/// node's, and the numbers are what a container sees.
pub(super) fn of(stat: &Stat) -> Metadata {
    let time = |seconds: i64, nanoseconds: u64| {
        let nanoseconds = i32::try_from(nanoseconds).ok()?;
        Timestamp::new(seconds, nanoseconds).ok()
    };
    let directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let linked = stat.st_nlink > 1 && !directory;
    let modified = time(stat.st_mtime, stat.st_mtime_nsec);
    Metadata {
        mode: Some(mode::encode(stat.st_mode)),
        mtime: modified,
        // The time of the last look changes with every copy; it would make a new
        // directory of every one that somebody read from.
        atime: modified,
        ctime: time(stat.st_ctime, stat.st_ctime_nsec),
        uid: Some(stat.st_uid),
        gid: Some(stat.st_gid),
        inode: stat.st_ino,
        // Only what has several names needs to be told from the rest.
        device_id: if linked { stat.st_dev } else { 0 },
        size: if directory {
            0
        } else {
            u64::try_from(stat.st_size).unwrap_or(0)
        },
        links: if directory { 0 } else { wide(stat.st_nlink) },
        ..Metadata::default()
    }
}

/// Some machines count names in 32 bits, some in 64.
fn wide(count: impl Into<u64>) -> u64 {
    count.into()
}

/// What kind of entry it is; the target of a link is read.
pub(super) fn kind(folder: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> io::Result<NodeType> {
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => NodeType::Dir,
        FileType::Symlink => {
            let target = readlinkat(folder, name, Vec::new())?;
            NodeType::from_link(std::path::Path::new(OsStr::from_bytes(target.to_bytes())))
        }
        FileType::BlockDevice => NodeType::Dev {
            device: stat.st_rdev,
        },
        FileType::CharacterDevice => NodeType::Chardev {
            device: stat.st_rdev,
        },
        FileType::Fifo => NodeType::Fifo,
        FileType::Socket => NodeType::Socket,
        FileType::RegularFile | FileType::Unknown => NodeType::File,
    })
}

/// Puts the extended attributes into `metadata`; none where the file system has none.
pub(super) fn extend(
    metadata: &mut Metadata,
    folder: BorrowedFd<'_>,
    name: &CStr,
) -> io::Result<()> {
    let path = xattr::beside(folder, name);
    for attribute in xattr::names(|buffer| llistxattr(&*path, spare_capacity(buffer)))? {
        let read = xattr::value(|buffer| lgetxattr(&*path, &*attribute, spare_capacity(buffer)));
        if let Some(value) = read? {
            metadata
                .extended_attributes
                .push(extended(&attribute, &value)?);
        }
    }
    Ok(())
}

/// The library keeps the type to itself, and lets it be read from its JSON.
fn extended<T: serde::de::DeserializeOwned>(name: &str, value: &[u8]) -> io::Result<T> {
    let json = json!({"name": name, "value": BASE64.encode(value)});
    serde_json::from_value(json).map_err(io::Error::other)
}
