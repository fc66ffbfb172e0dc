//! Any bytes as an index: an error, or a catalog whose every entry lies inside
//! its member. Run with `cargo fuzz run index` from the repository's root.
//!
//! The input is tried as it is, and packed with the magic in front.

#![no_main]

use ark_archive::{Index, Limits, side};
use libfuzzer_sys::fuzz_target;

fn check(bytes: &[u8]) {
    let limits = Limits {
        index_bytes: 1 << 20,
        ..Limits::default()
    };
    let Ok(index) = Index::decode(bytes, &limits) else {
        return;
    };
    for entry in index.catalog().iter_all() {
        let raw_len = index.member_raw_len(entry.member);
        assert!(raw_len.is_some_and(|raw_len| entry.offset + u64::from(entry.len) <= raw_len));
        assert!(index.member_range(entry.member).is_some());
        let key = entry.key();
        assert!(key.validate().is_ok());
        assert!(index.catalog().copies(&key).next().is_some());
    }
}

fuzz_target!(|data: &[u8]| {
    check(data);
    if let Ok(packed) = side::pack(&[b"ark-index 1\n", data].concat()) {
        check(&packed);
    }
});
