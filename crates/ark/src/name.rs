//! Names that the command line makes up.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `<base>-<yyyymmddhhmmss>` in the time zone of the machine.
pub fn timestamped(base: &str, now: Timestamp) -> String {
    format!(
        "{base}-{}",
        now.to_zoned(TimeZone::system()).strftime("%Y%m%d%H%M%S")
    )
}

/// A random identifier in the form of a UUID, for objects that no API server
/// gives one.
pub fn uid() -> String {
    // The standard library seeds these from the system's randomness.
    let word = || RandomState::new().build_hasher().finish();
    let (high, low) = (word(), word());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_names_have_the_expected_form() {
        let name = timestamped("nightly", Timestamp::UNIX_EPOCH);
        let digits = name.strip_prefix("nightly-").unwrap();
        assert!(
            digits.len() == 14 && digits.bytes().all(|b| b.is_ascii_digit()),
            "{name}"
        );
        assert_eq!(uid().len(), 36);
        assert_ne!(uid(), uid());
    }
}
