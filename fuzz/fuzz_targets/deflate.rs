//! Any bytes with any advice on copies: the member unpacks to the very bytes. Run
//! with `cargo fuzz run deflate` from the repository's root.
//!
//! The input begins with up to four pieces of advice of six bytes each, and the rest
//! is put twice, so that some advice is true.

#![no_main]

use ark_archive::deflate::{Repeat, gzip};
use ark_archive::gunzip::gunzip;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((count, rest)) = data.split_first() else {
        return;
    };
    let (advice, body) = rest.split_at(rest.len().min(6 * usize::from(count % 5)));
    let input = body.repeat(2);
    let number = |bytes: &[u8]| usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
    let mut repeats: Vec<Repeat> = advice
        .chunks_exact(6)
        .map(|bytes| Repeat {
            start: number(bytes),
            len: number(&bytes[2..]),
            distance: number(&bytes[4..]),
        })
        .collect();
    if count & 0x80 != 0 {
        repeats.push(Repeat {
            start: body.len(),
            len: body.len(),
            distance: body.len(),
        });
    }
    let packed = gzip(&input, &repeats);
    assert!(gunzip(&packed, input.len() as u64).is_ok_and(|plain| plain == input));
});
