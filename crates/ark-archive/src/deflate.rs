//! Makes gzip members (RFC 1952) of tar streams in which bodies stand twice.
//!
//! Velero's layout holds nearly every object at two paths, one entry right after
//! the other. No library can be told so: it searches the second body again, and at
//! its fast levels takes nearer and shorter matches than the copy. This encoder is
//! told where copies lie ([`Repeat`]) and writes them without a search. For all else it
//! is a plain encoder in the manner of a fastest level: greedy, one candidate a
//! position, a code of its own for each block.
//!
//! A [`Repeat`] is advice. What is written as a copy was compared byte by byte, so
//! a wrong one costs size and never truth. Nothing here does I/O, and equal input
//! makes equal output.

mod bits;
mod block;
mod code;
mod code_lengths;
mod preamble;
mod search;
mod tokens;

#[cfg(test)]
mod tests;

use self::block::BlockWriter;
use self::search::Search;
use self::tokens::Tokens;

/// Farthest that a match can reach back, RFC 1951 section 2.
const WINDOW: usize = 32 * 1024;

/// Magic, deflate, no flags, no time, fastest method, unknown system: RFC 1952 section 2.3.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// Where bytes stand a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// Where the second copy begins.
    pub start: usize,
    /// How many bytes are probably the same; single differences do no harm.
    pub len: usize,
    /// How far before it the first copy is.
    pub distance: usize,
}

/// One gzip member that unpacks to `input`. `repeats` in order of their start; one that
/// reaches out of the input or the window is not used.
pub fn gzip(input: &[u8], repeats: &[Repeat]) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len() / 4 + 64);
    out.extend_from_slice(&HEADER);
    let mut out = deflate(out, input, repeats);
    out.extend_from_slice(&crc32fast::hash(input).to_le_bytes());
    #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32 is meant")]
    let length = input.len() as u32;
    out.extend_from_slice(&length.to_le_bytes());
    out
}

/// Appends the deflate stream of `input` to `out`.
fn deflate(out: Vec<u8>, input: &[u8], repeats: &[Repeat]) -> Vec<u8> {
    let mut encoder = Encoder {
        input,
        pos: 0,
        block_start: 0,
        search: Search::new(),
        tokens: Tokens::new(),
        blocks: BlockWriter::new(out),
    };
    for repeat in repeats {
        let end = repeat.start.saturating_add(repeat.len).min(input.len());
        let reachable = 1..=repeat.start.min(WINDOW);
        if repeat.start < end && reachable.contains(&repeat.distance) {
            encoder.ordinary_until(repeat.start);
            encoder.copy_until(end, repeat.distance);
        }
    }
    encoder.ordinary_until(input.len());
    encoder.end_block(true);
    encoder.blocks.finish()
}

struct Encoder<'a> {
    input: &'a [u8],
    /// Everything before is in tokens or written.
    pos: usize,
    block_start: usize,
    search: Search,
    tokens: Tokens,
    blocks: BlockWriter,
}

/// A difference in a repeat is followed by at least this much ordinary search.
const ORDINARY_STEP: usize = 16;
/// Shorter agreement in a repeat is left to the search, which may know better.
const LEAST_COPY: usize = 16;

impl Encoder<'_> {
    /// Searches for matches up to `end`; the last match may go beyond it.
    fn ordinary_until(&mut self, end: usize) {
        while self.pos < end {
            self.pos = self.search.run(self.input, self.pos..end, &mut self.tokens);
            if self.tokens.is_full() {
                self.end_block(false);
            }
        }
    }

    /// Tokens up to `end` for data that stood `distance` bytes ago.
    fn copy_until(&mut self, end: usize, distance: usize) {
        while self.pos < end {
            let agreed = search::common_length(
                &self.input[self.pos - distance..],
                &self.input[self.pos..end],
            );
            if agreed >= LEAST_COPY {
                self.copy(agreed, distance);
            } else {
                self.ordinary_until(end.min(self.pos + agreed + ORDINARY_STEP));
            }
        }
    }

    fn copy(&mut self, mut len: usize, distance: usize) {
        self.search.note(self.input, self.pos..self.pos + len);
        while len > 0 {
            let step = tokens::longest_step(len);
            self.tokens.push_match(step, distance);
            self.pos += step;
            len -= step;
            if self.tokens.is_full() {
                self.end_block(false);
            }
        }
    }

    fn end_block(&mut self, last: bool) {
        let raw = &self.input[self.block_start..self.pos];
        self.blocks.write(&self.tokens, raw, last);
        self.tokens.clear();
        self.block_start = self.pos;
    }
}

/// An array of zeros that never lies on the stack. Its length being known is what
/// spares the loops a comparison for each access.
#[expect(
    clippy::unnecessary_box_returns,
    reason = "it is made on the heap so that it need not be moved there"
)]
fn zeros<T: Clone + Default, const N: usize>() -> Box<[T; N]> {
    match vec![T::default(); N].into_boxed_slice().try_into() {
        Ok(array) => array,
        Err(_) => unreachable!("the slice has the array's length"),
    }
}
