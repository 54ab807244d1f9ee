//! The wait before the next try: `Retry-After`, or a growing backoff.

use std::hash::BuildHasher as _;
use std::hash::Hasher as _;
use std::hash::RandomState;
use std::time::Duration;

use smcp_model::limits;

/// The wait before try number `next`; the first is 1.
pub(crate) fn backoff(next: u32) -> Duration {
    let most = limits::http::BACKOFF.saturating_mul(1 << next.saturating_sub(2).min(16));
    // One half is fixed, the other is random.
    let half = most / 2;
    let chance = u32::try_from(RandomState::new().build_hasher().finish() & 0xff).unwrap_or(0);
    half.saturating_add(half.saturating_mul(chance) / 0xff)
}

/// The wait that a `Retry-After` asks for: seconds, or a date, which is compared with the server's own `Date`. This
/// machine's clock is not used, since it may be wrong.
pub(crate) fn retry_after(value: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let value = value?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let (then, now) = (httpdate::parse_http_date(value).ok()?, httpdate::parse_http_date(date?).ok()?);
    Some(then.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_never_the_same_for_everybody() {
        for (next, least, most) in [(2, 125, 250), (3, 250, 500), (4, 500, 1000)] {
            let waits: Vec<_> = (0..50).map(|_| backoff(next).as_millis()).collect();
            assert!(waits.iter().all(|wait| (least..=most).contains(wait)), "{next}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{next}: {waits:?}");
        }
        assert!(backoff(u32::MAX) > Duration::ZERO, "nothing overflows");
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let cases = [
            (Some("120"), None, Some(120)),
            (Some(" 0 "), None, Some(0)),
            (Some("Sun, 06 Nov 1994 08:50:07 GMT"), date, Some(30)),
            (Some("Sun, 06 Nov 1994 08:00:00 GMT"), date, Some(0)),
            (Some("Sun, 06 Nov 1994 08:50:07 GMT"), None, None),
            (Some("Sun, 31 Feb 1994 08:50:07 GMT"), date, None),
            (Some("-1"), date, None),
            (Some("soon"), date, None),
            (Some("99999999999999999999999"), date, None),
            (None, date, None),
        ];
        for (value, date, seconds) in cases {
            assert_eq!(retry_after(value, date), seconds.map(Duration::from_secs), "{value:?}");
        }
    }
}
