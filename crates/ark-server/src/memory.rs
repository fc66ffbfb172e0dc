//! When something was last done for a location, in memory alone: after a restart
//! it is due at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ark_api::BackupStorageLocation;
use ark_api::storage_location::BackupStorageLocationSpec;
use jiff::Timestamp;

/// Specs of locations by name, with the time when something was done for them.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<BTreeMap<String, (BackupStorageLocationSpec, Timestamp)>>);

/// When something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// At once: never done, done for another spec, or long ago.
    Now,
    /// After this long.
    In(Duration),
    /// Not again, unless the spec changes.
    Never,
}

impl Memory {
    /// When it is due for a location; a `period` of zero means once.
    pub(crate) fn due(
        &self,
        location: &BackupStorageLocation,
        period: Duration,
        now: Timestamp,
    ) -> Due {
        let name = location.metadata.name.as_deref().unwrap_or_default();
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((spec, done)) = entries.get(name) else {
            return Due::Now;
        };
        if *spec != location.spec {
            return Due::Now;
        }
        if period.is_zero() {
            return Due::Never;
        }
        // A clock that was set back makes it due, too.
        match Duration::try_from(now.duration_since(*done)) {
            Ok(elapsed) if elapsed < period => Due::In(period.saturating_sub(elapsed)),
            _ => Due::Now,
        }
    }

    /// It was done.
    pub(crate) fn done(&self, location: &BackupStorageLocation, now: Timestamp) {
        let name = location.metadata.name.clone().unwrap_or_default();
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.insert(name, (location.spec.clone(), now));
    }

    /// Forgets locations that are not among `names`; answers those.
    pub(crate) fn forget_absent(&self, names: &[&str]) -> Vec<String> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<String> = entries
            .keys()
            .filter(|name| !names.contains(&name.as_str()))
            .cloned()
            .collect();
        for name in &gone {
            entries.remove(name);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_by_time_and_by_change() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let minute = Duration::from_mins(1);
        let memory = Memory::default();
        let mut location = BackupStorageLocation::default();
        location.metadata.name = Some("main".to_owned());
        assert_eq!(memory.due(&location, minute, at(0)), Due::Now);
        memory.done(&location, at(0));
        assert_eq!(
            memory.due(&location, minute, at(15)),
            Due::In(Duration::from_secs(45))
        );
        assert_eq!(memory.due(&location, minute, at(60)), Due::Now);
        assert_eq!(memory.due(&location, minute, at(-5)), Due::Now);
        assert_eq!(memory.due(&location, Duration::ZERO, at(900)), Due::Never);
        location.spec.default = true;
        assert_eq!(memory.due(&location, Duration::ZERO, at(1)), Due::Now);
        assert_eq!(memory.forget_absent(&["main"]), Vec::<String>::new());
        assert_eq!(memory.forget_absent(&[]), ["main"]);
        assert_eq!(memory.due(&location, minute, at(1)), Due::Now);
    }
}
