//! Any bytes as a tarball: an error or a summary, never a panic, never more than
//! the limits. Run with `cargo fuzz run scan` from the repository's root.
//!
//! The input is tried as it is, and packed, so that the fuzzer reaches the tar
//! layer without having to invent gzip checksums.

#![no_main]

use ark_archive::Limits;
use ark_archive::read::{ReadError, scan};
use ark_archive::side;
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    item_bytes: 1 << 16,
    total_bytes: 1 << 20,
    entries: 1000,
    path_bytes: 4096,
    ratio: 500,
    ratio_grace: 1 << 18,
    member_bytes: 1 << 20,
    index_bytes: 1 << 20,
    side_bytes: 1 << 20,
};

fn check(archive: &[u8]) {
    let mut items = 0;
    let summary = scan(archive, &LIMITS, |entry| -> Result<(), ReadError> {
        assert!(entry.json.len() as u64 <= LIMITS.item_bytes);
        assert!(entry.key.validate().is_ok());
        items += 1;
        Ok(())
    });
    if let Ok(summary) = summary {
        assert_eq!(summary.items, items);
        assert!(summary.unpacked_bytes <= LIMITS.total_bytes);
    }
}

fuzz_target!(|data: &[u8]| {
    check(data);
    if let Ok(packed) = side::pack(data) {
        check(&packed);
    }
});
