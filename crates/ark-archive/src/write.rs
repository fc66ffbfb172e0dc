//! Writes the tarball as gzip members that can be compressed on any thread.
//!
//! [`Packer`] turns objects into a tar stream and cuts it between objects into
//! [`RawMember`]s of about a megabyte. Compressing one is work without state
//! ([`RawMember::compress`]), so as many can run at once as there are cores; the
//! results put together in order of their number are the `.tar.gz`. [`Writer`]
//! does all of it in one thread.
//!
//! The packer does no I/O and holds one member, plus per object about 40 bytes
//! and the name for the index and 16 to 40 bytes to refuse duplicates.

use std::collections::HashMap;
use std::io::{self, Write};

use libdeflater::{CompressionLvl, Compressor};
use sha2::{Digest, Sha256};

use crate::deflate::{self, Repeat};
use crate::header::{self, EntryWriter};
use crate::index::{IndexBuilder, PlaceError};
use crate::key::{self, GroupResource, ItemKey, KeyError, Part};
use crate::layout;
use crate::limits::{MAX_ITEM_BYTES, MAX_MEMBER_BYTES};
use crate::metadata;
use crate::seen::SeenPaths;

/// Unpacked size at which a member is closed, unless set otherwise.
pub const DEFAULT_MEMBER_BYTES: usize = 1 << 20;

/// The level of [`deflate`]; all others are the library's.
const OWN_LEVEL: u32 = 1;

/// Highest level of gzip. The library knows three more, for minutes of work.
const MAX_LEVEL: u32 = 9;

/// Why an object cannot be added, or the archive not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The key or the version has a part that no object can have.
    #[error("cannot archive {key}")]
    Key {
        /// The object as given.
        key: Box<ItemKey>,
        /// What is wrong.
        #[source]
        source: KeyError,
    },
    /// The object was added before.
    #[error("{path} is already in the archive")]
    Duplicate {
        /// Its path.
        path: String,
    },
    /// The bytes are not a JSON object.
    #[error("{key} is not a JSON object")]
    NotAnObject {
        /// Which object.
        key: Box<ItemKey>,
    },
    /// Larger than readers accept.
    #[error("{key} has {bytes} bytes of JSON, more than {max}")]
    TooLarge {
        /// Which object.
        key: Box<ItemKey>,
        /// Its size.
        bytes: usize,
        /// The limit.
        max: u64,
    },
    /// The output refused bytes. Only [`Writer`] does I/O.
    #[error("cannot write the archive")]
    Io(#[source] io::Error),
    /// The members were counted wrongly. A defect of this module.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

impl WriteError {
    /// Whether trying again may help: only when the output failed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Io(_))
    }
}

/// What can be chosen about a tarball.
#[derive(Debug, Clone, Copy)]
pub struct PackOptions {
    /// Unpacked bytes at which a member is closed; at most [`MAX_MEMBER_BYTES`].
    /// Smaller members make smaller ranged reads, larger ones compress better.
    pub member_bytes: usize,
    /// Time of every entry, in seconds since 1970.
    pub mtime_unix: u64,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self {
            member_bytes: DEFAULT_MEMBER_BYTES,
            mtime_unix: 0,
        }
    }
}

/// A piece of the tar stream, not yet compressed.
#[derive(Debug)]
pub struct RawMember {
    seq: u32,
    bytes: Vec<u8>,
    repeats: Vec<Repeat>,
}

/// A gzip member, ready to be put after the one before it.
#[derive(Debug)]
pub struct Member {
    /// Its number, counting from 0 without gaps.
    pub seq: u32,
    /// The gzip bytes.
    pub bytes: Vec<u8>,
    /// How many bytes they unpack to.
    pub raw_len: u64,
}

impl RawMember {
    /// Its number, counting from 0 without gaps.
    pub fn seq(&self) -> u32 {
        self.seq
    }

    /// Its length in bytes before compression.
    pub fn raw_len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Makes the gzip member. Needs nothing but the CPU; `level` from 0, which only
    /// stores, to 9. Level 1 is [`deflate`], which knows where objects stand twice;
    /// the higher ones are libdeflate's. Equal input makes equal output.
    pub fn compress(self, level: u32) -> io::Result<Member> {
        let mut bytes = if level == OWN_LEVEL {
            deflate::gzip(&self.bytes, &self.repeats)
        } else {
            self.compress_with_library(level)?
        };
        // Members wait in queues: they should hold what they are, not what they might be.
        bytes.shrink_to_fit();
        Ok(Member {
            seq: self.seq,
            raw_len: self.raw_len(),
            bytes,
        })
    }

    fn compress_with_library(&self, level: u32) -> io::Result<Vec<u8>> {
        let level = i32::try_from(level.min(MAX_LEVEL)).unwrap_or_default();
        let level = CompressionLvl::new(level)
            .map_err(|error| io::Error::other(format!("gzip level {level}: {error:?}")))?;
        let mut gzip = Compressor::new(level);
        let mut bytes = vec![0; gzip.gzip_compress_bound(self.bytes.len())];
        let len = gzip
            .gzip_compress(&self.bytes, &mut bytes)
            .map_err(io::Error::other)?;
        bytes.truncate(len);
        Ok(bytes)
    }
}

/// What remains when the last object was added.
#[derive(Debug)]
pub struct Finished {
    /// The last member: objects not handed out yet, and the end of the tar stream.
    pub last: RawMember,
    /// The index, waiting for the compressed lengths.
    pub index: IndexBuilder,
}

/// Kind, namespace and version of the object added last, and its folders.
#[derive(Debug)]
struct CurrentGroup {
    number: u32,
    group_resource: GroupResource,
    namespace: Option<String>,
    version: String,
    preferred: bool,
    folder: String,
    second_folder: Option<String>,
}

/// Makes the tar stream, see the module.
#[derive(Debug)]
pub struct Packer {
    member_bytes: usize,
    entry: EntryWriter,
    buffer: Vec<u8>,
    repeats: Vec<Repeat>,
    path: String,
    group: Option<CurrentGroup>,
    numbers: HashMap<String, u32>,
    seen: SeenPaths,
    index: IndexBuilder,
}

impl Packer {
    /// Starts an archive with its `metadata/version`.
    pub fn new(options: PackOptions) -> Self {
        let member_bytes = options.member_bytes.min(MAX_MEMBER_BYTES);
        let entry = EntryWriter::new(options.mtime_unix);
        let mut buffer = Vec::with_capacity(member_bytes + member_bytes / 8);
        entry.append(
            &mut buffer,
            layout::VERSION_PATH,
            metadata::TARBALL_VERSION.as_bytes(),
        );
        Self {
            member_bytes,
            entry,
            buffer,
            repeats: Vec::new(),
            path: String::new(),
            group: None,
            numbers: HashMap::new(),
            seen: SeenPaths::default(),
            index: IndexBuilder::default(),
        }
    }

    /// Adds an object in the version that the cluster prefers, written to both
    /// of its paths. `version` is the version alone, `v1` of `apps/v1`, as read
    /// from the cluster. Returns a member when one became full. After an error
    /// the archive is as it was before.
    pub fn add(
        &mut self,
        key: &ItemKey,
        version: &str,
        json: &[u8],
    ) -> Result<Option<RawMember>, WriteError> {
        self.put(key, version, true, json)
    }

    /// Adds an object in another version than the preferred one, written to that
    /// version's path only. Else as [`Packer::add`].
    pub fn add_version(
        &mut self,
        key: &ItemKey,
        version: &str,
        json: &[u8],
    ) -> Result<Option<RawMember>, WriteError> {
        self.put(key, version, false, json)
    }

    /// Ends the tar stream.
    pub fn finish(mut self) -> Finished {
        header::append_end(&mut self.buffer);
        let last = self.cut(0);
        Finished {
            last,
            index: self.index,
        }
    }

    fn put(
        &mut self,
        key: &ItemKey,
        version: &str,
        preferred: bool,
        json: &[u8],
    ) -> Result<Option<RawMember>, WriteError> {
        check_json(key, json)?;
        let bad_key = |source| WriteError::Key {
            key: Box::new(key.clone()),
            source,
        };
        key::check_segment(Part::Name, &key.name).map_err(bad_key)?;
        let group = self.enter_group(key, version, preferred).map_err(bad_key)?;

        set_path(&mut self.path, &group.folder, &key.name);
        if !self.seen.insert(&self.path) {
            return Err(WriteError::Duplicate {
                path: self.path.clone(),
            });
        }
        let offset = self.entry.append(&mut self.buffer, &self.path, json);
        if let Some(folder) = &group.second_folder {
            set_path(&mut self.path, folder, &key.name);
            let second = self.entry.append(&mut self.buffer, &self.path, json);
            // From the header on, most of which is the same too.
            let start = second - header::BLOCK;
            self.repeats.push(Repeat {
                start,
                len: self.buffer.len() - start,
                distance: second - offset,
            });
        }
        let hash = Sha256::digest(json).into();
        self.index.entry(
            group.number,
            &key.name,
            (offset as u64, json.len() as u64),
            &hash,
        );
        self.group = Some(group);

        let full = self.buffer.len() >= self.member_bytes;
        Ok(full.then(|| self.cut(self.member_bytes + self.member_bytes / 8)))
    }

    /// Objects come in runs of one kind and namespace: what they share is
    /// checked and put together once per run.
    fn enter_group(
        &mut self,
        key: &ItemKey,
        version: &str,
        preferred: bool,
    ) -> Result<CurrentGroup, KeyError> {
        let same = self.group.take_if(|group| {
            group.preferred == preferred
                && group.namespace == key.namespace
                && group.version == version
                && group.group_resource == key.group_resource
        });
        if let Some(group) = same {
            return Ok(group);
        }
        key.validate()?;
        key::check_version(version)?;
        let (kind, namespace) = (&key.group_resource, key.namespace.as_deref());
        let versioned = layout::item_folder(kind, namespace, Some((version, preferred)));
        let index = &mut self.index;
        let number = *self
            .numbers
            .entry(versioned.clone())
            .or_insert_with(|| index.group(key, version, preferred));
        let (folder, second_folder) = if preferred {
            (layout::item_folder(kind, namespace, None), Some(versioned))
        } else {
            (versioned, None)
        };
        Ok(CurrentGroup {
            number,
            group_resource: kind.clone(),
            namespace: key.namespace.clone(),
            version: version.to_owned(),
            preferred,
            folder,
            second_folder,
        })
    }

    fn cut(&mut self, next_capacity: usize) -> RawMember {
        let bytes = std::mem::replace(&mut self.buffer, Vec::with_capacity(next_capacity));
        RawMember {
            seq: self.index.end_member(bytes.len() as u64),
            bytes,
            repeats: std::mem::take(&mut self.repeats),
        }
    }
}

fn set_path(path: &mut String, folder: &str, name: &str) {
    path.clear();
    path.push_str(folder);
    path.push_str(name);
    path.push_str(".json");
}

fn check_json(key: &ItemKey, json: &[u8]) -> Result<(), WriteError> {
    if json.len() as u64 > MAX_ITEM_BYTES {
        let (bytes, max) = (json.len(), MAX_ITEM_BYTES);
        return Err(WriteError::TooLarge {
            key: Box::new(key.clone()),
            bytes,
            max,
        });
    }
    if looks_like_object(json) {
        Ok(())
    } else {
        Err(WriteError::NotAnObject {
            key: Box::new(key.clone()),
        })
    }
}

/// Whether the first and the last byte that count are braces. Finds mixed-up
/// files; not a parser.
pub(crate) fn looks_like_object(json: &[u8]) -> bool {
    let json = json.trim_ascii();
    json.len() >= 2 && json.starts_with(b"{") && json.ends_with(b"}")
}

/// Writes a tarball in one thread.
#[derive(Debug)]
pub struct Writer<W> {
    packer: Packer,
    sink: Sink<W>,
}

#[derive(Debug)]
struct Sink<W> {
    out: W,
    level: u32,
    lens: Vec<u64>,
}

impl<W: Write> Sink<W> {
    fn write(&mut self, member: RawMember) -> Result<(), WriteError> {
        let member = member.compress(self.level).map_err(WriteError::Io)?;
        self.out.write_all(&member.bytes).map_err(WriteError::Io)?;
        self.lens.push(member.bytes.len() as u64);
        Ok(())
    }
}

impl<W: Write> Writer<W> {
    /// `level` from 0 to 9.
    pub fn new(out: W, options: PackOptions, level: u32) -> Self {
        Self {
            packer: Packer::new(options),
            sink: Sink {
                out,
                level,
                lens: Vec::new(),
            },
        }
    }

    /// See [`Packer::add`].
    pub fn add(&mut self, key: &ItemKey, version: &str, json: &[u8]) -> Result<(), WriteError> {
        let full = self.packer.add(key, version, json)?;
        full.map_or(Ok(()), |member| self.sink.write(member))
    }

    /// See [`Packer::add_version`].
    pub fn add_version(
        &mut self,
        key: &ItemKey,
        version: &str,
        json: &[u8],
    ) -> Result<(), WriteError> {
        let full = self.packer.add_version(key, version, json)?;
        full.map_or(Ok(()), |member| self.sink.write(member))
    }

    /// Ends the tarball; gives back the output and the index file.
    pub fn finish(self) -> Result<(W, Vec<u8>), WriteError> {
        let Self { packer, mut sink } = self;
        let Finished { last, mut index } = packer.finish();
        sink.write(last)?;
        sink.out.flush().map_err(WriteError::Io)?;
        for (seq, len) in (0..).zip(&sink.lens) {
            index.place(seq, *len)?;
        }
        Ok((sink.out, index.encode()?))
    }
}
