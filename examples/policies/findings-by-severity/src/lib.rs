//! Refuses packages with more findings than the settings allow, by severity.

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Verdict;

/// How many findings of each severity are accepted; any number where it says nothing.
#[derive(Debug, Settings)]
pub struct FindingsBySeverity {
    /// Critical findings.
    #[setting(default = 0)]
    max_critical: Option<u32>,
    /// High findings.
    #[setting(default = 0)]
    max_high: Option<u32>,
    /// Medium findings.
    max_medium: Option<u32>,
    /// Low findings.
    max_low: Option<u32>,
}

impl Policy for FindingsBySeverity {
    const DESCRIPTION: Description = smcp_policy_sdk::description!();

    fn evaluate(&self, request: &Request) -> Verdict {
        let Some(found) = &request.subject.findings else {
            return Verdict::allow().violation(
                Finding::new("findings-unknown", "what the registry's analysis found is unknown")
                    .fact("findings")
                    .remedy("use a registry that analyses its packages, and that `trusted_registries` names"),
            );
        };
        let severities = [
            ("critical", found.critical, self.max_critical),
            ("high", found.high, self.max_high),
            ("medium", found.medium, self.max_medium),
            ("low", found.low, self.max_low),
        ];
        let mut verdict = Verdict::allow();
        for (severity, count, max) in severities {
            if let Some(max) = max.filter(|max| count > *max) {
                let message = format!("the package has {count} {severity} findings, and at most {max} are accepted");
                verdict = verdict.violation(
                    Finding::new(format!("too-many-{severity}"), message)
                        .fact("findings")
                        .remedy(format!("use a version with fewer {severity} findings, or raise `max_{severity}`")),
                );
            }
        }
        verdict
    }
}

smcp_policy_sdk::export!(FindingsBySeverity);

#[cfg(test)]
mod tests {
    use smcp_policy_sdk::testing;

    use super::*;

    #[test]
    fn every_case_gives_its_verdict() {
        testing::assert_cases::<FindingsBySeverity>("cases");
    }

    #[test]
    fn it_describes_itself_by_the_rules() {
        testing::describe::<FindingsBySeverity>().unwrap();
    }
}
