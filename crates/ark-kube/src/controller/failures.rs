//! How often each object has failed, and which invalid ones were reported.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::ControllerOptions;
use crate::backoff::Backoff;

/// Entries beyond the number of objects before those of deleted ones are dropped.
const SLACK: usize = 64;

/// The memory of a controller. Lost at a restart, which only means shorter pauses.
pub(super) struct Failures {
    first: Duration,
    longest: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    backoffs: HashMap<String, Backoff>,
    /// Name of an invalid object to the version that was reported.
    reported: HashMap<String, String>,
}

impl Failures {
    pub(super) fn new(options: &ControllerOptions) -> Self {
        Self {
            first: options.first_pause,
            longest: options.longest_pause,
            state: Mutex::default(),
        }
    }

    /// Counts a failure of the object and answers how long to leave it alone.
    pub(super) fn pause(&self, name: &str) -> Duration {
        self.lock()
            .backoffs
            .entry(name.to_owned())
            .or_insert_with(|| Backoff::new(self.first, self.longest))
            .pause()
    }

    /// The object was reconciled.
    pub(super) fn forget(&self, name: &str) {
        let mut state = self.lock();
        state.backoffs.remove(name);
        state.reported.remove(name);
    }

    /// Whether this version of an invalid object was not reported yet.
    pub(super) fn is_new(&self, meta: &ObjectMeta) -> bool {
        let name = meta.name.clone().unwrap_or_default();
        let version = meta.resource_version.clone().unwrap_or_default();
        self.lock().reported.insert(name, version.clone()) != Some(version)
    }

    /// Drops what is known of deleted objects, once it is worth the search.
    pub(super) fn forget_absent(&self, existing: usize, exists: impl Fn(&str) -> bool) {
        let mut state = self.lock();
        if state.backoffs.len().max(state.reported.len()) > existing + SLACK {
            state.backoffs.retain(|name, _| exists(name));
            state.reported.retain(|name, _| exists(name));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counters stay counters whatever panicked beside them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures() -> Failures {
        Failures::new(&ControllerOptions {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(8),
            ..ControllerOptions::default()
        })
    }

    #[test]
    fn each_object_has_a_pause_of_its_own_until_it_succeeds() {
        let failures = failures();
        for _ in 0..5 {
            failures.pause("a");
        }
        assert!(failures.pause("a") >= Duration::from_secs(4));
        assert!(failures.pause("b") <= Duration::from_secs(1));
        failures.forget("a");
        assert!(failures.pause("a") <= Duration::from_secs(1));
    }

    #[test]
    fn an_invalid_version_is_new_once() {
        let failures = failures();
        let meta = |version: &str| ObjectMeta {
            name: Some("a".to_owned()),
            resource_version: Some(version.to_owned()),
            ..ObjectMeta::default()
        };
        assert!(failures.is_new(&meta("1")));
        assert!(!failures.is_new(&meta("1")));
        assert!(failures.is_new(&meta("2")));
    }

    #[test]
    fn memory_of_deleted_objects_is_bounded() {
        let failures = failures();
        for index in 0..=SLACK {
            failures.pause(&index.to_string());
        }
        failures.forget_absent(0, |name| name == "3");
        assert_eq!(failures.lock().backoffs.len(), 1);
    }
}
