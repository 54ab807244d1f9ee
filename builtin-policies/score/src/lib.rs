//! The score check: scores reach `min_score`, and a low one is a notice.

mod settings;

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::OnWarn;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Verdict;

pub use crate::settings::Settings;

/// The score check.
#[derive(Debug)]
pub struct ScorePolicy;

impl Policy for ScorePolicy {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            name: "score",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Allows packages only from a security score upwards.",
            settings_schema: smcp_policy_sdk::settings_schema!(),
            on_warn: OnWarn::Confirm,
        }
    }

    fn evaluate(request: &Request, settings: &Settings) -> Verdict {
        let minimum = settings.min_score;
        match request.subject.score.filter(|score| *score <= 100) {
            None if minimum > 0 => Verdict::allow().violation(unknown(minimum)),
            None => Verdict::allow(),
            Some(score) => {
                let mut verdict = Verdict::allow();
                if score < minimum {
                    verdict = verdict.violation(below_minimum(score, minimum));
                }
                if score < settings.warning_threshold {
                    verdict = verdict.notice(below_threshold(score, settings.warning_threshold));
                }
                verdict
            }
        }
    }
}

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
