//! Writes tar entries, the same bytes for the same input.
//!
//! POSIX ustar headers: regular file, mode 0755, no owner, one time for all.
//! Paths that ustar cannot hold (over 100 bytes without a fitting slash, or not
//! ASCII) get a PAX `path` record, which Go and GNU tar both read. This module
//! does not check paths.

/// Tar counts in blocks of this many bytes.
pub(crate) const BLOCK: usize = 512;

const NAME: std::ops::Range<usize> = 0..100;
const SIZE: std::ops::Range<usize> = 124..136;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const PREFIX: std::ops::Range<usize> = 345..500;

/// A header with all that entries have in common filled in.
#[derive(Debug)]
pub(crate) struct EntryWriter {
    file: [u8; BLOCK],
    pax: [u8; BLOCK],
}

impl EntryWriter {
    /// `mtime` in seconds since 1970, for every entry.
    pub(crate) fn new(mtime: u64) -> Self {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(mtime);
        header.set_entry_type(tar::EntryType::Regular);
        let file = *header.as_bytes();
        header.set_entry_type(tar::EntryType::XHeader);
        Self {
            file,
            pax: *header.as_bytes(),
        }
    }

    /// Appends header, data and padding; returns where in `out` the data begins.
    pub(crate) fn append(&self, out: &mut Vec<u8>, path: &str, data: &[u8]) -> usize {
        let (prefix, name) = if let Some(split) = split_ustar(path) {
            split
        } else {
            self.append_pax_path(out, path);
            ("", truncated(path))
        };
        append_header(out, &self.file, (prefix, name), data.len());
        let start = out.len();
        out.extend_from_slice(data);
        pad(out);
        start
    }

    fn append_pax_path(&self, out: &mut Vec<u8>, path: &str) {
        // "<length of the whole record> path=<path>\n", the length counting itself.
        let rest = " path=".len() + path.len() + 1;
        let mut length = rest;
        while rest + decimal_digits(length) != length {
            length = rest + decimal_digits(length);
        }
        let record = format!("{length} path={path}\n");
        append_header(out, &self.pax, ("", "PaxHeaders.0/path"), record.len());
        out.extend_from_slice(record.as_bytes());
        pad(out);
    }
}

/// Two empty blocks: the end of a tar stream.
pub(crate) fn append_end(out: &mut Vec<u8>) {
    out.resize(out.len() + 2 * BLOCK, 0);
}

fn append_header(
    out: &mut Vec<u8>,
    template: &[u8; BLOCK],
    (prefix, name): (&str, &str),
    size: usize,
) {
    let mut block = *template;
    block[NAME][..name.len()].copy_from_slice(name.as_bytes());
    block[PREFIX][..prefix.len()].copy_from_slice(prefix.as_bytes());
    write_octal(&mut block[SIZE], size as u64);
    block[CHECKSUM].fill(b' ');
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    // Six digits, NUL, space: the form every implementation writes.
    write_octal(&mut block[CHECKSUM.start..CHECKSUM.end - 1], u64::from(sum));
    out.extend_from_slice(&block);
}

/// Octal digits with leading zeros and a closing NUL.
fn write_octal(field: &mut [u8], mut value: u64) {
    let Some((last, digits)) = field.split_last_mut() else {
        return;
    };
    *last = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value & 7) as u8;
        value >>= 3;
    }
}

fn pad(out: &mut Vec<u8>) {
    let end = out.len().next_multiple_of(BLOCK);
    out.resize(end, 0);
}

/// Prefix and name as ustar stores them, or `None` when the path does not fit.
fn split_ustar(path: &str) -> Option<(&str, &str)> {
    if !path.is_ascii() {
        return None;
    }
    if path.len() <= NAME.len() {
        return Some(("", path));
    }
    // The first slash that leaves at most 100 bytes after it.
    let earliest = path.len() - NAME.len() - 1;
    let at = earliest
        + path.as_bytes()[earliest..]
            .iter()
            .position(|b| *b == b'/')?;
    let (prefix, name) = (&path[..at], &path[at + 1..]);
    (prefix.len() <= PREFIX.len() && !name.is_empty()).then_some((prefix, name))
}

/// What a reader without PAX sees as the name: the beginning of the path.
fn truncated(path: &str) -> &str {
    &path[..path.floor_char_boundary(NAME.len())]
}

fn decimal_digits(value: usize) -> usize {
    value.checked_ilog10().map_or(1, |log| log as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_what_the_tar_crate_reads() {
        let mut out = Vec::new();
        let start = EntryWriter::new(1_700_000_000).append(&mut out, "a/b.json", b"{}");
        assert_eq!((start, out.len()), (512, 1024));
        let header = tar::Header::from_byte_slice(&out[..512]);
        assert_eq!(&*header.path_bytes(), b"a/b.json");
        assert_eq!(header.entry_size().unwrap(), 2);
        assert_eq!(header.mode().unwrap(), 0o755);
        assert_eq!(header.mtime().unwrap(), 1_700_000_000);
        assert!(header.entry_type().is_file());
        let mut again = header.clone();
        again.set_cksum();
        assert_eq!(again.cksum().unwrap(), header.cksum().unwrap());
    }

    #[test]
    fn long_paths_split_at_a_slash_or_get_a_record() {
        let fits = format!("{}/{}", "p".repeat(155), "n".repeat(100));
        assert_eq!(split_ustar(&fits), Some((&fits[..155], &fits[156..])));
        assert_eq!(
            split_ustar(&format!("{}/{}", "p".repeat(10), "n".repeat(101))),
            None
        );
        assert_eq!(
            split_ustar(&format!("{}/{}", "p".repeat(156), "n".repeat(100))),
            None
        );
        assert_eq!(split_ustar("ö"), None);
    }

    #[test]
    fn record_length_counts_itself() {
        for len in [
            1, 80, 89, 90, 91, 92, 93, 980, 985, 990, 991, 992, 993, 2000,
        ] {
            let path = "x".repeat(len);
            let mut out = Vec::new();
            EntryWriter::new(0).append_pax_path(&mut out, &path);
            let record = std::str::from_utf8(&out[512..])
                .unwrap()
                .trim_end_matches('\0');
            let (length, _) = record.split_once(' ').unwrap();
            assert_eq!(length.parse::<usize>().unwrap(), record.len());
        }
    }
}
