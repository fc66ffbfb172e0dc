//! Which controllers do not run, by the names that Velero's server gives them.

use std::collections::BTreeSet;

/// Every controller that can be switched off. Some of Velero's have no part of
/// their own here: what they do belongs to the job of the backup or restore.
const NAMES: [&str; 14] = [
    "backup",
    "backup-deletion",
    "backup-finalizer",
    "backup-operations",
    "backup-queue",
    "backup-repo",
    "backup-sync",
    "download-request",
    "gc",
    "restore",
    "restore-finalizer",
    "restore-operations",
    "schedule",
    "server-status-request",
];

/// What a server that only restores does without.
const NOT_FOR_RESTORES: [&str; 6] = [
    "backup",
    "backup-deletion",
    "backup-finalizer",
    "backup-operations",
    "gc",
    "schedule",
];

/// Controllers that do not run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DisabledControllers(BTreeSet<&'static str>);

/// Names that are no controller's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no controller {}; the controllers are {}", quoted(.0), NAMES.join(", "))]
pub struct UnknownControllers(Vec<String>);

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

impl DisabledControllers {
    /// Reads names; empty ones do not count.
    ///
    /// # Errors
    /// [`UnknownControllers`] with all that are not known.
    pub fn parse(names: &[String]) -> Result<Self, UnknownControllers> {
        let mut unknown = Vec::new();
        let mut disabled = BTreeSet::new();
        for name in names.iter().map(|name| name.trim()) {
            match NAMES.iter().find(|known| **known == name) {
                Some(known) => {
                    disabled.insert(*known);
                }
                None if name.is_empty() => {}
                None => unknown.push(name.to_owned()),
            }
        }
        if unknown.is_empty() {
            Ok(Self(disabled))
        } else {
            Err(UnknownControllers(unknown))
        }
    }

    /// Adds all that a server does without that only restores.
    #[must_use]
    pub fn restore_only(mut self) -> Self {
        self.0.extend(NOT_FOR_RESTORES);
        self
    }

    /// Whether a controller does not run.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_unknown_names_are_told_with_the_known_ones() {
        let names = ["gc", " backup-sync", "", "backups", "x"].map(ToOwned::to_owned);
        let error = DisabledControllers::parse(&names).unwrap_err().to_string();
        assert!(error.contains("`backups`, `x`"), "{error}");
        assert!(NAMES.iter().all(|name| error.contains(name)), "{error}");
        let disabled = DisabledControllers::parse(&names[..3]).unwrap();
        assert!(disabled.contains("gc") && disabled.contains("backup-sync"));
        assert!(!disabled.contains("backup"));
    }

    #[test]
    fn a_server_that_only_restores_still_syncs_and_answers() {
        let disabled = DisabledControllers::default().restore_only();
        for name in ["backup", "backup-deletion", "gc", "schedule"] {
            assert!(disabled.contains(name), "{name}");
        }
        for name in ["restore", "backup-sync", "download-request", "backup-queue"] {
            assert!(!disabled.contains(name), "{name}");
        }
    }
}
