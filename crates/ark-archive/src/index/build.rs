//! Collects an index while the tarball is written.
//!
//! Keeps the entries in their encoded form: about 40 bytes per object plus its
//! name, in one buffer. Does not look at what it is given; the packer has
//! checked it.

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};

use super::{BLOCK, FLAG_NAMESPACED, FLAG_PREFERRED, MAGIC};
use crate::key::ItemKey;

/// A member was reported in the wrong way. A mistake of the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Members must be placed in the order they have in the tarball.
    #[error("member {seq} was placed where member {expected} was due")]
    OutOfOrder {
        /// What was placed.
        seq: u32,
        /// What should have been.
        expected: usize,
    },
    /// There are fewer members than that.
    #[error("member {seq} was placed, but the archive has only {members}")]
    Unknown {
        /// What was placed.
        seq: u32,
        /// How many there are.
        members: usize,
    },
    /// The index was asked for before all members were placed.
    #[error("only {placed} of {members} members were placed")]
    Missing {
        /// How many were placed.
        placed: usize,
        /// How many there are.
        members: usize,
    },
}

/// An index in the making. Comes from [`crate::write::Packer::finish`].
#[derive(Debug, Default)]
pub struct IndexBuilder {
    raw_lens: Vec<u64>,
    member_count: u32,
    lens: Vec<u64>,
    groups: Vec<u8>,
    group_count: u32,
    entries: Vec<u8>,
    entry_count: u64,
    last_member: u64,
}

impl IndexBuilder {
    /// Starts a group of entries and numbers it.
    pub(crate) fn group(&mut self, key: &ItemKey, version: &str, preferred: bool) -> u32 {
        let out = &mut self.groups;
        let mut flags = 0;
        if key.namespace.is_some() {
            flags |= FLAG_NAMESPACED;
        }
        if preferred {
            flags |= FLAG_PREFERRED;
        }
        out.push(flags);
        put_str(out, &key.group_resource.resource);
        put_str(out, &key.group_resource.group);
        put_str(out, version);
        if let Some(namespace) = &key.namespace {
            put_str(out, namespace);
        }
        self.group_count += 1;
        self.group_count - 1
    }

    /// Adds an entry at `offset` of the member that is being filled.
    pub(crate) fn entry(&mut self, group: u32, name: &str, span: (u64, u64), sha256: &[u8; 32]) {
        let (offset, len) = span;
        let member = self.raw_lens.len() as u64;
        let out = &mut self.entries;
        put_varint(out, u64::from(group));
        put_str(out, name);
        put_varint(out, member - self.last_member);
        put_varint(out, offset / BLOCK);
        put_varint(out, len);
        out.extend_from_slice(sha256);
        self.last_member = member;
        self.entry_count += 1;
    }

    /// Ends the member that is being filled; returns its number.
    pub(crate) fn end_member(&mut self, raw_len: u64) -> u32 {
        let number = self.member_count;
        self.raw_lens.push(raw_len);
        self.member_count += 1;
        number
    }

    /// Number of members the tarball has.
    pub fn member_count(&self) -> u32 {
        self.member_count
    }

    /// Number of objects in the tarball, second copies not counted.
    pub fn entry_count(&self) -> u64 {
        self.entry_count
    }

    /// Tells the compressed length of a member in bytes. To be called once for
    /// each, in the order of the tarball.
    pub fn place(&mut self, seq: u32, compressed_len: u64) -> Result<(), PlaceError> {
        let expected = self.lens.len();
        if seq as usize >= self.raw_lens.len() {
            return Err(PlaceError::Unknown {
                seq,
                members: self.raw_lens.len(),
            });
        }
        if seq as usize != expected {
            return Err(PlaceError::OutOfOrder { seq, expected });
        }
        self.lens.push(compressed_len);
        Ok(())
    }

    /// The index file, gzip included.
    pub fn encode(&self) -> Result<Vec<u8>, PlaceError> {
        let (placed, members) = (self.lens.len(), self.raw_lens.len());
        if placed != members {
            return Err(PlaceError::Missing { placed, members });
        }
        let mut head = MAGIC.to_vec();
        put_varint(&mut head, members as u64);
        for (len, raw_len) in self.lens.iter().zip(&self.raw_lens) {
            put_varint(&mut head, *len);
            put_varint(&mut head, *raw_len);
        }
        put_varint(&mut head, u64::from(self.group_count));
        head.extend_from_slice(&self.groups);
        put_varint(&mut head, self.entry_count);
        let mut out = Vec::with_capacity((head.len() + self.entries.len()) / 4 * 3);
        // Hashes do not compress, so a low level loses nothing. Writing to a
        // vector cannot fail.
        let pack = |out: &mut Vec<u8>| -> io::Result<()> {
            let mut gzip = GzBuilder::new().write(out, Compression::new(3));
            gzip.write_all(&head)?;
            gzip.write_all(&self.entries)?;
            gzip.finish().map(drop)
        };
        let packed = pack(&mut out);
        debug_assert!(packed.is_ok(), "a vector takes all bytes");
        Ok(out)
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn put_str(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}
