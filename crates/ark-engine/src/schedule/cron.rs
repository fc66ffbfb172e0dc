//! Cron expressions with five fields, and the moments that they stand for.
//!
//! The grammar and the moments are those of robfig/cron's `ParseStandard`, which
//! Velero reads schedules with: what is refused there is refused here, and a
//! schedule runs at the same moments under both. That is narrower than what cron
//! libraries accept (no seconds, years, `L`, `W`, `#`, nor 7 for Sunday), and its
//! rule about clock changes is its own: a moment counts when the clock on the
//! wall shows it. What falls into the gap in spring is left out, and what the
//! clock shows twice in autumn happens twice.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Leap days lie up to eight years apart; what does not come in nine never does.
const HORIZON: SignedDuration = SignedDuration::from_hours(9 * 366 * 24);

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{part}` in the field for {field}: {reason}")]
pub struct FieldError {
    field: &'static str,
    part: String,
    reason: String,
}

/// A field: what it is called, its least and greatest value, names of values
/// from the least one on.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field::new("minutes", 0, 59, &[]),
    Field::new("hours", 0, 23, &[]),
    Field::new("days of the month", 1, 31, &[]),
    Field::new("months", 1, 12, MONTHS),
    Field::new("days of the week", 0, 6, WEEKDAYS),
];

/// Values as bits, and whether the field leaves all of them open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Values {
    bits: u64,
    open: bool,
}

/// A parsed expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: Values,
    hours: Values,
    days: Values,
    months: Values,
    weekdays: Values,
}

impl Cron {
    /// Reads the five fields.
    pub(super) fn parse(fields: [&str; 5]) -> Result<Self, FieldError> {
        let [minutes, hours, days, months, weekdays] =
            [0, 1, 2, 3, 4].map(|index: usize| FIELDS[index].parse(fields[index]));
        Ok(Self {
            minutes: minutes?,
            hours: hours?,
            days: days?,
            months: months?,
            weekdays: weekdays?,
        })
    }

    /// The first moment after `after`, `None` when there is none in sight.
    ///
    /// Walks along the moments and leaps over what cannot match, never beyond the
    /// next change of the zone's offset: between two changes the wall's clock is
    /// plain arithmetic, and so no change needs a rule of its own.
    pub(super) fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let end = after.checked_add(HORIZON).unwrap_or(Timestamp::MAX);
        let mut at = after.checked_add(SignedDuration::from_nanos(1)).ok()?;
        let mut change = next_change(zone, at);
        while at <= end {
            if at >= change {
                change = next_change(zone, at);
            }
            let offset = zone.to_offset(at);
            let Some(target) = self.leap(offset.to_datetime(at))? else {
                return Some(at);
            };
            at = offset.to_timestamp(target).ok()?.min(change);
        }
        None
    }

    /// The next wall time that may match when this one does not; `None` inside
    /// when it does, and outside when the calendar ends.
    #[expect(
        clippy::option_option,
        reason = "lets `next` end with the calendar by `?`"
    )]
    fn leap(&self, wall: DateTime) -> Option<Option<DateTime>> {
        let date = wall.date();
        let later = if !self.months.has(date.month()) {
            let next = date.last_of_month().tomorrow().ok()?;
            next.to_datetime(Time::midnight())
        } else if !self.has_day(date) {
            date.tomorrow().ok()?.to_datetime(Time::midnight())
        } else if !self.hours.has(wall.hour()) {
            let hour = date.at(wall.hour(), 0, 0, 0);
            hour.checked_add(SignedDuration::from_hours(1)).ok()?
        } else if !self.minutes.has(wall.minute())
            || wall.second() != 0
            || wall.subsec_nanosecond() != 0
        {
            let minute = date.at(wall.hour(), wall.minute(), 0, 0);
            minute.checked_add(SignedDuration::from_mins(1)).ok()?
        } else {
            return Some(None);
        };
        Some(Some(later))
    }

    /// Where both fields for days say something, one of them is enough.
    fn has_day(&self, date: Date) -> bool {
        let in_month = self.days.has(date.day());
        let in_week = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        if self.days.open || self.weekdays.open {
            in_month && in_week
        } else {
            in_month || in_week
        }
    }
}

fn next_change(zone: &TimeZone, at: Timestamp) -> Timestamp {
    let following = zone.following(at).next();
    following.map_or(Timestamp::MAX, |change| change.timestamp())
}

impl Values {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.bits & (1 << value) != 0)
    }
}

impl Field {
    const fn new(name: &'static str, least: u8, most: u8, names: &'static [&'static str]) -> Self {
        Self {
            name,
            least,
            most,
            names,
        }
    }

    fn parse(&self, text: &str) -> Result<Values, FieldError> {
        let mut all = Values::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let values = self.range(part).map_err(|reason| FieldError {
                field: self.name,
                part: part.to_owned(),
                reason,
            })?;
            all.bits |= values.bits;
            all.open |= values.open;
        }
        Ok(all)
    }

    /// `*`, `?`, `N`, `N-M`, each with `/STEP` or without.
    fn range(&self, text: &str) -> Result<Values, String> {
        let (range, step) = match text.split_once('/') {
            None => (text, None),
            Some((range, step)) => (range, Some(number(step)?)),
        };
        let (low, high) = match range.split_once('-') {
            None => (range, None),
            Some((low, high)) => (low, Some(high)),
        };
        let open = matches!(low, "*" | "?");
        let (first, last) = if open {
            (self.least, self.most)
        } else {
            let first = self.value(low)?;
            match high {
                Some(high) => (first, self.value(high)?),
                // `N/STEP` goes on to the end.
                None if step.is_some() => (first, self.most),
                None => (first, first),
            }
        };
        let step = step.unwrap_or(1);
        if step == 0 {
            return Err("a step of 0 gets nowhere".to_owned());
        }
        if first < self.least || last > self.most {
            return Err(format!("it goes from {} to {}", self.least, self.most));
        }
        if first > last {
            return Err(format!("{first} comes after {last}"));
        }
        let values = (first..=last).step_by(usize::from(step));
        Ok(Values {
            bits: values.fold(0, |bits, value| bits | 1 << value),
            open: open && step == 1,
        })
    }

    fn value(&self, text: &str) -> Result<u8, String> {
        let named = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text));
        match named.and_then(|index| u8::try_from(index).ok()) {
            Some(index) => Ok(self.least + index),
            None => number(text),
        }
    }
}

/// A number without a sign. What is far too great stays too great.
fn number(text: &str) -> Result<u8, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{text}` is not a number"));
    }
    Ok(text.parse().unwrap_or(u8::MAX))
}
