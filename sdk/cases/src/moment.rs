//! A moment as people write it: RFC 3339, or a date.

use std::time::UNIX_EPOCH;

/// The form of a moment, for messages.
pub(crate) const FORM: &str = "a time such as 2026-01-05T09:00:00Z or 2026-01-05T10:00:00+01:00, or a date, which \
                               begins at midnight UTC; from 1970 to 9999";

/// Reads a moment: an RFC 3339 time with any offset, or a date, which means midnight UTC. Returns whole seconds since
/// 1970-01-01T00:00:00Z; fractions are cut. `None` for any other text, and for a moment before 1970.
pub fn moment(text: &str) -> Option<u64> {
    if !text.is_ascii() {
        return None;
    }
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    if rest.is_empty() {
        return utc(&format!("{date}T00:00:00Z"));
    }
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, tail) = (time.get(..8)?, time.get(8..)?);
    let tail = match tail.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            if offset.len() == fraction.len() {
                return None;
            }
            offset
        }
        None => tail,
    };
    let (ahead, offset) = offset(tail)?;
    // A local time can be on the last day before 1970, so the sum is signed.
    let local = i64::try_from(utc(&format!("{date}T{clock}Z"))?).ok()?;
    let offset = i64::try_from(offset).ok()?;
    u64::try_from(if ahead { local.checked_sub(offset)? } else { local.checked_add(offset)? }).ok()
}

/// Reads an offset from UTC: whether it is ahead, and by how many seconds.
fn offset(text: &str) -> Option<(bool, u64)> {
    if matches!(text, "Z" | "z") {
        return Some((true, 0));
    }
    let (ahead, text) =
        text.strip_prefix('+').map(|text| (true, text)).or(text.strip_prefix('-').map(|it| (false, it)))?;
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str, below: u64| -> Option<u64> {
        let fits = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse().ok().filter(|number| fits && *number < below)
    };
    Some((ahead, number(hours, 24)?.checked_mul(3600)?.checked_add(number(minutes, 60)?.checked_mul(60)?)?))
}

/// Reads `YYYY-MM-DDThh:mm:ssZ`.
fn utc(text: &str) -> Option<u64> {
    // A leap second is no second of the Unix clock.
    let time = humantime::parse_rfc3339(text).ok().filter(|_| !text.ends_with(":60Z"))?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_a_date() {
        let nine = 1_767_603_600;
        let cases = [
            ("2026-01-05T09:00:00Z", Some(nine)),
            ("2026-01-05t09:00:00z", Some(nine)),
            ("2026-01-05 09:00:00Z", Some(nine)),
            ("2026-01-05T09:00:00.999Z", Some(nine)),
            ("2026-01-05T10:00:00+01:00", Some(nine)),
            ("2026-01-05T03:30:00-05:30", Some(nine)),
            ("2026-01-06T08:59:00+23:59", Some(nine)),
            ("2026-01-05", Some(nine - 9 * 3600)),
            ("1970-01-01", Some(0)),
            ("1970-01-01T00:30:00+00:30", Some(0)),
            ("2024-02-29", Some(1_709_164_800)),
            ("9999-12-31T23:59:59Z", Some(253_402_300_799)),
        ];
        for (text, seconds) in cases {
            assert_eq!(moment(text), seconds, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "now",
            "2026",
            "2026-1-5",
            "2026-02-30",
            "2025-02-29",
            "2026-13-01",
            "1969-12-31",
            "1970-01-01T00:00:00+00:01",
            "2026-01-05T",
            "2026-01-05T09:00",
            "2026-01-05T09:00Z",
            "2026-01-05T09:00:00",
            "2026-01-05T24:00:00Z",
            "2026-01-05T09:60:00Z",
            "2026-01-05T23:59:60Z",
            "2026-01-05T09:00:00.Z",
            "2026-01-05T09:00:00+1:00",
            "2026-01-05T09:00:00+0100",
            "2026-01-05T09:00:00+24:00",
            "2026-01-05T09:00:00+00:60",
            "2026-01-05T09:00:00Zx",
            "2026-01-05T09:00:00 Z",
            "1767603600",
            "২০২৬-০১-০৫",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
