//! Walks a tar stream entry by entry, with caps on everything.
//!
//! Understands ustar, the long names of GNU tar and PAX, the latter two only as
//! far as paths and sizes go. Knows nothing of what the paths mean.

use std::io::{self, Read};

use crate::gunzip::GunzipError;
use crate::header::BLOCK;
use crate::limits::Limits;

use super::ReadError;

/// What an entry is, as far as backups go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    File,
    Directory,
}

/// A file or folder; its bytes come next in the stream.
#[derive(Debug)]
pub(super) struct TarEntry {
    /// Relative, without `.` or `..`; empty for the root folder.
    pub(super) path: String,
    pub(super) kind: FileKind,
    pub(super) size: u64,
}

/// See the module.
pub(super) struct TarStream<R> {
    inner: R,
    limits: Limits,
    position: u64,
    entries: u64,
    /// Data and padding of the current entry that were not read yet.
    data: u64,
    padding: u64,
    last_path: String,
}

/// What extended headers said about the entry that follows them.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl<R: Read> TarStream<R> {
    pub(super) fn new(inner: R, limits: Limits) -> Self {
        let last_path = String::new();
        Self {
            inner,
            limits,
            position: 0,
            entries: 0,
            data: 0,
            padding: 0,
            last_path,
        }
    }

    /// Bytes of the stream that were read.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Goes to the next file or folder; `None` at the end mark. What was not
    /// read of the one before is skipped.
    pub(super) fn next_entry(&mut self) -> Result<Option<TarEntry>, ReadError> {
        let mut extended = Extended::default();
        loop {
            self.skip()?;
            let at = self.position;
            let block = self.read_block()?;
            if block == [0; BLOCK] {
                return self.end_mark(at);
            }
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(ReadError::TooManyEntries {
                    max: self.limits.entries,
                });
            }
            let header = tar::Header::from_byte_slice(&block);
            check_sum(header, at)?;
            let mut size = header.entry_size().map_err(|_| ReadError::Header {
                at,
                reason: "impossible size",
            })?;
            match header.as_bytes()[156] {
                b'L' => extended.path = Some(trim_nul(self.read_extension(size)?)),
                // The target of a link; the link itself will be refused.
                // Defaults for all entries, as git makes them, are comments.
                b'K' | b'g' => drop(self.read_extension(size)?),
                b'x' => {
                    let records = self.read_extension(size)?;
                    parse_pax(&records, &mut extended).ok_or(ReadError::Header {
                        at,
                        reason: "malformed PAX record",
                    })?;
                }
                flag => {
                    size = extended.size.unwrap_or(size);
                    let raw = extended
                        .path
                        .unwrap_or_else(|| header.path_bytes().into_owned());
                    self.announce(size, at)?;
                    return self.entry(&raw, flag, size).map(Some);
                }
            }
        }
    }

    /// Reads the data of the current entry, replacing what `out` held.
    pub(super) fn read_into(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        out.clear();
        // `take` has no effect on allocation: the buffer grows with what is there.
        let got = self.inner.by_ref().take(self.data).read_to_end(out);
        got.map_err(|e| ReadError::Unpack(GunzipError::from_io(e)))?;
        let missing = self.data - out.len() as u64;
        self.position += out.len() as u64;
        self.data = 0;
        if missing > 0 {
            return Err(ReadError::Truncated {
                last: self.last_path.clone(),
            });
        }
        self.skip()
    }

    /// Passes over what remains of the current entry.
    pub(super) fn skip(&mut self) -> Result<(), ReadError> {
        let wanted = std::mem::take(&mut self.data) + std::mem::take(&mut self.padding);
        if wanted == 0 {
            return Ok(());
        }
        let mut rest = self.inner.by_ref().take(wanted);
        let skipped = io::copy(&mut rest, &mut io::sink())
            .map_err(|e| ReadError::Unpack(GunzipError::from_io(e)))?;
        self.position += skipped;
        if skipped < wanted {
            return Err(ReadError::Truncated {
                last: self.last_path.clone(),
            });
        }
        Ok(())
    }

    /// Reads to the end of the gzip stream, so that its checksum is compared;
    /// counts the bytes that are not zero.
    pub(super) fn drain(&mut self) -> Result<u64, ReadError> {
        let mut buffer = [0; 8 << 10];
        let mut odd = 0;
        loop {
            let n = self.read_some(&mut buffer)?;
            if n == 0 {
                return Ok(odd);
            }
            odd += buffer[..n].iter().filter(|b| **b != 0).count() as u64;
        }
    }

    /// A second empty block belongs to the end mark; some writers leave it out.
    fn end_mark(&mut self, at: u64) -> Result<Option<TarEntry>, ReadError> {
        let mut block = [0; BLOCK];
        let n = self.fill(&mut block)?;
        if block[..n].iter().all(|b| *b == 0) {
            Ok(None)
        } else {
            Err(ReadError::Header {
                at,
                reason: "an empty block in the middle",
            })
        }
    }

    fn entry(&mut self, raw: &[u8], flag: u8, size: u64) -> Result<TarEntry, ReadError> {
        let shown = || String::from_utf8_lossy(raw).into_owned();
        if raw.len() > self.limits.path_bytes {
            let (bytes, max) = (raw.len() as u64, self.limits.path_bytes);
            return Err(ReadError::PathTooLong { bytes, max });
        }
        // Before POSIX a folder was a file with a slash at the end.
        let kind = match flag {
            b'5' => FileKind::Directory,
            0 | b'0' | b'7' if raw.ends_with(b"/") => FileKind::Directory,
            0 | b'0' | b'7' => FileKind::File,
            other => {
                return Err(ReadError::NotAFile {
                    path: shown(),
                    kind: kind_name(other),
                });
            }
        };
        let path = clean_path(raw, kind).ok_or_else(|| ReadError::UnsafePath { path: shown() })?;
        self.last_path.clone_from(&path);
        Ok(TarEntry { path, kind, size })
    }

    fn announce(&mut self, size: u64, at: u64) -> Result<(), ReadError> {
        let end = size.checked_next_multiple_of(BLOCK as u64);
        let end = end.ok_or(ReadError::Header {
            at,
            reason: "impossible size",
        })?;
        self.data = size;
        self.padding = end - size;
        Ok(())
    }

    fn read_extension(&mut self, size: u64) -> Result<Vec<u8>, ReadError> {
        // A record is a little longer than the path in it.
        let max = self.limits.path_bytes;
        if size > max as u64 + BLOCK as u64 {
            return Err(ReadError::PathTooLong { bytes: size, max });
        }
        self.announce(size, self.position)?;
        let mut out = Vec::new();
        self.read_into(&mut out)?;
        Ok(out)
    }

    fn read_block(&mut self) -> Result<[u8; BLOCK], ReadError> {
        let mut block = [0; BLOCK];
        if self.fill(&mut block)? < BLOCK {
            return Err(ReadError::Truncated {
                last: self.last_path.clone(),
            });
        }
        Ok(block)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_some(&mut buffer[filled..])? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(filled)
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        loop {
            match self.inner.read(buffer) {
                Ok(n) => {
                    self.position += n as u64;
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(ReadError::Unpack(GunzipError::from_io(e))),
            }
        }
    }
}

fn check_sum(header: &tar::Header, at: u64) -> Result<(), ReadError> {
    let bytes = header.as_bytes();
    let outside = bytes[..148].iter().chain(&bytes[156..]);
    let sum = outside.map(|b| u32::from(*b)).sum::<u32>() + 8 * u32::from(b' ');
    match header.cksum() {
        Ok(stored) if stored == sum => Ok(()),
        _ => Err(ReadError::Header {
            at,
            reason: "wrong checksum",
        }),
    }
}

/// Takes `<length> <key>=<value>\n` records; `None` when they are malformed or
/// describe something that backups do not hold.
fn parse_pax(mut records: &[u8], extended: &mut Extended) -> Option<()> {
    while !records.is_empty() {
        let space = records.iter().position(|b| *b == b' ')?;
        let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
        let (record, rest) = records.split_at_checked(length)?;
        let pair = record.get(space + 1..)?.strip_suffix(b"\n")?;
        let equals = pair.iter().position(|b| *b == b'=')?;
        let (key, value) = (&pair[..equals], &pair[equals + 1..]);
        match key {
            b"path" => extended.path = Some(value.to_vec()),
            b"size" => extended.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
            key if key.starts_with(b"GNU.sparse.") => return None,
            _ => {}
        }
        records = rest;
    }
    Some(())
}

fn trim_nul(mut name: Vec<u8>) -> Vec<u8> {
    let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    name.truncate(end);
    name
}

/// The path without a leading `./` and without a folder's closing slash; `None`
/// when it is absolute, climbs, or is not plain text.
fn clean_path(raw: &[u8], kind: FileKind) -> Option<String> {
    let mut path = std::str::from_utf8(raw).ok()?;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    if kind == FileKind::Directory {
        path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() || path == "." {
            // `/` is no way to write the root of an archive.
            return (!raw.is_empty() && !raw.starts_with(b"/")).then(String::new);
        }
    }
    let sound =
        path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains('\0');
    sound.then(|| path.to_owned())
}

fn kind_name(flag: u8) -> &'static str {
    match flag {
        b'1' => "hard link",
        b'2' => "symbolic link",
        b'3' => "character device",
        b'4' => "block device",
        b'6' => "pipe",
        b'S' => "sparse file",
        _ => "special entry",
    }
}
