//! Vectors of Go's parser and printer, and the property that printing and
//! reading are each other's inverse.

use proptest::prelude::*;

use super::*;

fn nanos(text: &str) -> i64 {
    text.parse::<GoDuration>().unwrap().as_nanos()
}

#[test]
fn reads_what_go_reads() {
    const S: i64 = 1_000_000_000;
    for (text, expected) in [
        ("0", 0),
        ("+0", 0),
        ("-0", 0),
        ("5s", 5 * S),
        ("30s", 30 * S),
        ("1478s", 1478 * S),
        ("-5s", -5 * S),
        ("+5s", 5 * S),
        ("5.0s", 5 * S),
        ("5.6s", 5_600_000_000),
        ("5.s", 5 * S),
        (".5s", S / 2),
        ("1.004s", 1_004_000_000),
        ("100.00100s", 100_001_000_000),
        ("10ns", 10),
        ("11us", 11_000),
        ("12\u{b5}s", 12_000),
        ("12\u{3bc}s", 12_000),
        ("13ms", 13_000_000),
        ("15m", 900 * S),
        ("720h", 2_592_000 * S),
        ("1.5h", 5400 * S),
        ("1h30m0s", 5400 * S),
        ("3h30m", 12_600 * S),
        ("10.5s4m", 250_500_000_000),
        ("-2m3.4s", -123_400_000_000),
        ("39h9m14.425s", 140_954_425_000_000),
        ("52763797000ns", 52_763_797_000),
        ("0.3333333333333333333h", 1200 * S),
        ("9007199254740993ns", (1 << 53) + 1),
        ("9223372036854775807ns", i64::MAX),
        ("9223372036s854ms775us807ns", i64::MAX),
        ("-9223372036854775808ns", i64::MIN),
        ("-9223372036854775.808us", i64::MIN),
        ("0.100000000000000000000h", 360 * S),
        ("0.830103483285477580700h", 2_988_372_539_827),
    ] {
        assert_eq!(nanos(text), expected, "{text}");
    }
}

#[test]
fn refuses_what_go_refuses() {
    for text in [
        "",
        "3",
        "-",
        "s",
        ".",
        "-.",
        ".s",
        "+.s",
        "1d",
        "1 h",
        " 1h",
        "1h ",
        "1H",
        "--1s",
        "1h-1m",
        "2m3",
        "9223372036854775810ns",
        "9223372036854775808ns",
        "-9223372036854775809ns",
        "9223372036854776us",
        "3000000h",
        "99999999999999999999999s",
        "1e3s",
    ] {
        assert!(text.parse::<GoDuration>().is_err(), "{text}");
    }
}

#[test]
fn prints_as_go_prints() {
    for (nanos, expected) in [
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1\u{b5}s"),
        (2_200_000, "2.2ms"),
        (100_000_000, "100ms"),
        (3_300_000_000, "3.3s"),
        (90_000_000_000, "1m30s"),
        (245_000_000_000, "4m5s"),
        (245_001_000_000, "4m5.001s"),
        (18_367_001_000_000, "5h6m7.001s"),
        (480_000_000_001, "8m0.000000001s"),
        (2_592_000_000_000_000, "720h0m0s"),
        (-1_000_000_000, "-1s"),
        (i64::MAX, "2562047h47m16.854775807s"),
        (i64::MIN, "-2562047h47m16.854775808s"),
    ] {
        assert_eq!(GoDuration::from_nanos(nanos).to_string(), expected);
    }
}

#[test]
fn zero_counts_as_absent() {
    let default = Duration::from_secs(7);
    assert_eq!(GoDuration::or_default(None, default), default);
    assert_eq!(
        GoDuration::or_default(Some(GoDuration::ZERO), default),
        default
    );
    assert_eq!(
        GoDuration::or_default(Some(GoDuration::from_secs(1)), default),
        Duration::from_secs(1)
    );
    assert_eq!(GoDuration::from_secs(-1).to_std(), Duration::ZERO);
}

proptest! {
    #[test]
    fn printing_and_reading_are_inverse(nanos: i64) {
        let duration = GoDuration::from_nanos(nanos);
        prop_assert_eq!(duration.to_string().parse::<GoDuration>(), Ok(duration));
        let json = serde_json::to_string(&duration).unwrap();
        prop_assert_eq!(serde_json::from_str::<GoDuration>(&json).unwrap(), duration);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[-+]?([0-9]{0,25}\\.?[0-9]{0,25}(ns|us|\u{b5}s|ms|s|m|h|d|)){0,4}") {
        if let Ok(duration) = text.parse::<GoDuration>() {
            prop_assert_eq!(duration.to_string().parse::<GoDuration>(), Ok(duration));
        }
    }
}
