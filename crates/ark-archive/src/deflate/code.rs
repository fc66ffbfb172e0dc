//! Prefix codes as deflate writes them, and how a block tells its own.

use super::code_lengths::code_lengths;

/// Symbols of literals and lengths, with two that never occur: RFC 1951 section 3.2.6.
pub(super) const LITERALS: usize = 288;
/// Symbols of distances, with two that never occur.
pub(super) const DISTANCES: usize = 32;

/// One code: for each symbol the bits to write, and how many.
#[derive(Debug, Clone)]
pub(super) struct Code<const N: usize> {
    pub(super) lengths: [u8; N],
    pub(super) bits: [u16; N],
}

impl<const N: usize> Code<N> {
    /// The best for symbols that occur so often.
    pub(super) fn of_counts(counts: &[u32; N], limit: usize) -> Self {
        Self::of_lengths(code_lengths(counts, limit))
    }

    /// The one code with these lengths, RFC 1951 section 3.2.2.
    pub(super) fn of_lengths(lengths: [u8; N]) -> Self {
        let mut next = [0_u16; 17];
        for length in lengths.iter().filter(|length| **length > 0) {
            next[usize::from(*length) + 1] += 1;
        }
        for length in 1..16 {
            next[length + 1] = (next[length + 1] + next[length]) << 1;
        }
        let mut bits = [0; N];
        for (bits, length) in bits.iter_mut().zip(lengths) {
            if length > 0 {
                let next = &mut next[usize::from(length)];
                // Codes are written from their highest bit on.
                *bits = next.reverse_bits() >> (16 - length);
                *next = next.wrapping_add(1);
            }
        }
        Self { lengths, bits }
    }

    /// How many bits it takes to write symbols that occur so often.
    pub(super) fn cost(&self, counts: &[u32; N]) -> u64 {
        counts
            .iter()
            .zip(self.lengths)
            .map(|(count, length)| u64::from(*count) * u64::from(length))
            .sum()
    }
}

/// The code for literals and lengths that needs no telling, RFC 1951 section 3.2.6.
pub(super) fn fixed_literals() -> Code<LITERALS> {
    let mut lengths = [8; LITERALS];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    Code::of_lengths(lengths)
}

/// The code for distances that needs no telling.
pub(super) fn fixed_distances() -> Code<DISTANCES> {
    Code::of_lengths([5; DISTANCES])
}
