//! The score check: scores reach `min_score`, and a low one is a notice.

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::OnWarn;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Verdict;

/// The score check.
#[derive(Debug, Settings)]
pub struct ScorePolicy {
    /// The lowest security score that may run; 0 is no minimum.
    #[setting(default = 0, range = 0..=100)]
    min_score: u8,
    /// A known score below this is worth a notice, which never blocks. The default is what certification level 2 asks for.
    #[setting(default = 80, range = 0..=100)]
    warning_threshold: u8,
}

impl Policy for ScorePolicy {
    const DESCRIPTION: Description =
        Description::new("score", env!("CARGO_PKG_VERSION"), "Allows packages only from a security score upwards.")
            .on_warn(OnWarn::Confirm);

    fn evaluate(&self, request: &Request) -> Verdict {
        let minimum = self.min_score;
        match request.subject.score.filter(|score| *score <= 100) {
            None if minimum > 0 => Verdict::allow().violation(unknown(minimum)),
            None => Verdict::allow(),
            Some(score) => {
                let mut verdict = Verdict::allow();
                if score < minimum {
                    verdict = verdict.violation(below_minimum(score, minimum));
                }
                if score < self.warning_threshold {
                    verdict = verdict.notice(below_threshold(score, self.warning_threshold));
                }
                verdict
            }
        }
    }
}

#[cfg(feature = "component")]
smcp_policy_sdk::export!(ScorePolicy);

fn below_minimum(score: u8, minimum: u8) -> Finding {
    Finding::new("score-below-minimum", format!("security score {score} is below minimum required score {minimum}"))
        .fact("score")
        .remedy(format!("use a version with a security score of {minimum} or higher, or lower `min_score`"))
}

fn unknown(minimum: u8) -> Finding {
    Finding::new("score-unknown", format!("security score is unknown, minimum required score is {minimum}"))
        .fact("score")
        .remedy("use a version whose security score the registry vouches for, a whole number from 0 to 100")
}

fn below_threshold(score: u8, threshold: u8) -> Finding {
    Finding::new(
        "score-below-warning-threshold",
        format!("security score {score} is below warning threshold {threshold}"),
    )
    .fact("score")
    .remedy("look at the findings of the package before you rely on it")
}
