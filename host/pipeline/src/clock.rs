//! The time of a decision, which no clock that was set back makes earlier.
//!
//! Exceptions end with a day, so a user who turns the clock back would keep them for ever (spec section 8).

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::PipelineError;
use crate::System;
use smcp_decide::Notice;
use smcp_model::limits;
use smcp_model::request::Context;
use smcp_model::text::SafeText;
use smcp_model::time;

/// Seconds since 1970, as `build.rs` writes them.
const BUILT_AT: &str = env!("SMCP_BUILT_AT");

/// Checks that the clock is not before 1970: the libraries that check certificates and serve HTTP panic then, and a
/// record could not say when it was written.
///
/// # Errors
/// [`PipelineError::Clock`] when it is before 1970.
pub fn check_clock(system: &System) -> Result<(), PipelineError> {
    if system.time() < UNIX_EPOCH { Err(PipelineError::Clock) } else { Ok(()) }
}

/// Returns the context with a time that is not before this smcp was built, nor before the last record of the audit log.
/// The notice says that the clock stands before that, unless it is by so little that two processes can differ.
pub(crate) fn settled(context: Context, latest: Option<SystemTime>) -> (Context, Option<Notice>) {
    settled_by(context, built_at(), latest.map(seconds))
}

/// Returns when this smcp was built, in seconds since the Unix epoch.
pub(crate) fn built_at() -> u64 {
    BUILT_AT.parse().unwrap_or(0)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn settled_by(context: Context, built: u64, latest: Option<u64>) -> (Context, Option<Notice>) {
    let (earliest, what) = match latest {
        Some(latest) if latest > built => (latest, "the last record of the audit log"),
        Some(_) | None => (built, "this smcp itself"),
    };
    let behind = earliest.saturating_sub(context.evaluated_at);
    let notice = (behind > limits::CLOCK_SLACK.as_secs()).then(|| Notice {
        code: "clock-behind",
        message: SafeText::new(&format!(
            "the clock says {}, which is before {what}; the decision counts as made at {}",
            time::said(context.evaluated_at),
            time::said(earliest)
        )),
    });
    (Context { evaluated_at: context.evaluated_at.max(earliest), ..context }, notice)
}

/// Says that the clock is behind the time `seen`, and what helps; `None` when it is not.
pub(crate) fn behind(clock: u64, seen: u64) -> Option<String> {
    let said = |seconds| time::utc_of(seconds).unwrap_or_else(|| format!("{seconds} s after 1970"));
    (seen.saturating_sub(clock) > limits::CLOCK_SLACK.as_secs()).then(|| {
        format!(
            "the clock says {}, and policy sets or signed statements were looked at already at {}, which counts as now; if \
             the clock was wrong then, remove ~/.mcp/seen.json",
            said(clock),
            said(seen)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_decision_is_dated_before_what_is_known_to_have_happened() {
        let slack = limits::CLOCK_SLACK.as_secs();
        for (now, built, latest, expected, said) in [
            (1_000, 900, None, 1_000, None),
            (1_000, 900, Some(950), 1_000, None),
            (1_000, 1_000 + slack, None, 1_000 + slack, None),
            (1_000, 2_000, None, 2_000, Some("this smcp itself")),
            (1_000, 2_000, Some(1_500), 2_000, Some("this smcp itself")),
            (1_000, 900, Some(3_000), 3_000, Some("the last record")),
            (1_000, 2_000, Some(3_000), 3_000, Some("the last record")),
            (0, 900, Some(u64::MAX), u64::MAX, Some("the last record")),
        ] {
            let context = Context { evaluated_at: now, trust: true, interactive: false };
            let (settled, notice) = settled_by(context, built, latest);
            assert_eq!(settled, Context { evaluated_at: expected, ..context });
            let notice = notice.map(|notice| notice.message.to_string());
            assert_eq!(notice.is_some(), said.is_some(), "{now} {built} {latest:?}: {notice:?}");
            assert!(notice.is_none_or(|notice| notice.contains(said.unwrap())), "{now} {built} {latest:?}");
        }
        assert!(BUILT_AT.parse::<u64>().is_ok_and(|built| built > 0), "{BUILT_AT}");
    }
}
