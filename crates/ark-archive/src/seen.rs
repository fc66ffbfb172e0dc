//! Remembers which paths came by, in 16 bytes each, however long they are.
//!
//! Two keyed 64-bit hashes stand for a path. The keys are random per process,
//! so nobody can prepare paths that collide, and by chance two of ten million
//! paths do so once in 10^24 archives.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// The set of paths seen so far.
#[derive(Debug, Default)]
pub(crate) struct SeenPaths {
    first: RandomState,
    second: RandomState,
    hashes: HashSet<u128, BuildHasherDefault<AlreadyHashed>>,
}

impl SeenPaths {
    /// Adds a path; false when it was there before.
    pub(crate) fn insert(&mut self, path: &str) -> bool {
        let high = u128::from(self.first.hash_one(path));
        let low = u128::from(self.second.hash_one(path));
        self.hashes.insert(high << 64 | low)
    }
}

/// Takes the value as its own hash.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_new_from_seen() {
        let mut seen = SeenPaths::default();
        assert!(seen.insert("a"));
        assert!(seen.insert("b"));
        assert!(!seen.insert("a"));
    }
}
