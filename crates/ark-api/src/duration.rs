//! Durations as Go writes them (`720h0m0s`, `1m30s`, `0s`).
//!
//! Reading accepts what Go's `time.ParseDuration` accepts and nothing more, so
//! that a value taken here is never one that a Go client chokes on.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Nanoseconds in a second.
const SECOND: u64 = 1_000_000_000;
/// One more than the largest number of nanoseconds, and the size of the smallest.
const LIMIT: u64 = 1 << 63;

/// A span of time in nanoseconds, at most about 292 years, maybe negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(i64);

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not a sequence of numbers with units.
    #[error("{0:?} is not a duration such as 1h30m or 720h")]
    Syntax(String),
    /// A number without a unit behind it.
    #[error("{0:?} has a number without a unit (ns, us, ms, s, m or h)")]
    NoUnit(String),
    /// A unit that does not exist; days and longer have none.
    #[error("{text:?} has the unknown unit {unit:?} (known are ns, us, ms, s, m and h)")]
    Unit {
        /// The whole text.
        text: String,
        /// The unknown unit in it.
        unit: String,
    },
    /// More than fits.
    #[error("{0:?} is longer than 292 years")]
    TooLong(String),
}

impl GoDuration {
    /// No time at all. In optional fields this counts as not set.
    pub const ZERO: Self = Self(0);

    /// A span of whole nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A span of whole seconds; what does not fit becomes the longest span.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// The span in nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// True for no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The span for use with clocks; negative spans become zero.
    pub fn to_std(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }

    /// The value of an optional field. Go clients cannot leave out a duration
    /// and write `0s` instead, so zero is taken for absent.
    pub fn or_default(value: Option<Self>, default: Duration) -> Duration {
        value
            .filter(|value| !value.is_zero())
            .map_or(default, Self::to_std)
    }
}

impl From<Duration> for GoDuration {
    /// What does not fit becomes the longest span.
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if digits == "0" {
            return Ok(Self::ZERO);
        }
        if digits.is_empty() {
            return Err(DurationError::Syntax(text.to_owned()));
        }
        let mut total: u64 = 0;
        let mut rest = digits;
        while !rest.is_empty() {
            let (nanos, behind) = element(text, rest)?;
            total = total
                .checked_add(nanos)
                .filter(|total| *total <= LIMIT)
                .ok_or_else(|| DurationError::TooLong(text.to_owned()))?;
            rest = behind;
        }
        let nanos = if negative {
            -i128::from(total)
        } else {
            i128::from(total)
        };
        i64::try_from(nanos)
            .map(Self)
            .map_err(|_| DurationError::TooLong(text.to_owned()))
    }
}

/// Reads one number with its unit from the front of `rest`; returns nanoseconds
/// and what is left.
fn element<'a>(text: &str, rest: &'a str) -> Result<(u64, &'a str), DurationError> {
    let too_long = || DurationError::TooLong(text.to_owned());
    let (whole, rest) = split_digits(rest);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::Syntax(text.to_owned()));
    }
    let end = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    let size = match unit {
        "" => return Err(DurationError::NoUnit(text.to_owned())),
        "ns" => 1,
        // Both characters that look like this are in use: the sign for micro
        // and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        _ => {
            return Err(DurationError::Unit {
                text: text.to_owned(),
                unit: unit.to_owned(),
            });
        }
    };
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| too_long())?
    };
    let nanos = whole
        .checked_mul(size)
        .and_then(|nanos| nanos.checked_add(part_of(size, fraction)))
        .filter(|nanos| *nanos <= LIMIT)
        .ok_or_else(too_long)?;
    Ok((nanos, rest))
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

/// The nanoseconds of a decimal fraction of a unit. In floating point, because
/// Go does it so and both sides must come to the same number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product is at least 0 and at most the unit's size"
)]
fn part_of(size: u64, digits: &str) -> u64 {
    let (mut value, mut scale) = (0_u64, 1.0_f64);
    for digit in digits.bytes() {
        let Some(next) = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(digit - b'0')))
            .filter(|next| *next <= LIMIT)
        else {
            break;
        };
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (size as f64 / scale)) as u64
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let text = match nanos {
            0 => "0s".to_owned(),
            1..1_000 => format!("{sign}{nanos}ns"),
            1_000..1_000_000 => format!("{sign}{}\u{b5}s", decimal(nanos, 3)),
            1_000_000..SECOND => format!("{sign}{}ms", decimal(nanos, 6)),
            _ => {
                let (minutes, below) = (nanos / (60 * SECOND), nanos % (60 * SECOND));
                let seconds = decimal(below, 9);
                match (minutes / 60, minutes % 60) {
                    (0, 0) => format!("{sign}{seconds}s"),
                    (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                    (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
                }
            }
        };
        f.pad(&text)
    }
}

/// `value` divided by ten to the power of `places`, without trailing zeros.
fn decimal(value: u64, places: usize) -> String {
    let digits = format!("{value:0width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for GoDuration {
    fn schema_name() -> Cow<'static, str> {
        "GoDuration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests;
