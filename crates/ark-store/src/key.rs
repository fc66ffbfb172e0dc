//! Which keys are allowed, for every backend alike: what one of them would change,
//! misread or let escape is refused before any of them sees it.

use ark_engine::port::{StoreError, StoreErrorKind};

/// Bytes of a key, as S3 bounds it.
const LONGEST: usize = 1024;

/// The start of the names of unfinished files in a directory, never of an object.
pub(crate) const UNFINISHED: &str = ".ark-unfinished-";

/// Tells what is wrong with a key.
///
/// Refused are keys that a directory would resolve elsewhere (`..`, `.`, a leading
/// `/`), that the client would change (white space around them, empty parts), and
/// that XML listings cannot carry (control characters).
pub(crate) fn check(key: &str) -> Result<(), &'static str> {
    if key.is_empty() {
        return Err("is empty");
    }
    if key.len() > LONGEST {
        return Err("is longer than 1024 bytes");
    }
    if key.trim() != key {
        return Err("has white space around it");
    }
    if key.contains('\\') {
        return Err("has a `\\`, which some servers take for a `/`");
    }
    if key.contains(char::is_control) {
        return Err("has a control character");
    }
    for part in key.split('/') {
        match part {
            "" => return Err("has an empty part: a `/` at an end, or two in a row"),
            "." | ".." => return Err("has a part `.` or `..`"),
            _ if part.starts_with(UNFINISHED) => return Err("has the name of an unfinished file"),
            _ => {}
        }
    }
    Ok(())
}

/// Like [`check`], as the store's error.
pub(crate) fn checked(operation: &'static str, key: &str) -> Result<(), StoreError> {
    check(key).map_err(|reason| refusal(operation, key, reason))
}

/// Checks what a listing starts with: a key, or the start of one, or a folder.
pub(crate) fn checked_prefix(operation: &'static str, prefix: &str) -> Result<(), StoreError> {
    let folder = prefix.strip_suffix('/').unwrap_or(prefix);
    if folder.is_empty() && prefix.len() != 1 {
        return Ok(());
    }
    check(folder).map_err(|reason| refusal(operation, prefix, reason))
}

fn refusal(operation: &'static str, key: &str, reason: &str) -> StoreError {
    StoreError {
        kind: StoreErrorKind::Config,
        operation,
        key: key.to_owned(),
        message: format!("the key {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for good in [
            "a",
            "backups/b/b.tar.gz",
            "ü/日本 x",
            "a..b/...",
            "a+b=c&d?e#f%2F",
            ".hidden",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let long = "x".repeat(1025);
        for bad in [
            "", "/a", "a/", "a//b", "..", "a/../b", "./a", " a", "a\n", "a\0b", "a\\b", &long,
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert!(check("x/.ark-unfinished-1").is_err());
    }

    #[test]
    fn prefixes() {
        for good in ["", "backups/", "backups/x", "backups/x/"] {
            assert!(checked_prefix("list", good).is_ok(), "{good}");
        }
        for bad in ["/", "//", "../", "a//"] {
            assert!(checked_prefix("list", bad).is_err(), "{bad}");
        }
    }
}
