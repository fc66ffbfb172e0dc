//! Unpacks gzip with a cap on what comes out. The only place in the workspace
//! that may name the raw decoders.

use std::io::{self, Read};

#[expect(
    clippy::disallowed_types,
    reason = "this module is the capped replacement"
)]
use flate2::read::MultiGzDecoder;

use crate::limits::Limits;

/// Why bytes cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum GunzipError {
    /// Not gzip, cut short, or the checksum does not match.
    #[error("the gzip data is damaged or cut short")]
    Damaged(#[source] io::Error),
    /// More comes out than was allowed.
    #[error("the gzip data unpacks to more than {max} bytes")]
    TooLarge {
        /// The cap.
        max: u64,
    },
    /// It unpacks to suspiciously much for its size.
    #[error("the gzip data unpacks to more than {ratio} times its size: this looks like a bomb")]
    Ratio {
        /// The cap.
        ratio: u64,
    },
    /// A member has another length than the index says.
    #[error("the gzip member holds {actual} bytes, the index says {expected}")]
    Length {
        /// Found, at most one more than expected.
        actual: u64,
        /// Announced.
        expected: u64,
    },
    /// Bytes after the end of a single member.
    #[error("{bytes} bytes follow the gzip member")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// The input could not be read.
    #[error("cannot read the gzip data")]
    Read(#[source] io::Error),
}

impl GunzipError {
    /// Finds one inside an error that went through [`Read`].
    pub fn from_io(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => match error.kind() {
                // What the decoder says of bad data; all else comes from below it.
                io::ErrorKind::InvalidInput
                | io::ErrorKind::InvalidData
                | io::ErrorKind::UnexpectedEof => Self::Damaged(error),
                _ => Self::Read(error),
            },
        }
    }

    /// Whether trying again may help: only when reading failed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Read(_))
    }
}

/// Unpacks all members of `bytes`, at most `max` bytes.
pub fn gunzip(bytes: &[u8], max: u64) -> Result<Vec<u8>, GunzipError> {
    let mut out = Vec::new();
    let mut reader = GunzipReader::new(bytes, max);
    reader.read_to_end(&mut out).map_err(GunzipError::from_io)?;
    Ok(out)
}

/// Unpacks exactly one member of exactly `len` bytes, nothing after it.
pub(crate) fn gunzip_exact(bytes: &[u8], len: u64) -> Result<Vec<u8>, GunzipError> {
    // Deflate cannot do better than 1032 to 1, so a false length allocates little.
    let possible = (bytes.len() as u64).saturating_mul(1032).min(len);
    let mut out = Vec::with_capacity(usize::try_from(possible).unwrap_or(0));
    let mut decoder = flate2::bufread::GzDecoder::new(bytes);
    let cap = len.saturating_add(1);
    decoder
        .by_ref()
        .take(cap)
        .read_to_end(&mut out)
        .map_err(GunzipError::from_io)?;
    if out.len() as u64 != len {
        return Err(GunzipError::Length {
            actual: out.len() as u64,
            expected: len,
        });
    }
    // The end was seen, so the checksum has been compared.
    match decoder.into_inner().len() {
        0 => Ok(out),
        bytes => Err(GunzipError::Trailing { bytes }),
    }
}

/// Unpacks a stream of one or more gzip members, with caps.
///
/// Errors are [`io::Error`]s that [`GunzipError::from_io`] turns back.
#[derive(Debug)]
pub struct GunzipReader<R> {
    #[expect(
        clippy::disallowed_types,
        reason = "this type is the capped replacement"
    )]
    decoder: MultiGzDecoder<Counting<R>>,
    unpacked: u64,
    max: u64,
    ratio: u64,
    ratio_grace: u64,
}

#[derive(Debug)]
struct Counting<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.count += n as u64;
        Ok(n)
    }
}

impl<R: Read> GunzipReader<R> {
    /// Lets at most `max` bytes out.
    pub fn new(inner: R, max: u64) -> Self {
        Self::capped(inner, max, u64::MAX, u64::MAX)
    }

    /// Caps for a whole archive: [`Limits::total_bytes`] and [`Limits::ratio`].
    pub fn with_limits(inner: R, limits: &Limits) -> Self {
        Self::capped(inner, limits.total_bytes, limits.ratio, limits.ratio_grace)
    }

    #[expect(
        clippy::disallowed_types,
        reason = "this type is the capped replacement"
    )]
    fn capped(inner: R, max: u64, ratio: u64, ratio_grace: u64) -> Self {
        let decoder = MultiGzDecoder::new(Counting { inner, count: 0 });
        Self {
            decoder,
            unpacked: 0,
            max,
            ratio,
            ratio_grace,
        }
    }

    /// Bytes that came out so far.
    pub fn unpacked(&self) -> u64 {
        self.unpacked
    }

    /// Bytes that went in so far.
    pub fn consumed(&self) -> u64 {
        self.decoder.get_ref().count
    }
}

impl<R: Read> Read for GunzipReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(buf)?;
        self.unpacked += n as u64;
        if self.unpacked > self.max {
            return Err(io::Error::other(GunzipError::TooLarge { max: self.max }));
        }
        let allowed = self.consumed().saturating_mul(self.ratio);
        if self.unpacked > self.ratio_grace && self.unpacked > allowed {
            return Err(io::Error::other(GunzipError::Ratio { ratio: self.ratio }));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests;
