//! The certification check: levels reach `min_cert_level`, scores fit levels.

use smcp_policy_sdk::Description;
use smcp_policy_sdk::Finding;
use smcp_policy_sdk::Policy;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::Settings;
use smcp_policy_sdk::Verdict;

/// The certification check.
#[derive(Debug, Settings)]
pub struct CertificationPolicy {
    /// The lowest certification level that may run; 0 is no minimum.
    #[setting(default = 0, range = 0..=3)]
    min_cert_level: u8,
    /// What it means when a package's score misses the requirement of its own level.
    #[setting(default = "notice")]
    cert_score_check: CertScoreCheck,
}

/// What it means when a package's score misses the requirement of its own level.
#[derive(Debug, Settings)]
enum CertScoreCheck {
    /// It is said, and does not block.
    Notice,
    /// It is a violation.
    Enforce,
}

impl Policy for CertificationPolicy {
    const DESCRIPTION: Description = Description::new(
        "certification",
        env!("CARGO_PKG_VERSION"),
        "Allows packages only from a certification level upwards.",
    );

    fn evaluate(&self, request: &Request) -> Verdict {
        let level = request.subject.cert_level.filter(|level| *level <= 3);
        let score = request.subject.score.filter(|score| *score <= 100);
        let mut verdict = Verdict::allow();
        match level {
            Some(level) if level < self.min_cert_level => {
                verdict = verdict.violation(below_minimum(level, self.min_cert_level));
            }
            None if self.min_cert_level > 0 => verdict = verdict.violation(unknown(self.min_cert_level)),
            Some(_) | None => {}
        }
        match level.zip(score).and_then(|(level, score)| score_mismatch(level, score)) {
            None => verdict,
            Some(mismatch) => match self.cert_score_check {
                CertScoreCheck::Notice => verdict.notice(mismatch),
                CertScoreCheck::Enforce => verdict.violation(mismatch),
            },
        }
    }
}

#[cfg(feature = "component")]
smcp_policy_sdk::export!(CertificationPolicy);

fn below_minimum(level: u8, minimum: u8) -> Finding {
    let (found, wanted) = (level_name(level), level_name(minimum));
    Finding::new(
        "cert-level-below-minimum",
        format!("certification level {level} ({found}) is below minimum required level {minimum} ({wanted})"),
    )
    .fact("cert_level")
    .remedy(format!("use a version certified at level {minimum} or higher, or lower `min_cert_level`"))
}

fn unknown(minimum: u8) -> Finding {
    let wanted = level_name(minimum);
    Finding::new(
        "cert-level-unknown",
        format!("certification level is unknown, minimum required level is {minimum} ({wanted})"),
    )
    .fact("cert_level")
    .remedy("use a version whose certification level the registry vouches for, from 0 to 3")
}

/// Returns the score that a level itself requires, when this score misses it.
fn score_mismatch(level: u8, score: u8) -> Option<Finding> {
    let required = match level {
        0 => 0,
        1 => 60,
        2 => 80,
        _ => 90,
    };
    (score < required).then(|| {
        let name = level_name(level);
        Finding::new(
            "cert-score-mismatch",
            format!("certification level {level} ({name}) requires a security score of at least {required}, but the score is {score}"),
        )
        .fact("score")
        .remedy("ask the registry to certify this version again: its level and its score contradict each other")
    })
}

/// Returns the name of a level.
const fn level_name(level: u8) -> &'static str {
    match level {
        0 => "Integrity Verified",
        1 => "Static Verified",
        2 => "Security Certified",
        _ => "Runtime Certified",
    }
}
