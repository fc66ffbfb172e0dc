//! Two decoders that know nothing of the encoder give back what went in.

use libdeflater::Decompressor;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Repeat, WINDOW, gzip};
use crate::gunzip::gunzip_exact;

fn check(input: &[u8], repeats: &[Repeat]) -> usize {
    let packed = gzip(input, repeats);
    let stream = gunzip_exact(&packed, input.len() as u64).unwrap();
    assert!(stream == input, "zlib-rs unpacks something else");
    let mut whole = vec![0; input.len()];
    let len = Decompressor::new()
        .gzip_decompress(&packed, &mut whole)
        .unwrap();
    assert_eq!(len, input.len());
    assert!(whole == input, "libdeflate unpacks something else");
    assert_eq!(gzip(input, repeats), packed, "not the same bytes again");
    packed.len()
}

/// Bytes without any pattern, the same for each seed.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// Something like JSON: words in a changing order.
fn text(len: usize, seed: u64) -> Vec<u8> {
    const WORDS: [&str; 8] = [
        "\"name\":",
        "\"namespace\":",
        "{",
        "},",
        "\"labels\":",
        "gateway",
        "true,",
        "17",
    ];
    let words = noise(len, seed);
    let words = words.iter().map(|byte| WORDS[usize::from(byte % 8)]);
    let mut text = words.collect::<String>().into_bytes();
    text.truncate(len);
    text
}

/// `body` twice, `gap` apart, as the packer would say.
fn twice(body: &[u8], gap: &[u8]) -> (Vec<u8>, Repeat) {
    let distance = body.len() + gap.len();
    let repeat = Repeat {
        start: distance,
        len: body.len(),
        distance,
    };
    ([body, gap, body].concat(), repeat)
}

#[test]
fn lengths_around_limits_of_the_format_survive() {
    let around = [
        257, 258, 259, 32_767, 32_768, 32_769, 65_535, 65_536, 131_070,
    ];
    for len in (0..20).chain(around.iter().flat_map(|len| *len..len + 3)) {
        check(&vec![0; len], &[]);
        check(&noise(len, 1), &[]);
        check(&text(len, 1), &[]);
    }
}

#[test]
fn many_blocks_of_every_form_survive() {
    let parts = [text(300_000, 2), noise(300_000, 3), vec![b'x'; 3_000_000]];
    check(&parts.concat(), &[]);
}

#[test]
fn noise_is_stored_and_zeros_nearly_vanish() {
    let frame = 18;
    let packed = check(&noise(1 << 20, 4), &[]);
    assert!(packed <= (1 << 20) + 60 * 5 + frame, "{packed}");
    let packed = check(&vec![0; 1 << 20], &[]);
    assert!(packed < 1200, "{packed}");
    assert_eq!(check(b"", &[]), 2 + frame);
}

#[test]
fn copies_cost_next_to_nothing_at_any_distance_in_the_window() {
    for distance in [300, 301, 4_000, 32_767, 32_768] {
        let body = noise(distance - 7, 5);
        let (input, repeat) = twice(&body, b"another");
        let packed = check(&input, &[repeat]);
        assert!(packed < body.len() + 600, "{distance}: {packed}");
    }
    // Beyond it, advice is of no use and does no harm.
    let (input, repeat) = twice(&noise(40_000, 6), b"");
    check(&input, &[repeat]);
}

#[test]
fn short_distances_overlap_what_they_write() {
    for distance in 1..40 {
        let period = noise(distance, 7);
        let input = period.repeat(2000 / distance + 2);
        let repeat = Repeat {
            start: distance,
            len: input.len() - distance,
            distance,
        };
        check(&input, &[repeat]);
    }
}

#[test]
fn advice_with_a_fault_in_it_still_helps() {
    let body = noise(10_000, 8);
    let (mut input, repeat) = twice(&body, b"");
    for at in [10_000, 13_000, 19_999] {
        input[at] ^= 1;
    }
    let packed = check(&input, &[repeat]);
    assert!(packed < body.len() + 300, "{packed}");
}

#[test]
fn impossible_advice_is_no_advice() {
    let input = text(5_000, 9);
    let plain = gzip(&input, &[]);
    let wrong = [
        (0, 100, 1),
        (100, 100, 0),
        (100, 100, 101),
        (5_000, 1, 1),
        (100, 0, 1),
        (4_000, usize::MAX, usize::MAX),
        (usize::MAX, usize::MAX, 1),
    ];
    for (start, len, distance) in wrong {
        let repeat = Repeat {
            start,
            len,
            distance,
        };
        assert_eq!(gzip(&input, &[repeat]), plain, "{repeat:?}");
    }
}

/// Stretches of text, noise and one byte.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let piece = (0..3, 0..9_000_usize, any::<u64>()).prop_map(|(kind, len, seed)| match kind {
        0 => text(len, seed),
        1 => noise(len, seed),
        _ => vec![seed.to_le_bytes()[0]; len],
    });
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn advice() -> impl Strategy<Value = Repeat> {
    (0..70_000_usize, 0..20_000_usize, 1..40_000_usize).prop_map(|(start, len, distance)| Repeat {
        start,
        len,
        distance,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_survive(input in vec(any::<u8>(), 0..2_000)) {
        check(&input, &[]);
    }

    #[test]
    fn few_symbols_survive(input in vec(0..3_u8, 0..4_000)) {
        check(&input, &[]);
    }

    #[test]
    fn any_advice_keeps_the_bytes(input in input(), advice in vec(advice(), 0..6)) {
        check(&input, &advice);
    }

    #[test]
    fn true_advice_keeps_the_bytes(body in input(), gap in input(), distances in vec(1..WINDOW, 0..3)) {
        let (input, repeat) = twice(&body, &gap);
        check(&input, &[repeat]);
        let also = distances.iter().map(|distance| Repeat { distance: *distance, ..repeat });
        check(&input, &also.collect::<Vec<_>>());
    }
}
