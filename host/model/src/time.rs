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
    }
}
