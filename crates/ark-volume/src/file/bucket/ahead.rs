//! Parts of packs that were read in one call, for the chunks that are in them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustic_core::Id;

/// A part of a pack: where it begins, and its bytes.
type Part = (u32, Bytes);

/// Parts that are at hand.
#[derive(Debug, Default)]
pub(super) struct Ahead(Mutex<HashMap<Id, Vec<Part>>>);

/// A part is at hand while this lives.
pub(in crate::file) struct Window<'a> {
    ahead: &'a Ahead,
    pack: Id,
    start: u32,
}

impl Ahead {
    pub(super) fn keep(&self, pack: Id, start: u32, bytes: Bytes) -> Window<'_> {
        let ahead = self;
        self.parts().entry(pack).or_default().push((start, bytes));
        Window { ahead, pack, start }
    }

    pub(super) fn find(&self, pack: &Id, offset: u32, length: u32) -> Option<Bytes> {
        let parts = self.parts();
        parts.get(pack)?.iter().find_map(|(start, bytes)| {
            let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
            let to = from.checked_add(usize::try_from(length).ok()?)?;
            (to <= bytes.len()).then(|| bytes.slice(from..to))
        })
    }

    fn parts(&self) -> MutexGuard<'_, HashMap<Id, Vec<Part>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        let mut packs = self.ahead.parts();
        if let Some(parts) = packs.get_mut(&self.pack) {
            if let Some(at) = parts.iter().position(|(start, _)| *start == self.start) {
                parts.swap_remove(at);
            }
            if parts.is_empty() {
                packs.remove(&self.pack);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_answers_for_what_is_in_it_while_it_lives() {
        let (ahead, pack) = (Ahead::default(), Id::default());
        let window = ahead.keep(pack, 100, Bytes::from_static(b"0123456789"));
        assert_eq!(ahead.find(&pack, 103, 2).as_deref(), Some(&b"34"[..]));
        assert_eq!(ahead.find(&pack, 109, 2), None, "ends outside");
        assert_eq!(ahead.find(&pack, 99, 2), None, "begins outside");
        drop(window);
        assert_eq!(ahead.find(&pack, 103, 2), None);
        assert!(ahead.parts().is_empty(), "nothing is kept");
    }
}
