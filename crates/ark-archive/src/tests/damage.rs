//! Random damage: an error or the very same content, never a panic.

use proptest::prelude::*;

use super::{Sample, cluster, gzip, pack};
use crate::gunzip::gunzip;
use crate::index::{Index, unpack_member};
use crate::limits::Limits;
use crate::read::{ReadError, scan};

type Content = Vec<Sample>;

/// Everything the index leads to; `None` at the first error.
fn through_index(archive: &[u8], index: &[u8]) -> Option<Content> {
    let index = Index::decode(index, &Limits::default()).ok()?;
    let mut content = Vec::new();
    for entry in index.catalog().iter_all() {
        let range = index.member_range(entry.member)?;
        let bytes = archive.get(range.start as usize..range.end as usize)?;
        let raw = unpack_member(bytes, index.member_raw_len(entry.member)?).ok()?;
        let json = entry.json(&raw).ok()?.to_vec();
        let version = entry.version()?.to_owned();
        content.push(Sample {
            key: entry.key(),
            version,
            preferred: entry.preferred(),
            json,
        });
    }
    Some(content)
}

fn by_scan(archive: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let mut content = Vec::new();
    scan(
        archive,
        &Limits::default(),
        |entry| -> Result<(), ReadError> {
            content.push((
                format!("{} {:?}", entry.key, entry.version),
                entry.json.to_vec(),
            ));
            Ok(())
        },
    )
    .ok()?;
    Some(content)
}

fn flip(bytes: &[u8], flips: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, bits) in flips {
        let at = at.index(bytes.len());
        bytes[at] ^= bits;
    }
    bytes
}

fn flips() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_index_is_refused_or_reads_the_same(flips in flips()) {
        let samples = cluster();
        let (archive, index) = pack(&samples, 4096);
        if let Some(content) = through_index(&archive, &flip(&index, &flips)) {
            prop_assert_eq!(content, samples);
        }
    }

    /// Without the protection of gzip's checksum names can change, but what
    /// comes out is still what the hash was made of.
    #[test]
    fn a_forged_index_never_panics(flips in flips()) {
        let samples = cluster();
        let (archive, index) = pack(&samples, 4096);
        let raw = gunzip(&index, 1 << 20).unwrap();
        if let Some(content) = through_index(&archive, &gzip(&flip(&raw, &flips))) {
            for found in content {
                prop_assert!(samples.iter().any(|sample| sample.json == found.json));
            }
        }
    }

    #[test]
    fn a_shortened_index_is_refused(len in any::<prop::sample::Index>()) {
        let (_, index) = pack(&cluster(), 4096);
        let raw = gunzip(&index, 1 << 20).unwrap();
        let short = gzip(&raw[..len.index(raw.len())]);
        prop_assert!(Index::decode(&short, &Limits::default()).is_err());
    }

    #[test]
    fn a_damaged_archive_is_refused_or_reads_the_same(flips in flips()) {
        let samples = cluster();
        let (archive, index) = pack(&samples, 4096);
        let damaged = flip(&archive, &flips);
        if let Some(content) = through_index(&damaged, &index) {
            prop_assert_eq!(content, samples);
        }
        if let Some(content) = by_scan(&damaged) {
            prop_assert_eq!(Some(content), by_scan(&archive));
        }
    }
}
