//! Allows only the listed versions in the hours of a change freeze.

use std::collections::BTreeMap;

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::PackagePattern;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Utc;
use smcp_policy_sdk::Verdict;
use smcp_policy_sdk::VersionRange;
use smcp_policy_sdk::Weekday;

/// The hours of a week.
const WEEK: u64 = 7 * 24;

/// When nothing new may start, and what may.
#[derive(Debug, Settings)]
pub struct ChangeFreeze {
    /// When the freeze is on, each week, in UTC.
    #[setting(length = 1..)]
    windows: Vec<Window>,
    /// What may start meanwhile: packages (`acme/tool`, `acme/*`) with their versions (`=1.2.0`).
    #[setting(default = {})]
    keep: BTreeMap<PackagePattern, VersionRange>,
}

/// A part of the week; it may go on into the next.
#[derive(Debug, Settings)]
struct Window {
    /// The day on which it begins.
    day: Weekday,
    /// The hour at which it begins.
    #[setting(default = 0, range = 0..=23)]
    hour: u8,
    /// How long it is, in hours.
    #[setting(range = 1..=168)]
    hours: u8,
}

impl Window {
    fn has(&self, now: Utc) -> bool {
        let hour_of_week = |day: Weekday, hour: u8| day as u64 * 24 + u64::from(hour);
        let (begin, now) = (hour_of_week(self.day, self.hour), hour_of_week(now.date().weekday(), now.hour()));
        (now + WEEK - begin) % WEEK < u64::from(self.hours)
    }
}

impl Policy for ChangeFreeze {
    const DESCRIPTION: Description = smcp_policy_sdk::description!();

    fn evaluate(&self, request: &Request) -> Verdict {
        let (subject, now) = (&request.subject, Utc::at(request.context.evaluated_at));
        let is_kept = |(packages, versions): (&PackagePattern, &VersionRange)| {
            packages.covers(subject) && versions.contains(&subject.version)
        };
        if !self.windows.iter().any(|window| window.has(now)) || self.keep.iter().any(is_kept) {
            return Verdict::allow();
        }
        let message =
            format!("changes are frozen now ({}, {:?} {}:00 UTC)", now.date(), now.date().weekday(), now.hour());
        Verdict::allow().violation(
            Finding::new("change-freeze", message)
                .remedy("wait until the freeze is over, or start a version that `keep` names"),
        )
    }
}

smcp_policy_sdk::export!(ChangeFreeze);

#[cfg(test)]
mod tests {
    use smcp_policy_sdk::testing;

    use super::*;

    #[test]
    fn every_case_gives_its_verdict() {
        testing::assert_cases::<ChangeFreeze>("cases");
    }

    #[test]
    fn it_describes_itself_by_the_rules() {
        testing::describe::<ChangeFreeze>().unwrap();
    }
}
