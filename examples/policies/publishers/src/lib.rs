//! Allows packages only of the listed publishers, in the listed versions.

use std::collections::BTreeMap;

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::PackagePattern;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Verdict;
use smcp_policy_sdk::VersionRange;

/// Which packages may run, in which versions.
#[derive(Debug, Settings)]
pub struct Publishers {
    /// Packages (`acme/tool`, `acme/*`) and the versions that may run (`>=1.2.0`), or null for all of them. A package needs
    /// one entry that names it, and is held to the versions of every entry that does.
    allow: BTreeMap<PackagePattern, Option<VersionRange>>,
}

impl Policy for Publishers {
    const DESCRIPTION: Description = smcp_policy_sdk::description!();

    fn evaluate(&self, request: &Request) -> Verdict {
        let subject = &request.subject;
        let entries: Vec<_> = self.allow.iter().filter(|(packages, _)| packages.covers(subject)).collect();
        if entries.is_empty() {
            let message = format!("{}/{} is of no publisher that is allowed", subject.org, subject.name);
            return Verdict::allow().violation(
                Finding::new("publisher-not-allowed", message)
                    .fact("org")
                    .remedy(format!("add `{}/{}` to `allow` if you trust it", subject.org, subject.name)),
            );
        }
        let mut verdict = Verdict::allow();
        for (packages, versions) in entries {
            if let Some(versions) = versions.as_ref().filter(|versions| !versions.contains(&subject.version)) {
                let (packages, versions) = (packages.as_str(), versions.as_str());
                let message = format!("version {} is not one of {packages} that may run: {versions}", subject.version);
                verdict = verdict.violation(
                    Finding::new("version-not-allowed", message)
                        .fact("version")
                        .remedy(format!("use a version {versions}")),
                );
            }
        }
        verdict
    }
}

smcp_policy_sdk::export!(Publishers);

#[cfg(test)]
mod tests {
    use smcp_policy_sdk::testing;

    use super::*;

    #[test]
    fn every_case_gives_its_verdict() {
        testing::assert_cases::<Publishers>("cases");
    }

    #[test]
    fn it_describes_itself_by_the_rules() {
        testing::describe::<Publishers>().unwrap();
    }
}
