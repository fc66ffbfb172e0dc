//! How a block tells its codes: their lengths in runs, and the code of these,
//! RFC 1951 section 3.2.7.

use super::bits::BitWriter;
use super::code::{Code, DISTANCES, LITERALS};

/// The order in which the lengths of the lengths' code are written.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];
/// Longest code of a length.
const LIMIT: usize = 7;

/// Everything between a block's first three bits and its data.
#[derive(Debug)]
pub(super) struct Preamble {
    literals: usize,
    distances: usize,
    runs: Vec<Run>,
    code: Code<19>,
    told: usize,
    /// Its size.
    pub(super) bits: u64,
}

/// Symbol, extra bits' value and count.
type Run = (usize, u64, u32);

impl Preamble {
    pub(super) fn new(literals: &Code<LITERALS>, distances: &Code<DISTANCES>) -> Self {
        let used_literals = used(&literals.lengths, 257);
        let used_distances = used(&distances.lengths, 1);
        let mut lengths = literals.lengths[..used_literals].to_vec();
        lengths.extend_from_slice(&distances.lengths[..used_distances]);
        let runs = runs(&lengths);
        let mut counts = [0; 19];
        for (symbol, _, _) in &runs {
            counts[*symbol] += 1;
        }
        let code = Code::of_counts(&counts, LIMIT);
        let told = ORDER
            .iter()
            .rposition(|symbol| code.lengths[*symbol] > 0)
            .map_or(4, |last| (last + 1).max(4));
        let extra: u64 = runs.iter().map(|(_, _, count)| u64::from(*count)).sum();
        let bits = 5 + 5 + 4 + 3 * told as u64 + code.cost(&counts) + extra;
        Self {
            literals: used_literals,
            distances: used_distances,
            runs,
            code,
            told,
            bits,
        }
    }

    pub(super) fn write(&self, out: &mut BitWriter) {
        out.put((self.literals - 257) as u64, 5);
        out.put((self.distances - 1) as u64, 5);
        out.put((self.told - 4) as u64, 4);
        for symbol in &ORDER[..self.told] {
            out.put(u64::from(self.code.lengths[*symbol]), 3);
        }
        for (symbol, value, count) in &self.runs {
            let length = u32::from(self.code.lengths[*symbol]);
            out.put(u64::from(self.code.bits[*symbol]), length);
            out.put(*value, *count);
        }
    }
}

/// How many lengths have to be told: without the zeros at the end, at least `least`.
fn used(lengths: &[u8], least: usize) -> usize {
    let highest = lengths.iter().rposition(|length| *length > 0);
    highest.map_or(least, |symbol| (symbol + 1).max(least))
}

fn runs(lengths: &[u8]) -> Vec<Run> {
    let mut runs = Vec::with_capacity(lengths.len());
    for run in lengths.chunk_by(|a, b| a == b) {
        let (length, mut left) = (usize::from(run[0]), run.len());
        if length > 0 {
            // "The one before again" needs one before.
            runs.push((length, 0, 0));
            left -= 1;
        }
        while left >= 3 {
            let (symbol, least, most, bits) = match length {
                0 if left >= 11 => (18, 11, 138, 7),
                0 => (17, 3, 10, 3),
                _ => (16, 3, 6, 2),
            };
            let now = left.min(most);
            runs.push((symbol, (now - least) as u64, bits));
            left -= now;
        }
        runs.extend(std::iter::repeat_n((length, 0, 0), left));
    }
    runs
}
