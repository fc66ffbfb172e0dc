//! Finds earlier occurrences of what comes next.
//!
//! A table of the last position for each hash of the next bytes, one candidate and
//! no second thoughts: the first match of at least [`LEAST`] bytes is taken whole.
//! Where nothing matches for long, as in keys and certificates, positions are
//! skipped at a growing rate.

use std::ops::Range;

use super::WINDOW;
use super::tokens::{LONGEST, Tokens};

const HASH_BITS: u32 = 15;
/// Shortest match that is looked for.
const LEAST: u32 = 4;
/// Loads read this many bytes; the last ones of the input become literals.
const LOAD: usize = 8;
/// Misses in a row, as a power of two, after which steps get longer by one.
const PATIENCE: u32 = 6;
/// Every how many bytes a repeat is noted.
const NOTE_STEP: usize = 8;

/// The table: position modulo 2^16, which is twice the window.
#[derive(Debug)]
pub(super) struct Search {
    table: Box<[u16; 1 << HASH_BITS]>,
}

impl Search {
    pub(super) fn new() -> Self {
        Self {
            table: super::zeros(),
        }
    }

    /// Pushes tokens for `range` until it is done or the block full. Returns where it
    /// stopped, by a match also beyond the range.
    pub(super) fn run(&mut self, input: &[u8], range: Range<usize>, tokens: &mut Tokens) -> usize {
        let mut pos = range.start;
        let last = range.end.min((input.len() + 1).saturating_sub(LOAD));
        let mut misses = 0;
        while pos < last && !tokens.is_full() {
            let next = load(input, pos);
            let place = &mut self.table[hash(next)];
            let distance = usize::from(low(pos).wrapping_sub(*place));
            *place = low(pos);
            if distance.wrapping_sub(1) < pos.min(WINDOW) {
                let differ = load(input, pos - distance) ^ next;
                if differ.trailing_zeros() >= 8 * LEAST {
                    let len = if differ == 0 {
                        let max = input.len().min(pos + LONGEST);
                        LOAD + common_length(
                            &input[pos - distance + LOAD..],
                            &input[pos + LOAD..max],
                        )
                    } else {
                        differ.trailing_zeros() as usize / 8
                    };
                    tokens.push_match(len, distance);
                    self.note_match(input, pos, len);
                    pos += len;
                    misses = 0;
                    continue;
                }
            }
            misses += 1;
            let step = 1 + (misses >> PATIENCE);
            if step == 1 {
                tokens.push_literal(input[pos]);
                pos += 1;
            } else {
                let end = (pos + step).min(range.end);
                for byte in &input[pos..end] {
                    tokens.push_literal(*byte);
                }
                pos = end;
            }
        }
        // Only at the very end of the input: too short to load.
        while (last..range.end).contains(&pos) && !tokens.is_full() {
            tokens.push_literal(input[pos]);
            pos += 1;
        }
        pos
    }

    #[inline]
    fn note_match(&mut self, input: &[u8], pos: usize, len: usize) {
        for at in [pos + 1, pos + len - 1] {
            if at + LOAD <= input.len() {
                self.table[hash(load(input, at))] = low(at);
            }
        }
    }

    /// Remembers some positions of a range that needed no search.
    pub(super) fn note(&mut self, input: &[u8], range: Range<usize>) {
        let end = range.end.min((input.len() + 1).saturating_sub(LOAD));
        for pos in (range.start..end).step_by(NOTE_STEP) {
            self.table[hash(load(input, pos))] = low(pos);
        }
    }
}

/// A position as the table holds it.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "modulo 2^16 is meant")]
fn low(pos: usize) -> u16 {
    pos as u16
}

#[inline]
fn load(input: &[u8], pos: usize) -> u64 {
    match input[pos..].first_chunk() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => 0,
    }
}

/// Of the next five bytes: four agree by chance too often to be worth a look.
#[inline]
fn hash(next: u64) -> usize {
    let hash = (next << 24).wrapping_mul(0x9e37_79b1_85eb_ca87);
    (hash >> (64 - HASH_BITS)) as usize % (1 << HASH_BITS)
}

/// How many bytes both begin with.
#[inline]
pub(super) fn common_length(a: &[u8], b: &[u8]) -> usize {
    let mut len = 0;
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        let a = u64::from_le_bytes(a.try_into().unwrap_or_default());
        let b = u64::from_le_bytes(b.try_into().unwrap_or_default());
        if a != b {
            return len + (a ^ b).trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    len + a[len..]
        .iter()
        .zip(&b[len..])
        .take_while(|(a, b)| a == b)
        .count()
}
