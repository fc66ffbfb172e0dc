//! Quantities for people: times, spans, sizes, counts. The one formatter.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What stands where a time is not known.
pub const NO_TIME: &str = "n/a";

/// A span in at most two units, as kubectl writes ages: `45s`, `3m20s`, `5h`, `29d`.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |first: u64, unit: &str, second: u64, small: &str| {
        if second == 0 {
            format!("{first}{unit}")
        } else {
            format!("{first}{unit}{second}{small}")
        }
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if days < 730 => format!("{days}d"),
        () if days < 2920 => two(days / 365, "y", days % 365, "d"),
        () => format!("{}y", days / 365),
    }
}

/// How far a time is away: `29d`, or `3h ago` when it is past.
pub fn from_now(time: Timestamp, now: Timestamp) -> String {
    let distance = span(time.duration_since(now).unsigned_abs());
    if time < now {
        format!("{distance} ago")
    } else {
        distance
    }
}

/// The age of something, `<unknown>` when its time is not known.
pub fn age(time: Option<Timestamp>, now: Timestamp) -> String {
    time.map_or_else(
        || "<unknown>".to_owned(),
        |time| span(now.duration_since(time).try_into().unwrap_or_default()),
    )
}

/// A point in time in the time zone of the machine: `2026-03-01 12:30:00 +0100 CET`.
pub fn time(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S %z %Z")
        .to_string()
}

/// A point in time, or [`NO_TIME`].
pub fn time_or_none(at: Option<Timestamp>) -> String {
    at.map_or_else(|| NO_TIME.to_owned(), time)
}

/// A size: `512 B`, `1.5 MiB`.
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" {
        format!("{count} B")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// A count with its digits in groups: `20,000`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 error`, `3 errors`, `no errors`.
pub fn counted(number: u64, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", count(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_kubectls() {
        let of = |seconds| span(Duration::from_secs(seconds));
        assert_eq!(of(119), "119s");
        assert_eq!(of(200), "3m20s");
        assert_eq!(of(600), "10m");
        assert_eq!(of(3 * 3600 + 60), "3h1m");
        assert_eq!(of(47 * 3600), "47h");
        assert_eq!(of(2 * 86_400), "2d");
        assert_eq!(of(30 * 86_400), "30d");
        assert_eq!(of(800 * 86_400), "2y70d");
        assert_eq!(of(4000 * 86_400), "10y");
    }

    #[test]
    fn what_is_past_says_so() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(from_now(at(1_000_000 + 29 * 86_400), now), "29d");
        assert_eq!(from_now(at(1_000_000 - 60), now), "60s ago");
        assert_eq!(age(Some(at(1_000_030)), now), "0s");
    }

    #[test]
    fn sizes_and_counts() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_572_864), "1.5 MiB");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "error"), "1 error");
        assert_eq!(counted(2000, "warning"), "2,000 warnings");
    }
}
