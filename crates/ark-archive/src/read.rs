//! Reads a tarball from begin to end, in constant memory, trusting none of it.
//!
//! Takes what any Velero or Heptio Ark wrote, and what GNU tar made of the same
//! files. Writes nothing to disk and never allocates by a size that the archive
//! merely announces.

use std::fmt;
use std::io::{BufReader, Read};

use crate::gunzip::{GunzipError, GunzipReader};
use crate::key::{ItemKey, KeyError};
use crate::layout::{self, ItemPath};
use crate::limits::Limits;
use crate::metadata::{FormatVersion, MetadataError};
use crate::seen::SeenPaths;
use crate::write::looks_like_object;

mod tar_stream;

use tar_stream::{FileKind, TarStream};

/// Most warnings kept; more are only counted.
const MAX_WARNINGS: usize = 100;

/// Most bytes of a `metadata/version`.
const MAX_VERSION_BYTES: u64 = 64;

/// Why an archive cannot be used. What was visited before is not to be trusted
/// to be complete.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The gzip layer is broken, too large, or could not be read.
    #[error(
        "cannot unpack the archive; download it again, and if that does not help, use another backup"
    )]
    Unpack(#[source] GunzipError),
    /// The tar stream ends before its end mark.
    #[error("the archive is cut short after {last:?}; the upload of this backup was not completed")]
    Truncated {
        /// The last path that was seen, empty if none was.
        last: String,
    },
    /// A tar header that is none.
    #[error("the archive is damaged: no valid tar header at unpacked byte {at} ({reason})")]
    Header {
        /// Offset in the tar stream.
        at: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// A path that could lead out of the archive or has no single meaning.
    #[error("the archive has the unsafe path {path:?}; do not restore from it")]
    UnsafePath {
        /// The path, with what is not UTF-8 replaced.
        path: String,
    },
    /// A path or extended header longer than the limit.
    #[error("the archive has a path or extended header of {bytes} bytes, more than {max}")]
    PathTooLong {
        /// Announced length.
        bytes: u64,
        /// The limit.
        max: usize,
    },
    /// A link, device or sparse file.
    #[error(
        "{path:?} in the archive is a {kind}; backups hold plain files only, do not restore from it"
    )]
    NotAFile {
        /// Its path.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// An object larger than the limit.
    #[error(
        "{path:?} in the archive has {bytes} bytes, more than {max}; raise the limit if you trust this backup"
    )]
    ItemTooLarge {
        /// Its path.
        path: String,
        /// Announced size.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// More entries than the limit.
    #[error("the archive has more than {max} entries; raise the limit if you trust this backup")]
    TooManyEntries {
        /// The limit.
        max: u64,
    },
    /// The same path twice: which one is meant?
    #[error("{path:?} is in the archive twice; do not restore from it")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// A path like an object's whose parts no object can have.
    #[error("{path:?} in the archive does not name an object")]
    Key {
        /// The path.
        path: String,
        /// What is wrong.
        #[source]
        source: KeyError,
    },
    /// A file at an object's place that holds something else.
    #[error("{path:?} in the archive is not a JSON object; the backup is damaged")]
    NotAnObject {
        /// The path.
        path: String,
    },
    /// A layout that this release does not know.
    #[error(transparent)]
    FormatVersion(#[from] MetadataError),
}

impl ReadError {
    /// Whether trying again may help: only when reading failed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unpack(source) if source.is_retryable())
    }
}

/// One object, as it comes by.
#[derive(Debug)]
pub struct ScannedEntry<'a> {
    /// Which object.
    pub key: ItemKey,
    /// The version its folder names; `None` for the copy outside version folders.
    pub version: Option<String>,
    /// Whether this is the version that the cluster preferred. An archive of
    /// format 1.1.0 has such an object twice: without and with `version`.
    pub preferred: bool,
    /// The JSON as it was written.
    pub json: &'a [u8],
}

/// Something odd that does not make the archive useless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadWarning {
    /// A file that is not an object's; it was passed over.
    UnexpectedFile {
        /// Its path.
        path: String,
    },
    /// Bytes after the end of the tar stream that are not padding.
    TrailingData {
        /// How many.
        bytes: u64,
    },
}

impl fmt::Display for ReadWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedFile { path } => write!(f, "passed over the unexpected file {path:?}"),
            Self::TrailingData { bytes } => {
                write!(f, "passed over {bytes} bytes after the end of the archive")
            }
        }
    }
}

/// What a scan saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Entries that were visited; second copies count.
    pub items: u64,
    /// Bytes of JSON in them.
    pub item_bytes: u64,
    /// Bytes of the tar stream.
    pub unpacked_bytes: u64,
    /// From `metadata/version`; `None` if there is none, which means version 1.
    pub format_version: Option<FormatVersion>,
    /// Whether there is a `resources` folder. Without it nothing can be restored,
    /// unless `legacy` is set.
    pub has_resources: bool,
    /// Whether there are objects in the layout of Heptio Ark 0.3 and 0.4.
    pub legacy: bool,
    /// Oddities, at most a hundred.
    pub warnings: Vec<ReadWarning>,
    /// How many more there were.
    pub warnings_left_out: u64,
}

impl Summary {
    fn warn(&mut self, warning: ReadWarning) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(warning);
        } else {
            self.warnings_left_out += 1;
        }
    }
}

/// Reads a `.tar.gz` and shows each object to `visit`, in the order of the
/// archive. An error of `visit` ends the scan and is returned.
///
/// Memory: the largest object, at most [`Limits::item_bytes`], and 16 to 40
/// bytes per entry to find duplicates.
pub fn scan<R, E>(
    reader: R,
    limits: &Limits,
    mut visit: impl FnMut(ScannedEntry<'_>) -> Result<(), E>,
) -> Result<Summary, E>
where
    R: Read,
    E: From<ReadError>,
{
    let unpacked = BufReader::with_capacity(64 << 10, GunzipReader::with_limits(reader, limits));
    let mut scan = Scan {
        tar: TarStream::new(unpacked, *limits),
        limits: *limits,
        seen: SeenPaths::default(),
        summary: Summary::default(),
        json: Vec::new(),
    };
    while let Some(file) = scan.next_file()? {
        let ItemPath {
            key,
            version,
            preferred,
            ..
        } = file;
        visit(ScannedEntry {
            key,
            version,
            preferred,
            json: &scan.json,
        })?;
    }
    Ok(scan.finish()?)
}

struct Scan<R> {
    tar: TarStream<R>,
    limits: Limits,
    seen: SeenPaths,
    summary: Summary,
    json: Vec<u8>,
}

impl<R: Read> Scan<R> {
    /// Goes to the next object and reads it into `self.json`.
    fn next_file(&mut self) -> Result<Option<ItemPath>, ReadError> {
        while let Some(file) = self.tar.next_entry()? {
            if file.kind == FileKind::Directory {
                self.summary.has_resources |= is_in_resources(&file.path);
                self.tar.skip()?;
            } else if file.path == layout::VERSION_PATH {
                self.read_version(&file.path, file.size)?;
            } else if let Some(item) = self.read_item(&file.path, file.size)? {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    fn read_version(&mut self, path: &str, bytes: u64) -> Result<(), ReadError> {
        self.first_time(path)?;
        let max = MAX_VERSION_BYTES;
        if bytes > max {
            return Err(ReadError::ItemTooLarge {
                path: path.to_owned(),
                bytes,
                max,
            });
        }
        let mut text = Vec::new();
        self.tar.read_into(&mut text)?;
        self.summary.format_version = Some(String::from_utf8_lossy(&text).parse()?);
        Ok(())
    }

    fn read_item(&mut self, path: &str, bytes: u64) -> Result<Option<ItemPath>, ReadError> {
        let item = layout::parse_item_path(path).map_err(|source| ReadError::Key {
            path: path.to_owned(),
            source,
        })?;
        let Some(item) = item else {
            self.first_time(path)?;
            self.summary.warn(ReadWarning::UnexpectedFile {
                path: path.to_owned(),
            });
            self.tar.skip()?;
            return Ok(None);
        };
        // An old and a new path can mean the same object.
        self.first_time(&item.path())?;
        let max = self.limits.item_bytes;
        if bytes > max {
            return Err(ReadError::ItemTooLarge {
                path: path.to_owned(),
                bytes,
                max,
            });
        }
        self.tar.read_into(&mut self.json)?;
        if !looks_like_object(&self.json) {
            return Err(ReadError::NotAnObject {
                path: path.to_owned(),
            });
        }
        self.summary.items += 1;
        self.summary.item_bytes += bytes;
        self.summary.legacy |= item.legacy;
        self.summary.has_resources |= !item.legacy;
        Ok(Some(item))
    }

    fn first_time(&mut self, path: &str) -> Result<(), ReadError> {
        if self.seen.insert(path) {
            Ok(())
        } else {
            Err(ReadError::Duplicate {
                path: path.to_owned(),
            })
        }
    }

    fn finish(mut self) -> Result<Summary, ReadError> {
        let trailing = self.tar.drain()?;
        if trailing > 0 {
            self.summary
                .warn(ReadWarning::TrailingData { bytes: trailing });
        }
        self.summary.unpacked_bytes = self.tar.position();
        Ok(self.summary)
    }
}

fn is_in_resources(path: &str) -> bool {
    path.strip_prefix("resources")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
