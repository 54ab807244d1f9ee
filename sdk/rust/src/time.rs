//! Days and hours of `context.evaluated_at`, the only time a policy knows.

use std::borrow::Cow;

use crate::json::decimal;
use crate::settings::CheckedSetting;
use smcp_policy_derive::Settings;

const SECONDS_OF_A_DAY: u64 = 86_400;

/// Days of 400 years, after which the calendar repeats.
const DAYS_OF_400_YEARS: u64 = 146_097;

const FIRST_YEAR: u64 = 1970;

/// A moment in UTC, from 1970 on; every `u64` of seconds is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utc(u64);

/// A day in UTC, from 1970 on; as a setting `2026-01-31`, to the end of 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Since 1970-01-01.
    days: u64,
}

/// A day of the week; as a setting `monday` to `sunday`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Settings)]
pub enum Weekday {
    /// The first by ISO 8601.
    Monday,
    /// The second.
    Tuesday,
    /// The third.
    Wednesday,
    /// The fourth.
    Thursday,
    /// The fifth.
    Friday,
    /// The sixth.
    Saturday,
    /// The seventh.
    Sunday,
}

impl Weekday {
    /// All of them, from Monday on.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];
}

impl Utc {
    /// The moment this many seconds after 1970-01-01T00:00:00Z, as `context.evaluated_at` counts.
    pub const fn at(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Reads an RFC 3339 time, such as `2026-01-31T09:00:00Z` or `2026-01-31T10:00:00.5+01:00`; a fraction is left out.
    /// `None` for any other text, for a time before 1970 or after 9999, and for a leap second.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T')?;
        let (clock, rest) = time.split_at_checked("hh:mm:ss".len())?;
        let (hour, rest_of_clock) = two_digits(clock, 23)?;
        let (minute, rest_of_clock) = two_digits(rest_of_clock.strip_prefix(':')?, 59)?;
        let (second, _) = two_digits(rest_of_clock.strip_prefix(':')?, 59)?;
        let zone = match rest.strip_prefix('.') {
            Some(fraction) => {
                let zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
                Some(zone).filter(|zone| zone.len() < fraction.len())?
            }
            None => rest,
        };
        let local = Date::parse(date)?.days * SECONDS_OF_A_DAY + hour * 3600 + minute * 60 + second;
        if zone == "Z" {
            return Some(Self(local));
        }
        let is_east = zone.starts_with('+');
        let (hours, minutes) = two_digits(zone.strip_prefix(['+', '-'])?, 23)?;
        let (minutes, end) = two_digits(minutes.strip_prefix(':')?, 59)?;
        let offset = Some(hours * 3600 + minutes * 60).filter(|_| end.is_empty())?;
        let seconds = if is_east { local.checked_sub(offset)? } else { local + offset };
        Some(Self(seconds)).filter(|moment| moment.date() <= LAST)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// The day.
    pub const fn date(self) -> Date {
        Date { days: self.0 / SECONDS_OF_A_DAY }
    }

    /// The hour of the day, 0 to 23.
    pub const fn hour(self) -> u8 {
        (self.0 % SECONDS_OF_A_DAY / 3600) as u8
    }

    /// The minute of the hour, 0 to 59.
    pub const fn minute(self) -> u8 {
        (self.0 % 3600 / 60) as u8
    }
}

/// 9999-12-31.
const LAST: Date = Date { days: 2_932_896 };

impl Date {
    /// Reads `YYYY-MM-DD`, from 1970-01-01 to 9999-12-31; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (century, rest) = two_digits(text, 99)?;
        let (year, rest) = two_digits(rest, 99)?;
        let (month, rest) = two_digits(rest.strip_prefix('-')?, 12)?;
        let (day, rest) = two_digits(rest.strip_prefix('-')?, 31)?;
        let year = (century * 100 + year).checked_sub(FIRST_YEAR)? + FIRST_YEAR;
        let is_day = (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day) && rest.is_empty();
        let years = (FIRST_YEAR..year).map(days_of_year).sum::<u64>();
        let months = (1..month).map(|month| days_of_month(year, month)).sum::<u64>();
        is_day.then(|| Self { days: years + months + day - 1 })
    }

    /// The year, the month from 1 and the day from 1.
    pub fn year_month_day(self) -> (u64, u8, u8) {
        let mut year = FIRST_YEAR + self.days / DAYS_OF_400_YEARS * 400;
        let mut rest = self.days % DAYS_OF_400_YEARS;
        while rest >= days_of_year(year) {
            rest -= days_of_year(year);
            year += 1;
        }
        let mut month = 1;
        while rest >= days_of_month(year, month) {
            rest -= days_of_month(year, month);
            month += 1;
        }
        (year, month as u8, rest as u8 + 1)
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday.
        let since_monday = (self.days % 7 + 3) % 7;
        Weekday::ALL.into_iter().nth(since_monday as usize).unwrap_or(Weekday::Monday)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> u64 {
        self.days
    }

    /// The number of days since an earlier day; `None` for a later one. A day of the future has no age: neither "new"
    /// nor "old" would be right.
    pub const fn days_since(self, earlier: Self) -> Option<u64> {
        self.days.checked_sub(earlier.days)
    }
}

/// Writes `2026-01-31`.
impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = self.year_month_day();
        f.write_str(&decimal(i64::try_from(year).unwrap_or(i64::MAX)))?;
        for part in [month, day] {
            f.write_str(if part < 10 { "-0" } else { "-" })?;
            f.write_str(&decimal(part.into()))?;
        }
        Ok(())
    }
}

/// Reads a number of two digits, at most `max`, from the front of a text; returns it with the rest.
fn two_digits(text: &str, max: u64) -> Option<(u64, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    (number <= max).then_some((number, rest))
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl CheckedSetting for Date {
    type Written = String;
    const KEYWORDS: &'static str = concat!(
        r#""format":"date","pattern":"^((19[7-9][0-9]|[2-9][0-9]{3})-"#,
        r"((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|",
        // The leap days.
        r"(19(7[26]|8[048]|9[26])|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)$",
        r#"""#
    );

    fn check(written: String) -> Result<Self, Cow<'static, str>> {
        Self::parse(&written).ok_or_else(|| "a day like `2026-01-31`, from 1970 on".into())
    }
}

#[cfg(test)]
mod tests;
