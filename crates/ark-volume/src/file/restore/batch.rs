//! Chunks of many files, fetched together.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rustic_core::repofile::BlobType;
use rustic_core::{BlobId, DataId, Id};

use super::destination::Destination;
use super::workers::in_parallel;
use super::{Job, is_damage};
use crate::file::error::FileError;
use crate::file::tree;

/// Chunks in a batch: about 8 GiB of a large file, and no more than a few MiB of memory.
const MOST: usize = 8192;
/// Bytes that are read in one call, unless one chunk has more.
const LONGEST: u32 = 4 << 20;
/// Bytes between two chunks that are rather read, too, than asked past.
const GAP: u32 = 256 << 10;

/// A chunk and where it belongs.
struct Piece {
    into: Arc<Destination>,
    chunk: DataId,
    offset: u64,
    length: u32,
}

/// One chunk in a pack, and all places that it belongs to.
struct Fetch {
    pack: Id,
    range: Range<u32>,
    chunk: DataId,
    places: Vec<(Arc<Destination>, u64)>,
}

/// Chunks that are waited for.
pub(super) struct Batch<'a> {
    job: &'a Job,
    pieces: Vec<Piece>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(job: &'a Job) -> Self {
        let pieces = Vec::new();
        Self { job, pieces }
    }

    /// Takes all chunks of a file; runs whenever there are enough.
    pub(super) fn add(
        &mut self,
        into: &Arc<Destination>,
        content: &[DataId],
    ) -> Result<(), FileError> {
        let mut offset = 0;
        for (done, chunk) in content.iter().enumerate() {
            let found = self.job.repository.get_index_entry(chunk);
            let length = match found.map_err(FileError::from) {
                Ok(entry) => entry.data_length(),
                // Nobody knows how long it was, so nobody knows where the next begins.
                Err(error) => {
                    (done..content.len()).for_each(|_| into.lack(&error));
                    return Ok(());
                }
            };
            let (into, chunk) = (into.clone(), *chunk);
            self.pieces.push(Piece {
                into,
                chunk,
                offset,
                length,
            });
            offset += u64::from(length);
            if self.pieces.len() >= MOST {
                self.run()?;
            }
        }
        Ok(())
    }

    /// Writes all that was added.
    pub(super) fn run(&mut self) -> Result<(), FileError> {
        let pieces = std::mem::take(&mut self.pieces);
        let (new, there): (Vec<_>, Vec<_>) =
            pieces.into_iter().partition(|piece| piece.into.is_new);
        let missing = std::sync::Mutex::new(new);
        in_parallel(self.job.workers, there, |piece| {
            self.job.check_cancelled()?;
            if piece.is_there() {
                piece.into.keep(piece.length.into());
                self.job.control.progress.add(piece.length.into());
            } else {
                let mut missing = missing
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                missing.push(piece);
            }
            Ok(())
        })?;
        let missing = missing
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let reads = neighbours(self.locate(missing));
        in_parallel(self.job.workers, reads, |read| self.read(read))
    }

    /// Finds the chunks in the repository, each once.
    fn locate(&self, pieces: Vec<Piece>) -> Vec<Fetch> {
        let mut fetches: HashMap<DataId, Fetch> = HashMap::new();
        for Piece {
            into,
            chunk,
            offset,
            ..
        } in pieces
        {
            if let Some(fetch) = fetches.get_mut(&chunk) {
                fetch.places.push((into, offset));
                continue;
            }
            match self.job.repository.get_index_entry(&chunk) {
                Ok(entry) => {
                    let start = entry.location.offset;
                    let fetch = Fetch {
                        pack: *entry.pack,
                        range: start..start.saturating_add(entry.location.length),
                        chunk,
                        places: vec![(into, offset)],
                    };
                    fetches.insert(chunk, fetch);
                }
                Err(error) => into.lack(&error.into()),
            }
        }
        fetches.into_values().collect()
    }

    /// Reads neighbours in one call and writes each where it belongs.
    fn read(&self, fetches: Vec<Fetch>) -> Result<(), FileError> {
        let (Some(first), Some(last)) = (fetches.first(), fetches.last()) else {
            return Ok(());
        };
        let range = first.range.start..last.range.end;
        let window = match self.job.bucket.read_ahead(first.pack, range) {
            Ok(window) => Some(window),
            // Each chunk is then asked for alone: some may be whole.
            Err(error) => match FileError::from(error) {
                error if is_damage(&error) => None,
                error => return Err(error),
            },
        };
        for fetch in fetches {
            self.job.check_cancelled()?;
            self.write(&fetch)?;
        }
        drop(window);
        Ok(())
    }

    fn write(&self, fetch: &Fetch) -> Result<(), FileError> {
        let (repository, id) = (&self.job.repository, BlobId::from(fetch.chunk));
        match tree::chunk(repository, BlobType::Data, id) {
            Ok(bytes) => {
                for (into, offset) in &fetch.places {
                    into.write(&bytes, *offset)?;
                    self.job.control.progress.add(bytes.len() as u64);
                }
                Ok(())
            }
            Err(error) if is_damage(&error) => {
                for (into, _) in &fetch.places {
                    into.lack(&error);
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

impl Piece {
    /// Whether the target holds this chunk already.
    fn is_there(&self) -> bool {
        let mut buffer = vec![0; usize::try_from(self.length).unwrap_or(0)];
        self.into.read(&mut buffer, self.offset).is_ok() && tree::name_of(&buffer) == *self.chunk
    }
}

/// Puts chunks that lie next to each other in a pack together.
fn neighbours(mut fetches: Vec<Fetch>) -> Vec<Vec<Fetch>> {
    fetches.sort_unstable_by_key(|fetch| (fetch.pack, fetch.range.start));
    let mut reads: Vec<Vec<Fetch>> = Vec::new();
    for fetch in fetches {
        if let Some(read) = reads.last_mut()
            && let (Some(first), Some(last)) = (read.first(), read.last())
            && first.pack == fetch.pack
            && fetch.range.start.saturating_sub(last.range.end) <= GAP
            && fetch.range.end - first.range.start <= LONGEST
        {
            read.push(fetch);
        } else {
            reads.push(vec![fetch]);
        }
    }
    reads
}
