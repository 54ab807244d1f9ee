//! Days and hours of any second, compared with another reader of times.

use std::time::Duration;
use std::time::SystemTime;

use proptest::prelude::*;

use super::*;

#[test]
fn days_have_their_names_and_hours() {
    let cases = [
        ("1970-01-01T00:00:00Z", 0, Weekday::Thursday, 0, (1970, 1, 1)),
        ("1970-01-04T23:59:59Z", 345_599, Weekday::Sunday, 23, (1970, 1, 4)),
        ("2000-02-29T12:30:00Z", 951_827_400, Weekday::Tuesday, 12, (2000, 2, 29)),
        ("2026-01-05T09:00:00Z", 1_767_603_600, Weekday::Monday, 9, (2026, 1, 5)),
        ("2100-03-01T00:00:00Z", 4_107_542_400, Weekday::Monday, 0, (2100, 3, 1)),
        ("9999-12-31T23:59:59Z", 253_402_300_799, Weekday::Friday, 23, (9999, 12, 31)),
    ];
    for (text, seconds, weekday, hour, day) in cases {
        let moment = Utc::at(seconds);
        assert_eq!(Utc::parse(text), Some(moment), "{text}");
        assert_eq!(
            (moment.date().weekday(), moment.hour(), moment.date().year_month_day()),
            (weekday, hour, day),
            "{text}"
        );
        assert_eq!(moment.date().to_string(), text[..10]);
        assert_eq!(moment.seconds(), seconds);
    }
    assert_eq!(Utc::at(1_767_603_600 + 1799).minute(), 29);
    assert_eq!(Date::parse("9999-12-31"), Some(LAST));
}

#[test]
fn the_last_second_that_a_number_can_say_is_a_moment_too() {
    let end = Utc::at(u64::MAX);
    assert_eq!((end.hour(), end.minute(), end.date().weekday()), (7, 0, Weekday::Thursday));
    assert_eq!(end.date().year_month_day(), (584_554_051_223, 11, 9));
    assert_eq!(end.date().to_string(), "584554051223-11-09");
}

#[test]
fn other_zones_are_reckoned_back_and_what_is_no_time_is_none() {
    for (text, same) in [
        ("2026-01-05T10:00:00+01:00", "2026-01-05T09:00:00Z"),
        ("2026-01-01T00:30:00.999+05:45", "2025-12-31T18:45:00Z"),
        ("2025-12-31T23:30:00-00:30", "2026-01-01T00:00:00Z"),
        ("1970-01-01T01:00:00+01:00", "1970-01-01T00:00:00Z"),
    ] {
        assert_eq!(Utc::parse(text).unwrap(), Utc::parse(same).unwrap(), "{text}");
    }
    for text in [
        "",
        "T",
        "2026-01-05",
        "2026-01-05T09:00Z",
        "2026-01-05T09:00:00",
        "2026-01-05 09:00:00Z",
        "2026-01-05T24:00:00Z",
        "2026-01-05T09:60:00Z",
        "2026-01-05T23:59:60Z",
        "2026-01-05T09:00:00.Z",
        "2026-01-05T09:00:00z",
        "2026-01-05T09:00:00+1:00",
        "2026-01-05T09:00:00+01",
        "2026-01-05T09:00:00+01:00Z",
        "2026-01-05T09:00:00+24:00",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "1969-12-31T23:59:59Z",
        "2026-02-30T00:00:00Z",
        "２０26-01-05T09:00:00Z",
        "2026-01-05T0é:00:00Z",
        "-026-01-05T09:00:00Z",
        "12026-01-05T09:00:00Z",
    ] {
        assert_eq!(Utc::parse(text), None, "{text}");
    }
}

#[test]
fn a_day_that_is_not_in_the_calendar_is_none() {
    for text in [
        "2026-02-29",
        "2100-02-29",
        "2026-04-31",
        "2026-00-10",
        "2026-13-01",
        "2026-01-00",
        "2026-01-32",
        "26-01-01",
        "2026-1-1",
        "2026/01/01",
        "2026-01-01 ",
        " 2026-01-01",
        "2026-01-01T",
        "1969-12-31",
        "0000-01-01",
        "",
        "today",
    ] {
        assert_eq!(Date::parse(text), None, "{text}");
    }
    assert!(Date::parse("2028-02-29").is_some() && Date::parse("2400-02-29").is_some());
}

#[test]
fn what_is_from_the_future_has_no_age() {
    let day = |text: &str| Date::parse(text).unwrap();
    assert_eq!(day("2026-03-01").days_since(day("2026-02-28")), Some(1));
    assert_eq!(day("2026-03-01").days_since(day("2026-03-01")), Some(0));
    assert_eq!(day("2026-03-01").days_since(day("2026-03-02")), None);
}

proptest! {
    #[test]
    fn times_are_those_of_humantime(seconds in 0_u64..=253_402_300_799) {
        let text = humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
        prop_assert_eq!(Utc::parse(&text), Some(Utc::at(seconds)), "{}", text);
        prop_assert_eq!(Utc::at(seconds).date().to_string(), &text[..10]);
        prop_assert_eq!(Utc::at(seconds).hour().to_string(), text[11..13].parse::<u8>().unwrap().to_string());
        prop_assert_eq!(Date::parse(&text[..10]), Some(Utc::at(seconds).date()));
    }

    #[test]
    fn every_day_is_followed_by_the_next(days in 0..u64::MAX / SECONDS_OF_A_DAY) {
        let (today, tomorrow) = (Date { days }, Date { days: days + 1 });
        let place = |day: Date| Weekday::ALL.iter().position(|name| *name == day.weekday()).unwrap();
        prop_assert_eq!(place(tomorrow), (place(today) + 1) % 7);
        prop_assert!(tomorrow.year_month_day() > today.year_month_day());
        prop_assert_eq!(tomorrow.days_since(today), Some(1));
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,30}", nearly in "[0-9T:.Z+-]{8,26}") {
        for text in [text, nearly] {
            let _total = (Utc::parse(&text), Date::parse(&text));
        }
    }
}
