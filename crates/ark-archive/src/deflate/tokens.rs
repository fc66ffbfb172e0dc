//! What a block is made of: literals and matches, and how often each occurs.

/// Shortest and longest match, RFC 1951 section 3.2.5.
pub(super) const SHORTEST: usize = 3;
pub(super) const LONGEST: usize = 258;

/// Tokens after which a block ends. Larger blocks spend less on their codes,
/// smaller ones fit them better; between 12,000 and 40,000 it hardly matters.
const BLOCK_TOKENS: usize = 24_000;
/// Room for what is pushed between two looks at [`Tokens::is_full`]: the search takes
/// steps of a few hundred literals at most, which needs as many misses before.
const ROOM: usize = BLOCK_TOKENS + 1_000;

/// First length in a token: below are the 256 literals.
pub(super) const LENGTHS: usize = 256 - SHORTEST;
/// How many first halves of a token there are: literals and lengths.
pub(super) const FIRSTS: usize = 512;
/// How many distance slots there are, with the one of literals.
pub(super) const SLOTS: usize = 32;
/// The slot of a literal, which has no distance.
pub(super) const NO_SLOT: usize = 31;
/// What all literals have above their byte.
const LITERAL: u32 = 31 << 9;

/// One block's tokens.
///
/// A token is 9 bits of literal (0 to 255) or length (256 for 3, and so on), then 5
/// bits of distance slot, then the slot's extra bits. Both kinds having one form
/// makes writing them a loop without branches, where guessing wrong is what costs.
#[derive(Debug)]
pub(super) struct Tokens {
    all: Box<[u32; ROOM]>,
    len: usize,
    /// How often each first half occurs.
    pub(super) firsts: [u32; FIRSTS],
    /// How often each slot occurs.
    pub(super) slots: [u32; SLOTS],
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self {
            all: super::zeros(),
            len: 0,
            firsts: [0; FIRSTS],
            slots: [0; SLOTS],
        }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.firsts.fill(0);
        self.slots.fill(0);
    }

    pub(super) fn is_full(&self) -> bool {
        self.len >= BLOCK_TOKENS
    }

    pub(super) fn as_slice(&self) -> &[u32] {
        &self.all[..self.len]
    }

    #[inline]
    fn push(&mut self, token: u32) {
        self.all[self.len] = token;
        self.len += 1;
    }

    #[inline]
    pub(super) fn push_literal(&mut self, byte: u8) {
        self.firsts[usize::from(byte)] += 1;
        self.push(LITERAL | u32::from(byte));
    }

    /// `len` from 3 to 258, `distance` from 1 to 32768.
    #[inline]
    pub(super) fn push_match(&mut self, len: usize, distance: usize) {
        debug_assert!((SHORTEST..=LONGEST).contains(&len));
        let first = (LENGTHS + len) % FIRSTS;
        let (slot, extra) = slot_of(distance);
        self.firsts[first] += 1;
        self.slots[slot % SLOTS] += 1;
        self.push(lowest(first | slot << 9 | extra << 14));
    }
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a token has 9 + 5 + 13 bits, an extra value of a length 5"
)]
fn lowest(value: usize) -> u32 {
    value as u32
}

/// The slot of a distance and the value of its extra bits, RFC 1951 section 3.2.5:
/// from 4 on, each power of two is two slots.
#[inline]
fn slot_of(distance: usize) -> (usize, usize) {
    let from_zero = distance.wrapping_sub(1);
    if from_zero < 2 {
        return (from_zero, 0);
    }
    let log = from_zero.ilog2() as usize;
    let slot = 2 * log + ((from_zero >> (log - 1)) & 1);
    (slot, from_zero & ((1 << (log - 1)) - 1))
}

/// How many extra bits follow a distance slot.
pub(super) fn slot_extra_bits(slot: usize) -> u32 {
    const EXTRA: [u8; SLOTS] = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12,
        13, 13, 0, 0,
    ];
    u32::from(EXTRA[slot])
}

/// How much of `len`, at least 3, one match takes so that at least 3 remain, or none.
pub(super) fn longest_step(len: usize) -> usize {
    match len {
        ..=LONGEST => len,
        _ if len - LONGEST < SHORTEST => LONGEST - SHORTEST,
        _ => LONGEST,
    }
}

/// The symbol of a length, its count of extra bits and their value, RFC 1951 section
/// 3.2.5: from 11 on, each power of two is four symbols, and 258 has its own.
pub(super) fn length_symbol(len: usize) -> (usize, u32, u32) {
    let from_zero = len - SHORTEST;
    if len == LONGEST {
        (285, 0, 0)
    } else if from_zero < 8 {
        (257 + from_zero, 0, 0)
    } else {
        let extra = from_zero.ilog2() - 2;
        let symbol = 257 + 4 * extra as usize + (from_zero >> extra);
        (symbol, extra, lowest(from_zero & ((1 << extra) - 1)))
    }
}
