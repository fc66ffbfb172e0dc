//! Quantities as Kubernetes writes them (`10Gi`, `1.5G`, `100m`, `1e3`), and
//! ranges of them. Exact: no floating point.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// A quantity, in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quantity(i128);

/// Billionths of one.
const ONE: i128 = 1_000_000_000;
/// Suffixes and what one of them is worth, in billionths.
const SUFFIXES: &[(&str, i128)] = &[
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("", ONE),
    ("k", ONE * 1_000),
    ("M", ONE * 1_000_000),
    ("G", ONE * 1_000_000_000),
    ("T", ONE * 1_000_000_000_000),
    ("P", ONE * 1_000_000_000_000_000),
    ("E", ONE * 1_000_000_000_000_000_000),
    ("Ki", ONE << 10),
    ("Mi", ONE << 20),
    ("Gi", ONE << 30),
    ("Ti", ONE << 40),
    ("Pi", ONE << 50),
    ("Ei", ONE << 60),
];

impl Quantity {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '+' && c != '-')
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at(digits);
        let unit = unit(suffix)?;
        let (sign, number) = match number.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if !(whole.bytes().chain(fraction.bytes())).all(|c| c.is_ascii_digit()) {
            return None;
        }
        let places = u32::try_from(fraction.len()).ok()?;
        let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = 10_i128.checked_pow(places)?;
        let value = mantissa.checked_mul(unit)?;
        // What is smaller than a billionth is rounded up, as the API does.
        Some(Self(sign * ((value + scale - 1) / scale)))
    }

    /// So many bytes.
    pub(crate) fn of_bytes(bytes: i64) -> Self {
        Self(i128::from(bytes) * ONE)
    }

    fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// In whole units of the largest binary suffix that fits; without one where none does.
/// Fractions of one are rounded up.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(name, worth): &&(&str, i128)| name.ends_with('i') && self.0 % worth == 0;
        let largest = SUFFIXES.iter().rev().find(fits).filter(|_| !self.is_zero());
        match largest {
            Some((name, worth)) => write!(f, "{}{name}", self.0 / worth),
            None => write!(f, "{}", (self.0 + ONE - 1).div_euclid(ONE)),
        }
    }
}

/// Raises a request for storage, so that a volume that is made of a snapshot is not
/// smaller than that.
pub(crate) fn raise(request: &mut Value, bytes: i64) {
    let has = request.as_str().and_then(Quantity::parse);
    let needed = Quantity::of_bytes(bytes);
    if has.is_some_and(|has| has < needed) {
        *request = needed.to_string().into();
    }
}

fn unit(suffix: &str) -> Option<i128> {
    if let Some((_, worth)) = SUFFIXES.iter().find(|(name, _)| *name == suffix) {
        return Some(*worth);
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
    if exponent < 0 {
        Some(ONE / power).filter(|worth| *worth > 0)
    } else {
        ONE.checked_mul(power)
    }
}

/// From one quantity to another, both included; an end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Range {
    low: Quantity,
    high: Option<Quantity>,
}

impl Range {
    pub(crate) fn holds(self, quantity: Quantity) -> bool {
        quantity >= self.low && self.high.is_none_or(|high| quantity <= high)
    }
}

impl TryFrom<String> for Range {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let Some((low, high)) = text.split_once(',') else {
            return Err(format!(
                "capacity `{text}` is no range: write `LOW,HIGH`, where either may be missing"
            ));
        };
        let end = |part: &str| match part.trim() {
            "" => Ok(None),
            part => Quantity::parse(part)
                .map(Some)
                .ok_or_else(|| format!("capacity `{text}`: `{part}` is no quantity such as 10Gi")),
        };
        let (low, high) = (end(low)?, end(high)?.filter(|high| !high.is_zero()));
        let low = low.unwrap_or(Quantity(0));
        if high.is_some_and(|high| high < low) {
            return Err(format!("capacity `{text}` ends before it begins"));
        }
        Ok(Self { low, high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_exactly() {
        let value = |text: &str| Quantity::parse(text).map(|quantity| quantity.0);
        assert_eq!(value("1Gi"), Some(ONE << 30));
        assert_eq!(value("1.5Gi"), Some((ONE << 30) * 3 / 2));
        assert_eq!(value("1E"), Some(ONE * 1_000_000_000_000_000_000));
        assert_eq!(value("1E3"), value("1k"));
        assert_eq!(value("1e-3"), value("1m"));
        assert_eq!(value("0.0000000001"), Some(1));
        assert_eq!(value("-1"), Some(-ONE));
        for bad in ["", "Gi", ".", "1 Gi", "1gi", "ten", "1.2.3", "1e", "--1"] {
            assert_eq!(value(bad), None, "{bad}");
        }
    }

    #[test]
    fn both_ends_of_a_range_belong_to_it_and_may_be_open() {
        let holds = |range: &str, quantity: &str| {
            Range::try_from(range.to_owned())
                .unwrap()
                .holds(Quantity::parse(quantity).unwrap())
        };
        assert!(holds("1Gi,2Gi", "1Gi") && holds("1Gi,2Gi", "2048Mi"));
        assert!(!holds("1Gi,2Gi", "1023Mi") && !holds("1Gi,2Gi", "2049Mi"));
        assert!(holds(",2Gi", "0") && holds("1Gi,", "1Ei") && holds("0,0", "5"));
        for bad in ["1Gi", "2Gi,1Gi", "a,b", "1Gi,2Gi,3Gi"] {
            assert!(Range::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
