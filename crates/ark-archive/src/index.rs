//! The index beside the tarball: where each object lies, and what it hashes to.
//!
//! With it, one object out of a million is one ranged read, a restore reads only
//! what it selects, and an archive can be verified without a cluster. It is an
//! extra: an archive without index is read through [`crate::spool`].
//!
//! # Format, version 1
//!
//! One gzip member. Inside it, numbers are unsigned LEB128 of at most 64 bits
//! and a string is its length in bytes and then its UTF-8 bytes:
//!
//! ```text
//! magic      the 12 bytes "ark-index 1\n"
//! members    count, then for each gzip member of the tarball in order:
//!              compressed length, unpacked length
//! groups     count, then for each:
//!              flags byte (1 = namespaced, 2 = preferred version),
//!              resource, API group, version, and the namespace if namespaced
//! entries    count, then for each object in the order of the tarball:
//!              group number, name,
//!              member number minus that of the entry before (the first: minus 0),
//!              offset of the JSON in the unpacked member divided by 512,
//!              length of the JSON,
//!              SHA-256 of the JSON, 32 bytes
//! ```
//!
//! Nothing may follow. An object in the preferred version is listed once, with
//! the place of the copy outside version folders. The tarball is the
//! concatenation of the members, so their offsets are the sums of the lengths
//! before them. A reader refuses other magic, so a later version needs a new
//! number there.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::catalog::{Catalog, DuplicateItem, Entry};
use crate::gunzip::{self, GunzipError};
use crate::key::{GroupResource, ItemKey, KeyError};
use crate::limits::Limits;

mod build;
mod decode;

pub use build::{IndexBuilder, PlaceError};

const MAGIC: &[u8; 12] = b"ark-index 1\n";
const FLAG_NAMESPACED: u8 = 1;
const FLAG_PREFERRED: u8 = 2;
const BLOCK: u64 = crate::header::BLOCK as u64;

/// Why an index, or an object found through it, cannot be used. Reading again
/// helps only if the bytes were damaged on the way.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The gzip layer is broken or unpacks to too much.
    #[error("cannot unpack the index")]
    Unpack(#[source] GunzipError),
    /// Not an index, or one of a later format.
    #[error("not an index of format 1; a newer release may have written it")]
    Magic,
    /// It ends in the middle, or a number does not fit.
    #[error("the index is damaged in its {section}, at byte {at}")]
    Damaged {
        /// `members`, `groups` or `entries`.
        section: &'static str,
        /// Offset in the unpacked index.
        at: usize,
    },
    /// It announces more than the limits allow.
    #[error("the index announces {count} {section}, more than {max}")]
    TooMany {
        /// `members`, `groups` or `entries`.
        section: &'static str,
        /// Announced number.
        count: u64,
        /// The limit.
        max: u64,
    },
    /// A group or an entry has a name that no object can have.
    #[error("the index names an impossible object, at byte {at}")]
    Key {
        /// Offset in the unpacked index.
        at: usize,
        /// What is wrong with the name.
        #[source]
        source: KeyError,
    },
    /// An entry lies outside its member or on top of another entry.
    #[error("the index puts {key} at an impossible place")]
    Place {
        /// Which object.
        key: Box<ItemKey>,
    },
    /// The same object twice.
    #[error(transparent)]
    Duplicate(#[from] DuplicateItem),
    /// Bytes after the last entry.
    #[error("the index has {bytes} bytes after its end")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A gzip member of the tarball does not unpack to what the index says.
    #[error("cannot unpack a member of the archive")]
    Member(#[source] GunzipError),
    /// An object's bytes are not in the member that was handed in.
    #[error("{key} does not lie inside the {raw_len} bytes of its member")]
    OutOfMember {
        /// Which object.
        key: Box<ItemKey>,
        /// Length of the unpacked member.
        raw_len: usize,
    },
    /// An object's bytes changed since the backup was made.
    #[error("{key} does not match its SHA-256 in the index: the archive is damaged")]
    Checksum {
        /// Which object.
        key: Box<ItemKey>,
    },
}

#[derive(Debug, Clone, Copy)]
struct MemberSpan {
    offset: u64,
    len: u64,
    raw_len: u64,
}

/// A decoded and checked index.
#[derive(Debug)]
pub struct Index {
    members: Vec<MemberSpan>,
    catalog: Catalog,
}

impl Index {
    /// Unpacks and checks an index: names that objects can have, places inside
    /// their member and not on top of each other, no object twice.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, IndexError> {
        let raw = gunzip::gunzip(bytes, limits.index_bytes).map_err(IndexError::Unpack)?;
        decode::decode(&raw, limits)
    }

    /// What the archive holds.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// See [`Catalog::iter`].
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.catalog.iter()
    }

    /// See [`Catalog::find`].
    pub fn find(&self, key: &ItemKey) -> Option<Entry<'_>> {
        self.catalog.find(key)
    }

    /// See [`Catalog::group_resources`].
    pub fn group_resources(&self) -> Vec<&GroupResource> {
        self.catalog.group_resources()
    }

    /// Number of gzip members in the tarball.
    pub fn member_count(&self) -> u32 {
        // Decoding refuses more than fit.
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    /// Where member `number` lies in the tarball, in bytes; `None` if there is
    /// no such member.
    pub fn member_range(&self, number: u32) -> Option<Range<u64>> {
        let span = self.members.get(number as usize)?;
        Some(span.offset..span.offset + span.len)
    }

    /// Unpacked length of member `number` in bytes.
    pub fn member_raw_len(&self, number: u32) -> Option<u64> {
        self.members.get(number as usize).map(|span| span.raw_len)
    }

    /// Length of the whole tarball in bytes.
    pub fn archive_len(&self) -> u64 {
        self.members.last().map_or(0, |span| span.offset + span.len)
    }
}

/// Unpacks one member of the tarball, which must be exactly one gzip member of
/// exactly `raw_len` bytes with a matching checksum.
pub fn unpack_member(compressed: &[u8], raw_len: u64) -> Result<Vec<u8>, IndexError> {
    gunzip::gunzip_exact(compressed, raw_len).map_err(IndexError::Member)
}

impl Entry<'_> {
    /// The object's JSON out of its unpacked member, checked against its SHA-256.
    pub fn json<'b>(&self, raw: &'b [u8]) -> Result<&'b [u8], IndexError> {
        let json = usize::try_from(self.offset)
            .ok()
            .and_then(|start| raw.get(start..start.checked_add(self.len as usize)?))
            .ok_or_else(|| IndexError::OutOfMember {
                key: Box::new(self.key()),
                raw_len: raw.len(),
            })?;
        if Sha256::digest(json)[..] == self.sha256[..] {
            Ok(json)
        } else {
            Err(IndexError::Checksum {
                key: Box::new(self.key()),
            })
        }
    }
}

#[cfg(test)]
mod tests;
