//! Writes a block in the smallest of the three forms of RFC 1951 section 3.2.

use super::bits::BitWriter;
use super::code::{self, Code, DISTANCES, LITERALS};
use super::preamble::Preamble;
use super::tokens::{
    self, FIRSTS, LENGTHS, LONGEST, NO_SLOT, SHORTEST, SLOTS, Tokens, slot_extra_bits,
};

/// Longest code of a literal or length. One less than allowed, so that a token is at
/// most 14 + 5 + 15 + 13 bits.
const LITERAL_LIMIT: usize = 14;
const DISTANCE_LIMIT: usize = 15;
/// Symbol that ends a block.
const END: usize = 256;
/// Most bytes of a stored block.
const STORED: usize = 65_535;

#[derive(Debug)]
pub(super) struct BlockWriter {
    out: BitWriter,
}

impl BlockWriter {
    /// Goes on after the bytes in `out`.
    pub(super) fn new(out: Vec<u8>) -> Self {
        Self {
            out: BitWriter::new(out),
        }
    }

    /// Writes `tokens`, which stand for `raw`.
    pub(super) fn write(&mut self, tokens: &Tokens, raw: &[u8], last: bool) {
        let (literals, extra) = symbol_counts(tokens);
        let mut distances = tokens.slots;
        distances[NO_SLOT] = 0;
        let own = (
            Code::of_counts(&literals, LITERAL_LIMIT),
            Code::of_counts(&distances, DISTANCE_LIMIT),
        );
        let preamble = Preamble::new(&own.0, &own.1);
        let own_bits = preamble.bits + own.0.cost(&literals) + own.1.cost(&distances) + extra;
        let fixed = (code::fixed_literals(), code::fixed_distances());
        let fixed_bits = fixed.0.cost(&literals) + fixed.1.cost(&distances) + extra;

        if self.stored_bits(raw.len()) <= 3 + own_bits.min(fixed_bits) {
            self.store(raw, last);
        } else if fixed_bits <= own_bits {
            self.out.reserve(3 + fixed_bits);
            self.out.put(u64::from(last) | 1 << 1, 3);
            self.data(tokens, &fixed);
        } else {
            self.out.reserve(3 + own_bits);
            self.out.put(u64::from(last) | 2 << 1, 3);
            preamble.write(&mut self.out);
            self.data(tokens, &own);
        }
    }

    /// The finished stream.
    pub(super) fn finish(self) -> Vec<u8> {
        self.out.finish()
    }

    /// At most how many bits [`BlockWriter::store`] writes.
    fn stored_bits(&self, len: usize) -> u64 {
        let blocks = len.div_ceil(STORED).max(1) as u64;
        let first_padding = u64::from((16 - 3 - self.out.pending()) % 8);
        first_padding + blocks * (3 + 32) + (blocks - 1) * 5 + 8 * len as u64
    }

    fn store(&mut self, raw: &[u8], last: bool) {
        let mut rest = raw;
        loop {
            let (piece, after) = rest.split_at(rest.len().min(STORED));
            rest = after;
            self.out.reserve(8);
            self.out.put(u64::from(last && rest.is_empty()), 3);
            self.out.align();
            let len = u16::try_from(piece.len()).unwrap_or(u16::MAX);
            self.out.bytes(&len.to_le_bytes());
            self.out.bytes(&(!len).to_le_bytes());
            self.out.bytes(piece);
            if rest.is_empty() {
                return;
            }
        }
    }

    fn data(&mut self, tokens: &Tokens, (literals, distances): &(Code<LITERALS>, Code<DISTANCES>)) {
        let firsts = first_table(literals);
        let slots = slot_table(distances);
        for token in tokens.as_slice() {
            let first = firsts[*token as usize % FIRSTS];
            let slot = slots[(*token >> 9) as usize % SLOTS];
            let (bits, count) = (first >> 8, first & 0xff);
            let (slot_bits, code_count, slot_count) = (slot >> 16, slot >> 8 & 0xff, slot & 0xff);
            let extra = u64::from(*token >> 14);
            let second = u64::from(slot_bits) | extra << (code_count % 64);
            self.out
                .put(u64::from(bits) | second << (count % 64), count + slot_count);
        }
        let length = u32::from(literals.lengths[END]);
        self.out.put(u64::from(literals.bits[END]), length);
    }
}

/// How often each symbol occurs, the end included, and the bits beside the symbols.
fn symbol_counts(tokens: &Tokens) -> ([u32; LITERALS], u64) {
    let mut counts = [0; LITERALS];
    counts[..256].copy_from_slice(&tokens.firsts[..256]);
    counts[END] = 1;
    let mut extra = 0;
    for len in SHORTEST..=LONGEST {
        let (symbol, bits, _) = tokens::length_symbol(len);
        let count = tokens.firsts[LENGTHS + len];
        counts[symbol] += count;
        extra += u64::from(bits) * u64::from(count);
    }
    for (slot, count) in tokens.slots.iter().enumerate() {
        extra += u64::from(slot_extra_bits(slot)) * u64::from(*count);
    }
    (counts, extra)
}

/// For each first half of a token the code with the extra bits, above 8 bits of their count.
fn first_table(code: &Code<LITERALS>) -> [u32; FIRSTS] {
    let mut table = [0; FIRSTS];
    for (literal, entry) in table[..256].iter_mut().enumerate() {
        *entry = u32::from(code.bits[literal]) << 8 | u32::from(code.lengths[literal]);
    }
    for len in SHORTEST..=LONGEST {
        let (symbol, extra, value) = tokens::length_symbol(len);
        let length = u32::from(code.lengths[symbol]);
        let bits = u32::from(code.bits[symbol]) | value << length;
        table[LENGTHS + len] = bits << 8 | (length + extra);
    }
    table
}

/// For each slot the code, above 8 bits of its count and 8 of the count with extra bits.
fn slot_table(code: &Code<DISTANCES>) -> [u32; SLOTS] {
    let mut table = [0; SLOTS];
    for (slot, entry) in table[..30].iter_mut().enumerate() {
        let length = u32::from(code.lengths[slot]);
        *entry = u32::from(code.bits[slot]) << 16 | length << 8 | (length + slot_extra_bits(slot));
    }
    table
}
