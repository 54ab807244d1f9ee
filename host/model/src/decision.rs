//! The decision document: a decision with its reasons (spec section 5).
//!
//! It is for machines, and made once, from a ruling or a refusal. The audit log keeps it, `--json` prints it, and a
//! client whose server was not started gets it. Reading one back gives the same type.

pub mod schema;
mod stated;

pub use crate::decision::stated::StatedDocument;

use crate::confinement::Confinement;
use crate::digest::Digest;
use crate::exception::Waiver;
use crate::exit::ExitKind;
use crate::facts::CertLevel;
use crate::facts::Score;
use crate::facts::Status;
use crate::mode::Effect;
use crate::mode::Mode;
use crate::name::PolicyName;
use crate::policy::LayerName;
use crate::request::Subject;
use crate::text::SafeText;
use crate::verdict::FaultKind;
use crate::verdict::OutcomeKind;
use crate::word::deserialize_word;
use crate::word::serialize_as_word;

/// The schema of a decision document.
pub const SCHEMA: &str = "smcp.decision/1";

/// The answer to a decision that asks for consent, or the reason why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// `--trust` was passed: yes without asking.
    Trusted,
    /// The user typed y or yes.
    Accepted,
    /// The user typed anything else, nothing, or closed the terminal.
    Declined,
    /// Standard input and standard error are not both terminals.
    NobodyToAsk,
}

impl Consent {
    /// Every answer.
    pub const ALL: [Self; 4] = [Self::Trusted, Self::Accepted, Self::Declined, Self::NobodyToAsk];

    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::NobodyToAsk => "nobody-to-ask",
        }
    }

    /// Whether the server may start.
    pub const fn is_given(self) -> bool {
        matches!(self, Self::Trusted | Self::Accepted)
    }
}

/// Returns the way smcp ends after a decision with this effect and this answer (spec sections 3 and 4): success or a
/// refusal, nothing else. A question without an answer is a refusal.
pub const fn exit_for(effect: Effect, consent: Option<Consent>) -> ExitKind {
    match (effect, consent) {
        (Effect::Pass | Effect::Warn, _) => ExitKind::Success,
        (Effect::Ask, Some(consent)) if consent.is_given() => ExitKind::Success,
        (Effect::Ask, _) | (Effect::Block, _) => ExitKind::Refused,
    }
}

/// A decision about a package, with every reason.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DecisionDocument {
    /// [`SCHEMA`].
    pub schema: String,
    /// `org/name@version`.
    pub package: SafeText,
    /// The strictest effect of any policy; `block` for a refusal before any policy.
    pub decision: Effect,
    /// The exit code of the program if it ends here.
    pub exit_code: u8,
    /// The reason why no policy was evaluated; absent when policies were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<CodedMessage>,
    /// The facts that the decision is based on.
    pub facts: DecidedFacts,
    /// The signed statements that layers go by in place of those facts; absent where none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<StatedDocument>,
    /// Every policy with its result, in the order of evaluation.
    pub policies: Vec<PolicyResult>,
    /// The number of policies left out to make the document small enough; absent when none were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// How far the server would be confined; absent where nothing would start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confinement: Option<Confinement>,
    /// Remarks that don't come from a policy.
    pub notices: Vec<CodedMessage>,
}

/// A message for people with a stable name for machines.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CodedMessage {
    /// A stable name.
    pub code: String,
    /// One sentence for people.
    pub message: SafeText,
}

/// The facts that are shown with a decision; null is *unknown*.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DecidedFacts {
    /// The kind of the package's publisher.
    pub origin: Option<SafeText>,
    /// Its certification level, 0 to 3.
    pub cert_level: Option<CertLevel>,
    /// Its security score, 0 to 100.
    pub score: Option<Score>,
    /// The registry's word for the version's status.
    pub status: Option<SafeText>,
    /// The registry that vouches for them.
    pub registry: Option<SafeText>,
    /// Digest of the bundle.
    pub bundle_digest: Option<Digest>,
    /// The layers that believe the registry; absent where no policy was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub believed_by: Option<Vec<LayerName>>,
    /// Those of them that take its namespace for verified, and told their policies this origin; absent where none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verified_by: Vec<LayerName>,
}

impl DecidedFacts {
    /// The facts of a subject.
    pub fn of(subject: &Subject) -> Self {
        let known = &subject.facts;
        Self {
            origin: known.origin.as_ref().map(|origin| SafeText::new(origin.word())),
            cert_level: known.cert_level,
            score: known.score,
            status: known.status.as_ref().map(|status| SafeText::new(Status::as_str(status))),
            registry: subject.registry.as_ref().map(|registry| SafeText::new(&registry.to_string())),
            bundle_digest: subject.bundle_digest,
            believed_by: None,
            verified_by: Vec::new(),
        }
    }
}

/// The result of one policy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PolicyResult {
    /// Its name in the configuration.
    pub name: PolicyName,
    /// The layer that configures it.
    pub layer: LayerName,
    /// Its mode: how strictly it is applied.
    pub mode: Mode,
    /// The kind of its outcome.
    pub outcome: OutcomeKind,
    /// The kind of its fault; absent unless the outcome is a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultKind>,
    /// The effect of the outcome on the launch.
    pub effect: Effect,
    /// Digest of the component; null when its bytes could not be read.
    pub digest: Option<Digest>,
    /// Who has signed the component; absent when nobody had to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<SafeText>,
    /// The version that the component gives itself; null when it could not be asked.
    pub version: Option<SafeText>,
    /// The duration of its evaluation, microseconds.
    pub duration_us: u64,
    /// All its findings.
    pub findings: Vec<FindingDocument>,
    /// The exceptions that waive findings of it, in the order of these; absent when none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
    /// The contact of its layer; absent when the policy objects to nothing, or the layer has no contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_contact: Option<SafeText>,
}

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingKind {
    /// A reason to refuse.
    Violation,
    /// A reason to refuse that an exception waives.
    Waived,
    /// A remark that is never a reason to refuse.
    Notice,
    /// The fault of a policy that failed.
    Fault,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Violation, Self::Waived, Self::Notice, Self::Fault];

    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Violation => "violation",
            Self::Waived => "waived",
            Self::Notice => "notice",
            Self::Fault => "fault",
        }
    }
}

/// One finding of a policy, or the fault of a policy that failed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FindingDocument {
    /// Its kind.
    pub kind: FindingKind,
    /// A stable name for machines; `fault-…` for a fault.
    pub code: String,
    /// One sentence for people.
    pub message: SafeText,
    /// The field of the subject that it is about.
    pub fact: Option<SafeText>,
    /// The remedy for the user.
    pub remedy: Option<SafeText>,
    /// Details for machines, as pairs of name and value; absent when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<(SafeText, SafeText)>,
}

serialize_as_word!(Consent, FindingKind);
deserialize_word!(Consent, FindingKind);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pass_a_warning_and_consent_succeed() {
        for effect in Effect::ALL {
            for consent in Consent::ALL.into_iter().map(Some).chain([None]) {
                let starts = match effect {
                    Effect::Pass | Effect::Warn => true,
                    Effect::Ask => matches!(consent, Some(Consent::Trusted | Consent::Accepted)),
                    Effect::Block => false,
                };
                let expected = if starts { ExitKind::Success } else { ExitKind::Refused };
                assert_eq!(exit_for(effect, consent), expected, "{effect:?} {consent:?}");
            }
        }
    }
}
