//! A calendar day, UTC, in the one form that dates have here.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use crate::text::SafeText;
use crate::word::deserialize_parsed;

/// Seconds in a day; UTC as computers count it has no leap seconds.
const SECONDS: u64 = 86_400;
/// The day after the last one with four digits for its year, in days since 1970.
const END: u64 = 2_932_897;

/// A day from 1970-01-01 to 9999-12-31, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u64); // INVARIANT: days since 1970-01-01, below `END`.

/// A text is not a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DayError {
    /// It has another form.
    #[error("`{found}` is not a day as YYYY-MM-DD")]
    Form {
        /// The text.
        found: SafeText,
    },
    /// It has the form, but the calendar has no such day, or it is before 1970.
    #[error("there is no day `{found}` since 1970")]
    Absent {
        /// The text.
        found: SafeText,
    },
}

impl Day {
    /// The day of a moment, in seconds since the Unix epoch; the last day for every later moment.
    pub fn of(seconds: u64) -> Self {
        Self((seconds / SECONDS).min(END - 1))
    }

    /// Whether a moment is later than the end of this day. The moment is in seconds since the Unix epoch.
    pub const fn is_over(self, seconds: u64) -> bool {
        seconds / SECONDS > self.0
    }

    /// The number of days from this one to a later one; `None` when the other is earlier.
    pub const fn days_until(self, later: Self) -> Option<u64> {
        later.0.checked_sub(self.0)
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let fits = |(place, byte): (usize, u8)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        if text.len() != "YYYY-MM-DD".len() || !text.bytes().enumerate().all(fits) {
            return Err(DayError::Form { found: SafeText::quoted(text) });
        }
        let absent = || DayError::Absent { found: SafeText::quoted(text) };
        let midnight = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).map_err(|_| absent())?;
        let since = midnight.duration_since(UNIX_EPOCH).map_err(|_| absent())?;
        Ok(Self::of(since.as_secs()))
    }
}

/// Writes `YYYY-MM-DD`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = Duration::from_secs(self.0.saturating_mul(SECONDS));
        // A day within the bounds can always be written.
        let written = UNIX_EPOCH.checked_add(since).and_then(crate::time::utc).unwrap_or_default();
        f.pad(written.split('T').next().unwrap_or_default())
    }
}

impl serde::Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

deserialize_parsed!(Day);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_days() {
        for good in ["1970-01-01", "2024-02-29", "2000-02-29", "2027-01-31", "9999-12-31"] {
            assert_eq!(good.parse::<Day>().unwrap().to_string(), good);
        }
        let absent = ["2027-02-29", "1900-02-29", "2027-04-31", "2027-13-01", "2027-00-01", "2027-01-00", "1969-12-31"];
        for bad in absent {
            assert_eq!(bad.parse::<Day>(), Err(DayError::Absent { found: bad.into() }));
        }
        for bad in [
            "",
            "2027-1-31",
            "27-01-31",
            "2027/01/31",
            "31-01-2027",
            "2027-01-31T00:00:00Z",
            " 2027-01-31",
            "2027-01-31 ",
            "+027-01-31",
            "2027-01-3١",
            "12027-01-31",
            "tomorrow",
        ] {
            assert_eq!(bad.parse::<Day>(), Err(DayError::Form { found: bad.into() }), "{bad}");
        }
    }

    #[test]
    fn days_are_written_as_they_are_read() {
        assert_eq!(Day(END - 1).to_string(), "9999-12-31");
        for day in (0..END).step_by(11) {
            let day = Day(day);
            assert_eq!(day.to_string().parse(), Ok(day));
        }
    }

    #[test]
    fn a_day_lasts_to_its_last_second() {
        let day: Day = "2027-01-31".parse().unwrap();
        let midnight = day.0 * SECONDS;
        let cases = [(0, false), (midnight - 1, false), (midnight, false), (midnight + 86_399, false)];
        for (seconds, over) in cases.into_iter().chain([(midnight + 86_400, true), (u64::MAX, true)]) {
            assert_eq!(day.is_over(seconds), over, "{seconds}");
        }
        // The last day that can be written ends like any other: a later moment is not it.
        assert!(Day(END - 1).is_over(END * SECONDS) && !Day(END - 1).is_over(END * SECONDS - 1));
        let days = |one: &str, other: &str| one.parse::<Day>().unwrap().days_until(other.parse().unwrap());
        assert_eq!(days("2026-12-31", "2027-01-14"), Some(14));
        assert_eq!((days("2027-01-31", "2027-01-31"), days("2027-01-31", "2027-01-30")), (Some(0), None));
    }
}
