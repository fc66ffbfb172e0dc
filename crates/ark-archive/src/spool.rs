//! Random access to an archive that has no index: one pass to a file on disk.
//!
//! The file has no name, so it goes away with the process whatever happens. It
//! holds the plain JSON of the objects: choose a folder that may hold it.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::catalog::{Catalog, CatalogBuilder, DuplicateItem, Entry, Group, Place};
use crate::key::ItemKey;
use crate::limits::Limits;
use crate::read::{self, ReadError, ScannedEntry, Summary};

/// Why an archive cannot be spooled, or an object not be read back.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The archive is at fault.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The same object twice.
    #[error(transparent)]
    Duplicate(#[from] DuplicateItem),
    /// More objects than a catalog can address.
    #[error("the archive holds too many objects to list")]
    TooMany,
    /// No file can be made in the folder.
    #[error("cannot make a temporary file in {}", dir.display())]
    Create {
        /// The folder.
        dir: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The disk refused bytes, most likely because it is full.
    #[error("cannot write the unpacked archive to disk")]
    Write(#[source] io::Error),
    /// The disk does not give the bytes back.
    #[error("cannot read {key} back from disk")]
    ReadBack {
        /// Which object.
        key: Box<ItemKey>,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The disk gives other bytes back, or the entry is of another archive.
    #[error("{key} changed on disk after it was unpacked")]
    Changed {
        /// Which object.
        key: Box<ItemKey>,
    },
}

impl SpoolError {
    /// Whether trying again may help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Read(source) => source.is_retryable(),
            Self::Write(_) | Self::ReadBack { .. } => true,
            _ => false,
        }
    }
}

/// An archive, unpacked to disk. Can be read from many threads.
#[derive(Debug)]
pub struct Spool {
    file: Mutex<File>,
    catalog: Catalog,
    summary: Summary,
}

impl Spool {
    /// Reads the whole archive and keeps its objects in an unnamed file in
    /// `dir`. Takes the space of the JSON, without second copies.
    pub fn build<R: Read>(reader: R, dir: &Path, limits: &Limits) -> Result<Self, SpoolError> {
        let file = tempfile::tempfile_in(dir).map_err(|source| SpoolError::Create {
            dir: dir.to_owned(),
            source,
        })?;
        let mut filler = Filler {
            out: BufWriter::with_capacity(256 << 10, file),
            end: 0,
            last: None,
            catalog: CatalogBuilder::default(),
        };
        let summary = read::scan(reader, limits, |entry| filler.add(entry))?;
        let file = filler
            .out
            .into_inner()
            .map_err(|error| SpoolError::Write(error.into_error()))?;
        Ok(Self {
            file: Mutex::new(file),
            catalog: filler.catalog.finish()?,
            summary,
        })
    }

    /// What the archive holds. An object that is there both outside version
    /// folders and in the preferred version's is listed once.
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

    /// What the pass over the archive saw.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The JSON of an object of this spool's catalog.
    pub fn read(&self, entry: &Entry<'_>) -> Result<Vec<u8>, SpoolError> {
        let mut json = Vec::new();
        let read = |json: &mut Vec<u8>| -> io::Result<()> {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(entry.offset))?;
            (&*file).take(u64::from(entry.len)).read_to_end(json)?;
            Ok(())
        };
        read(&mut json).map_err(|source| SpoolError::ReadBack {
            key: Box::new(entry.key()),
            source,
        })?;
        if Sha256::digest(&json)[..] == entry.sha256[..] {
            Ok(json)
        } else {
            Err(SpoolError::Changed {
                key: Box::new(entry.key()),
            })
        }
    }
}

struct Filler {
    out: BufWriter<File>,
    end: u64,
    last: Option<Place>,
    catalog: CatalogBuilder,
}

impl Filler {
    fn add(&mut self, entry: ScannedEntry<'_>) -> Result<(), SpoolError> {
        let ScannedEntry {
            key,
            version,
            preferred,
            json,
        } = entry;
        let sha256: [u8; 32] = Sha256::digest(json).into();
        let len = u32::try_from(json.len()).map_err(|_| SpoolError::TooMany)?;
        // The second copy comes right after the first: it needs no place of its own.
        let place = match self.last {
            Some(last) if last.len == len && last.sha256 == sha256 => last,
            _ => {
                self.out.write_all(json).map_err(SpoolError::Write)?;
                let offset = self.end;
                self.end += u64::from(len);
                Place {
                    member: 0,
                    offset,
                    len,
                    sha256,
                }
            }
        };
        self.last = Some(place);
        let ItemKey {
            group_resource,
            namespace,
            name,
        } = key;
        let group = self.catalog.group(Group {
            group_resource,
            namespace,
            version,
            preferred,
        });
        if self.catalog.push(group, &name, place) {
            Ok(())
        } else {
            Err(SpoolError::TooMany)
        }
    }
}
