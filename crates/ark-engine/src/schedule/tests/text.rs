//! Texts of schedules: those that are read, the moments they stand for, and
//! those that are refused.

use jiff::SignedDuration;

use super::moment;
use crate::schedule::Timetable;

/// Checks the moments that follow one another.
fn moments(text: &str, after: &str, expected: &[&str]) {
    let timetable = Timetable::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut at = moment(after);
    for expected in expected {
        at = timetable.next(at).unwrap();
        assert_eq!(at, moment(expected), "`{text}` after {after}");
    }
}

#[test]
fn fields_have_lists_ranges_steps_and_names() {
    let noon = "2026-07-08T12:00:00Z"; // a Wednesday
    moments(
        "*/15 * * * *",
        noon,
        &["2026-07-08T12:15:00Z", "2026-07-08T12:30:00Z"],
    );
    moments(
        "5/25 1,13-14 * * ?",
        noon,
        &[
            "2026-07-08T13:05:00Z",
            "2026-07-08T13:30:00Z",
            "2026-07-08T13:55:00Z",
            "2026-07-08T14:05:00Z",
        ],
    );
    moments(
        "0 0 1 jan,OCT *",
        noon,
        &["2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"],
    );
    moments(
        "0 2 * * Mon-Fri/2",
        noon,
        &[
            "2026-07-10T02:00:00Z",
            "2026-07-13T02:00:00Z",
            "2026-07-15T02:00:00Z",
        ],
    );
    moments("  0   3 \t * * *  ", noon, &["2026-07-09T03:00:00Z"]);
    moments(
        "0 0 29 2 *",
        noon,
        &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"],
    );
    // 2100 is no leap year.
    moments(
        "0 0 29 2 *",
        "2096-03-01T00:00:00Z",
        &["2104-02-29T00:00:00Z"],
    );
}

#[test]
fn of_two_fields_for_days_one_is_enough() {
    let start = "2026-07-01T12:00:00Z";
    moments(
        "0 0 13 * 5",
        start,
        &[
            "2026-07-03T00:00:00Z",
            "2026-07-10T00:00:00Z",
            "2026-07-13T00:00:00Z",
        ],
    );
    // `*` in one of them leaves it to the other, and so does `*/1`.
    for text in ["0 0 13 * *", "0 0 13 * ?", "0 0 13 * */1"] {
        moments(
            text,
            start,
            &["2026-07-13T00:00:00Z", "2026-08-13T00:00:00Z"],
        );
    }
    // A wider step does say something.
    moments(
        "0 0 */10 * 0",
        start,
        &["2026-07-05T00:00:00Z", "2026-07-11T00:00:00Z"],
    );
}

#[test]
fn shorthands_stand_for_expressions() {
    let start = "2026-07-08T12:34:56Z";
    for (text, next) in [
        ("@yearly", "2027-01-01T00:00:00Z"),
        ("@annually", "2027-01-01T00:00:00Z"),
        ("@monthly", "2026-08-01T00:00:00Z"),
        ("@weekly", "2026-07-12T00:00:00Z"),
        ("@daily", "2026-07-09T00:00:00Z"),
        ("@midnight", "2026-07-09T00:00:00Z"),
        ("@hourly", "2026-07-08T13:00:00Z"),
        ("@every 1h30m", "2026-07-08T14:04:56Z"),
        ("@every 1500ms", "2026-07-08T12:34:57Z"),
        ("@every 1ns", "2026-07-08T12:34:57Z"),
    ] {
        moments(text, start, &[next]);
    }
}

#[test]
fn a_time_zone_shifts_the_wall() {
    let start = "2026-07-08T12:00:00Z";
    for prefix in ["TZ", "CRON_TZ"] {
        let text = format!("{prefix}=America/New_York 0 3 * * *");
        moments(&text, start, &["2026-07-09T07:00:00Z"]);
    }
    moments("TZ=Asia/Kolkata @daily", start, &["2026-07-08T18:30:00Z"]);
    moments(
        "TZ=Asia/Kathmandu @hourly",
        start,
        &["2026-07-08T12:15:00Z"],
    );
    for utc in ["UTC", "Local", "Etc/UTC"] {
        let text = format!("TZ={utc} 0 3 * * *");
        moments(&text, start, &["2026-07-09T03:00:00Z"]);
    }
}

/// The cases that robfig/cron holds itself to, for New York in 2012.
#[test]
fn clock_changes_are_as_the_wall_shows_them() {
    let spring = |fields: &str, after: &str, expected: &[&str]| {
        moments(&format!("TZ=America/New_York {fields}"), after, expected);
    };
    // The hour from 2 to 3 does not exist: hours go on, a job in it waits a day.
    spring(
        "0 * * * *",
        "2012-03-11T00:00:00-05:00",
        &[
            "2012-03-11T01:00:00-05:00",
            "2012-03-11T03:00:00-04:00",
            "2012-03-11T04:00:00-04:00",
        ],
    );
    spring(
        "0 1 * * *",
        "2012-03-11T00:00:00-05:00",
        &["2012-03-11T01:00:00-05:00", "2012-03-12T01:00:00-04:00"],
    );
    spring(
        "0 2 * * *",
        "2012-03-11T00:00:00-05:00",
        &["2012-03-12T02:00:00-04:00"],
    );
    spring(
        "30 2 11 mar ?",
        "2012-03-11T00:00:00-05:00",
        &["2013-03-11T02:30:00-04:00"],
    );
    // The hour from 1 to 2 comes twice.
    spring(
        "0 * * * *",
        "2012-11-04T00:00:00-04:00",
        &[
            "2012-11-04T01:00:00-04:00",
            "2012-11-04T01:00:00-05:00",
            "2012-11-04T02:00:00-05:00",
        ],
    );
    spring(
        "0 1 * * *",
        "2012-11-04T00:00:00-04:00",
        &[
            "2012-11-04T01:00:00-04:00",
            "2012-11-04T01:00:00-05:00",
            "2012-11-05T01:00:00-05:00",
        ],
    );
    spring(
        "30 1 04 Nov ?",
        "2012-11-04T01:45:00-04:00",
        &["2012-11-04T01:30:00-05:00"],
    );
    // Where clocks go back at midnight, an evening comes twice.
    moments(
        "TZ=America/Sao_Paulo 30 23 * * *",
        "2018-02-17T12:00:00Z",
        &[
            "2018-02-17T23:30:00-02:00",
            "2018-02-17T23:30:00-03:00",
            "2018-02-18T23:30:00-03:00",
        ],
    );
}

#[test]
fn intervals_are_those_between_the_next_two_moments() {
    let now = moment("2026-07-08T12:00:00Z");
    for (text, hours) in [
        ("@hourly", 1),
        ("@every 90h", 90),
        ("0 */6 * * *", 6),
        ("@weekly", 168),
    ] {
        let interval = Timetable::parse(text).unwrap().interval(now);
        assert_eq!(interval, Some(SignedDuration::from_hours(hours)), "{text}");
    }
}

#[test]
fn what_velero_refuses_is_refused_with_a_reason() {
    let reasons: Vec<String> = [
        "",
        "   ",
        "* * * *",
        "0 0 3 * * *",
        "* * * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 7",
        "5-1 * * * *",
        "*/0 * * * *",
        "1-2-3 * * * *",
        "1/2/3 * * * *",
        "-5 * * * *",
        "x * * * *",
        "* * * mon *",
        "* * L * *",
        "* * * * 5#2",
        "* * 15W * *",
        "99999999999999999999 * * * *",
        "0 0 30 2 *",
        "0 0 31 4,6,9,11 *",
        "@fortnightly",
        "@every",
        "@every 1d",
        "@every -1h",
        "@every 0s",
        "TZ=Mars/Olympus 0 3 * * *",
        "TZ=UTC",
    ]
    .iter()
    .map(|text| match Timetable::parse(text) {
        Ok(table) => panic!("`{text}` was read as {table:?}"),
        Err(reason) => format!("`{text}`: {reason}"),
    })
    .collect();
    insta::assert_yaml_snapshot!(reasons);
}
