//! Refuses versions that the organisation has not known for long enough.

use std::collections::BTreeMap;

use smcp_policy_sdk::Date;
use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::PackagePattern;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Utc;
use smcp_policy_sdk::Verdict;

/// How old a version has to be, and since when each is known.
#[derive(Debug, Settings)]
pub struct PackageAge {
    /// How many days a version has to be known before it may run.
    #[setting(range = 1..=3650)]
    min_days: u32,
    /// The day on which each version was first seen: `acme/tool@1.2.0: 2026-01-31`.
    #[setting(default = {})]
    first_seen: BTreeMap<String, Date>,
    /// Packages whose age doesn't matter, such as your own: `acme/*`.
    #[setting(default = [])]
    except: Vec<PackagePattern>,
}

impl Policy for PackageAge {
    const DESCRIPTION: Description = smcp_policy_sdk::description!();

    fn evaluate(&self, request: &Request) -> Verdict {
        let subject = &request.subject;
        if self.except.iter().any(|packages| packages.covers(subject)) {
            return Verdict::allow();
        }
        let version = format!("{}/{}@{}", subject.org, subject.name, subject.version);
        let Some(first_seen) = self.first_seen.get(&version) else {
            return Verdict::allow().violation(
                Finding::new("age-unknown", format!("since when {version} exists is unknown"))
                    .fact("version")
                    .remedy(format!("add `{version}` to `first_seen`, with the day on which you first saw it")),
            );
        };
        let age = Utc::at(request.context.evaluated_at).date().days_since(*first_seen);
        let message = match age {
            Some(days) if days >= self.min_days.into() => return Verdict::allow(),
            Some(days) => format!("{version} is known for {days} days, and {} are asked for", self.min_days),
            None => format!("{version} was first seen on {first_seen}, which is in the future"),
        };
        Verdict::allow().violation(
            Finding::new("too-young", message)
                .fact("version")
                .remedy("use an older version, or wait until this one is"),
        )
    }
}

smcp_policy_sdk::export!(PackageAge);

#[cfg(test)]
mod tests {
    use smcp_policy_sdk::testing;

    use super::*;

    #[test]
    fn every_case_gives_its_verdict() {
        testing::assert_cases::<PackageAge>("cases");
    }

    #[test]
    fn it_describes_itself_by_the_rules() {
        testing::describe::<PackageAge>().unwrap();
    }
}
