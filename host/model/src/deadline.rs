//! The moment by which work has to be done, passed from caller to callee.
//!
//! Every step asks the deadline how much time is left, and reads no clock itself.

use std::time::Duration;
use std::time::Instant;

use crate::number;

/// The moment at which slow work has to give up.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    limit: Duration,
    end: Option<Instant>, // INVARIANT: `None` means never.
}

/// A deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it took longer than {}", humantime::format_duration(*limit))]
pub struct Expired {
    limit: Duration,
}

impl Deadline {
    /// The deadline `limit` from now. One too far away to be represented never passes.
    pub fn after(limit: Duration) -> Self {
        Self { limit, end: Instant::now().checked_add(limit) }
    }

    /// A deadline that never passes.
    pub const fn none() -> Self {
        Self { limit: Duration::MAX, end: None }
    }

    /// The same deadline, later by `pause`: time that was spent waiting for the user or another process.
    #[must_use]
    pub fn extended(self, pause: Duration) -> Self {
        Self { end: self.end.and_then(|end| end.checked_add(pause)), ..self }
    }

    /// An earlier deadline: at most `limit` from now, and at most half of the time that is left. For work that has a
    /// substitute.
    #[must_use]
    pub fn share(&self, limit: Duration) -> Self {
        // Whole milliseconds, because the limit is shown to people.
        let half = |left: Duration| Duration::from_millis(number::millis(left) / 2);
        Self::after(self.remaining().map_or(limit, |left| limit.min(half(left))))
    }

    /// The same deadline, or that of `least` from now when it is later.
    #[must_use]
    pub fn at_least(self, least: Duration) -> Self {
        if self.remaining().is_some_and(|left| left < least) { Self::after(least) } else { self }
    }

    /// The time that is left; `None` when the deadline never passes.
    pub fn remaining(&self) -> Option<Duration> {
        self.end.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// Checks that there is time left.
    ///
    /// # Errors
    /// When the deadline has passed.
    pub fn check(&self) -> Result<(), Expired> {
        if self.remaining().is_some_and(|left| left.is_zero()) { Err(self.expired()) } else { Ok(()) }
    }

    /// The error for a deadline that was found to be over by other means, such as a socket's own timeout.
    pub const fn expired(&self) -> Expired {
        Expired { limit: self.limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_leaves_time_for_the_rest() {
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
        for (deadline, most) in [
            (Deadline::none(), second),
            (Deadline::after(hour), second),
            (Deadline::after(second), second / 2),
            (Deadline::after(Duration::ZERO), Duration::ZERO),
        ] {
            assert!(deadline.share(second).remaining().unwrap() <= most, "{deadline:?}");
        }
    }

    #[test]
    fn a_deadline_gives_at_least_what_is_needed() {
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
        assert!(Deadline::after(second).at_least(hour).remaining().unwrap() > second);
        assert!(Deadline::after(hour).at_least(second).remaining().unwrap() > second);
        assert_eq!(Deadline::none().at_least(second).remaining(), None);
    }

    #[test]
    fn only_an_end_that_has_passed_expires() {
        assert_eq!(Deadline::none().check(), Ok(()));
        assert_eq!(Deadline::none().remaining(), None);
        assert_eq!(Deadline::after(Duration::from_secs(3600)).check(), Ok(()));
        assert_eq!(Deadline::after(Duration::MAX).check(), Ok(()));
        let expired = Deadline::after(Duration::ZERO).check().unwrap_err();
        assert_eq!(expired.to_string(), "it took longer than 0s");
        assert!(
            Deadline { limit: Duration::from_secs(60), end: Some(Instant::now()) }
                .check()
                .unwrap_err()
                .to_string()
                .ends_with("1m")
        );
    }
}
