//! What levels of compression mean: all unpack to the same, and the default one
//! knows that objects stand twice.

use std::fmt::Write as _;

use crate::gunzip::gunzip_exact;
use crate::write::{PackOptions, Packer, RawMember};

use super::key;

/// An object with little in it that any other has.
fn object(number: u64) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut data = String::new();
    for _ in 0..200 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        write!(data, "{state:016x}").unwrap();
    }
    format!(r#"{{"metadata":{{"name":"o{number}"}},"data":"{data}"}}"#)
}

fn member(preferred: bool) -> RawMember {
    let mut packer = Packer::new(PackOptions::default());
    for number in 0..100 {
        let (key, json) = (key(&format!("secrets shop/o{number}")), object(number));
        let full = if preferred {
            packer.add(&key, "v1", json.as_bytes()).unwrap()
        } else {
            packer.add_version(&key, "v1", json.as_bytes()).unwrap()
        };
        assert!(full.is_none(), "the test wants one member");
    }
    packer.finish().last
}

#[test]
fn every_level_unpacks_to_the_same() {
    let stored = member(true).compress(0).unwrap();
    let raw_len = stored.raw_len;
    assert!(stored.bytes.len() as u64 > raw_len);
    let plain = gunzip_exact(&stored.bytes, raw_len).unwrap();
    for level in 1..=9 {
        let packed = member(true).compress(level).unwrap();
        assert!(packed.bytes.len() as u64 * 3 < raw_len, "level {level}");
        assert!(gunzip_exact(&packed.bytes, raw_len).unwrap() == plain);
    }
}

#[test]
fn the_second_copy_of_an_object_is_nearly_free() {
    let once = member(false).compress(1).unwrap().bytes.len();
    let twice = member(true).compress(1).unwrap().bytes.len();
    let each = (twice - once) / 100;
    // A header with a path, and thirteen matches.
    assert!(each < 110, "{each} bytes for a second copy");
}
