//! Moments as text: RFC 3339, always in UTC.

use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// The last second that has four digits for its year.
const LAST: u64 = 253_402_300_799;

/// A moment to the second; `None` when it is before 1970 or after the year 9999.
pub fn utc(time: SystemTime) -> Option<String> {
    can_be_written(time).then(|| humantime::format_rfc3339_seconds(time).to_string())
}

/// A moment to the millisecond; `None` when it is before 1970 or after the year 9999.
pub fn utc_millis(time: SystemTime) -> Option<String> {
    can_be_written(time).then(|| humantime::format_rfc3339_millis(time).to_string())
}

/// A moment given in seconds since 1970; `None` when it is after the year 9999.
pub fn utc_of(seconds: u64) -> Option<String> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).and_then(utc)
}

/// A moment given in seconds since 1970, for people: one after the year 9999 is told as it is given.
pub fn said(seconds: u64) -> String {
    utc_of(seconds).unwrap_or_else(|| format!("{seconds} s after 1970"))
}

/// Returns a moment in seconds since 1970, of a text as RFC 3339 has it, in any time zone; fractions of a second are cut
/// off. `None` when it is not such a text, or before 1970.
pub fn seconds_of(text: &str) -> Option<u64> {
    let (moment, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(moment) => (moment, 0),
        None => {
            let (moment, zone) = text.split_at_checked(text.len().checked_sub("+00:00".len())?)?;
            (moment, offset_of(zone)?)
        }
    };
    let is_moment = moment.bytes().all(|byte| byte.is_ascii_digit() || b"-:.Tt ".contains(&byte));
    let separated = moment.get("0000-00-00".len()..)?.starts_with(['T', 't', ' ']);
    if !is_moment || !separated {
        return None;
    }
    let moment = format!("{}Z", moment.replace(['t', ' '], "T"));
    let time = humantime::parse_rfc3339(&moment).ok()?.duration_since(UNIX_EPOCH).ok()?;
    time.as_secs().checked_add_signed(i64::checked_neg(offset)?).filter(|seconds| *seconds <= LAST)
}

/// Returns the milliseconds of a moment beyond its whole second, of a text of which that is known to be one.
pub fn fraction_millis(text: &str) -> u64 {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    let mut digits = fraction.chars().map_while(|digit| digit.to_digit(10));
    (0..3).fold(0, |millis, _| millis * 10 + u64::from(digits.next().unwrap_or_default()))
}

/// Returns the seconds that a zone is before UTC: `+01:30` is 5400.
fn offset_of(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, zone.strip_prefix('-')?),
    };
    let two = |text: &str, most: i64| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<i64>().ok()).flatten().filter(|number| *number <= most)
    };
    let (hours, minutes) = rest.split_once(':')?;
    let minutes = two(hours, 23)?.checked_mul(60)?.checked_add(two(minutes, 59)?)?;
    minutes.checked_mul(60)?.checked_mul(sign)
}

/// Whether `humantime` can write this moment; it panics otherwise.
fn can_be_written(time: SystemTime) -> bool {
    time.duration_since(UNIX_EPOCH).is_ok_and(|since| since.as_secs() <= LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_moment_is_too_early_or_too_late_to_be_asked_for() {
        let second = Duration::from_secs(1);
        for (time, written) in [
            (UNIX_EPOCH, Some("1970-01-01T00:00:00Z")),
            (UNIX_EPOCH + Duration::from_secs(LAST), Some("9999-12-31T23:59:59Z")),
            (UNIX_EPOCH - Duration::from_millis(1), None),
            (UNIX_EPOCH - 100 * 365 * 86_400 * second, None),
            (UNIX_EPOCH + Duration::from_secs(LAST + 1), None),
        ] {
            assert_eq!(utc(time).as_deref(), written, "{time:?}");
            assert_eq!(utc_millis(time).is_some(), written.is_some(), "{time:?}");
        }
        assert_eq!(utc_of(u64::MAX), None);
        assert_eq!(said(LAST), "9999-12-31T23:59:59Z");
        assert_eq!(said(LAST + 1), "253402300800 s after 1970");
    }

    #[test]
    fn a_moment_has_the_milliseconds_of_its_fraction() {
        for (text, millis) in [
            ("2027-01-31T12:00:00Z", 0),
            ("2027-01-31T12:00:00.464Z", 464),
            ("2027-01-31T12:00:00.4+01:30", 400),
            ("2027-01-31 12:00:00.0469999Z", 46),
            ("2027-01-31", 0),
        ] {
            assert_eq!(fraction_millis(text), millis, "{text}");
        }
    }

    #[test]
    fn moments_are_read_in_every_zone() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2027-01-31T12:00:00Z", Some(1_801_396_800)),
            ("2027-01-31t12:00:00z", Some(1_801_396_800)),
            ("2027-01-31 12:00:00.999Z", Some(1_801_396_800)),
            ("2027-01-31T13:30:00+01:30", Some(1_801_396_800)),
            ("2027-01-31T04:00:00-08:00", Some(1_801_396_800)),
            ("9999-12-31T23:59:59Z", Some(LAST)),
            ("9999-12-31T23:59:59-00:01", None),
            ("1970-01-01T00:00:00+00:01", None),
            ("2027-02-30T00:00:00Z", None),
            ("2027-01-31T12:00:00", None),
            ("2027-01-31T12:00:00+1:00", None),
            ("2027-01-31T12:00:00+24:00", None),
            ("2027-01-31T12:00:00+01:60", None),
            ("2027-01-31T12:00:00ZZ", None),
            ("2027-01-31", None),
            ("2027-01-31Z", None),
            ("Z", None),
            ("é+00:00", None),
            ("", None),
        ] {
            assert_eq!(seconds_of(text), seconds, "{text}");
        }
    }
}
