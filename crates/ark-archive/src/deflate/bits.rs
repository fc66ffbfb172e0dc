//! Bits in deflate's order: the first one is the lowest of the first byte.

/// Appends bits to a vector that is grown ahead of them.
#[derive(Debug)]
pub(super) struct BitWriter {
    out: Vec<u8>,
    /// Bytes of `out` that are written; what follows is room.
    len: usize,
    bits: u64,
    /// How many of `bits` count. Below 8 between calls.
    count: u32,
}

impl BitWriter {
    /// Goes on after the bytes in `out`.
    pub(super) fn new(out: Vec<u8>) -> Self {
        Self {
            len: out.len(),
            out,
            bits: 0,
            count: 0,
        }
    }

    /// Makes room for as many bits, so that putting them is a store each.
    pub(super) fn reserve(&mut self, bits: u64) {
        let bytes = usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX);
        // A store writes eight bytes, of which the last seven may be room.
        let wanted = self.len.saturating_add(bytes).saturating_add(16);
        if wanted > self.out.len() {
            self.out.resize(wanted, 0);
        }
    }

    /// Writes the lowest `count` bits of `bits`, at most 56; those above are 0.
    #[inline]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.bits |= bits << self.count;
        self.count += count;
        if let Some(room) = self.out.get_mut(self.len..self.len + 8) {
            room.copy_from_slice(&self.bits.to_le_bytes());
        } else {
            debug_assert!(false, "reserved too little");
        }
        let whole = self.count / 8;
        self.len += whole as usize;
        self.bits >>= whole * 8;
        self.count &= 7;
    }

    /// Fills the byte begun with zeros.
    pub(super) fn align(&mut self) {
        if self.count > 0 {
            self.reserve(8);
            self.put(0, 8 - self.count);
        }
    }

    /// How many bits the byte begun holds.
    pub(super) fn pending(&self) -> u32 {
        self.count
    }

    /// Appends bytes. Only after [`BitWriter::align`].
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.out.truncate(self.len);
        self.out.extend_from_slice(bytes);
        self.len = self.out.len();
    }

    /// What was written, filled up to a whole byte.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.align();
        self.out.truncate(self.len);
        self.out
    }
}
