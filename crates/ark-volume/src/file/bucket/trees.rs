//! Packs of directories that were read last, as wholes: each holds hundreds of
//! directories, and who needs one needs its neighbours.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use rustic_core::{Id, RusticResult};

/// Larger packs are not read as wholes. Ark's have 4 MiB, restic's 16.
pub(super) const LARGEST_PACK: u64 = 20 << 20;
/// Bytes that are kept.
const KEPT: usize = 32 << 20;

/// The packs, the last used first.
#[derive(Debug, Default)]
pub(super) struct TreePacks(Mutex<VecDeque<(Id, Bytes)>>);

impl TreePacks {
    /// A part of a pack; `fetch` reads the pack, unless it is too large for that.
    ///
    /// Others wait meanwhile: they want the same pack more often than not.
    pub(super) fn find(
        &self,
        pack: &Id,
        offset: u32,
        length: u32,
        fetch: impl FnOnce() -> RusticResult<Option<Bytes>>,
    ) -> RusticResult<Option<Bytes>> {
        let mut packs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = packs.iter().position(|(id, _)| id == pack);
        let bytes = match found.and_then(|at| packs.remove(at)) {
            Some((_, bytes)) => bytes,
            None => match fetch()? {
                Some(bytes) => bytes,
                None => return Ok(None),
            },
        };
        packs.push_front((*pack, bytes.clone()));
        while packs.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > KEPT {
            packs.pop_back();
        }
        let range = usize::try_from(offset)
            .ok()
            .zip(usize::try_from(length).ok());
        Ok(range
            .and_then(|(from, length)| Some(from..from.checked_add(length)?))
            .filter(|range| range.end <= bytes.len())
            .map(|range| bytes.slice(range)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packs_that_were_used_last_are_kept() -> RusticResult<()> {
        let packs = TreePacks::default();
        let ids: Vec<Id> = (0..4)
            .map(|n| format!("{n:064}").parse())
            .collect::<Result<_, _>>()?;
        let mut fetched = Vec::new();
        let mut read = |n: usize| {
            packs.find(&ids[n], 2, 3, || {
                fetched.push(n);
                Ok(Some(vec![b'0'; KEPT / 3].into()))
            })
        };
        for n in [0, 1, 2, 0, 3, 0, 1] {
            assert_eq!(read(n)?.as_deref(), Some(&b"000"[..]));
        }
        assert_eq!(
            fetched,
            [0, 1, 2, 3, 1],
            "pack 1 was used longest ago when 3 came"
        );
        Ok(())
    }
}
