//! Outcomes in, decision out: the AND, and sole maker of a [`Clearance`].
//!
//! Before it `policy` has evaluated; after it `report` says what was decided and `launch` starts what was cleared.
//! Nothing here reads a file, a clock or a terminal.

mod document;

pub use document::Conclusion;
pub use document::asides;
pub use document::document;

use smcp_model::decision::Consent;
use smcp_model::facts::Facts;
use smcp_model::facts::Status;
use smcp_model::mode::Effect;
use smcp_model::package::ResolvedPackage;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;

/// Proof that `package` may start. The one way to it: [`admit`] a package, [`rule`](Admitted::rule) on it,
/// [`apply`](Ruled::apply) that ruling, and [`answer`](Question::answer) its question.
#[derive(Debug)]
pub struct Clearance {
    package: ResolvedPackage, // INVARIANT: private; admitted, judged by at least one policy, and none of them blocks.
}

impl Clearance {
    /// What may start.
    pub const fn package(&self) -> &ResolvedPackage {
        &self.package
    }
}

/// Something that a registry vouches for, and therefore gives a status.
pub trait Vouched {
    /// What the registry says of it.
    fn facts(&self) -> &Facts;
}

impl Vouched for ResolvedPackage {
    fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl Vouched for Subject {
    fn facts(&self) -> &Facts {
        &self.facts
    }
}

/// Proof that a candidate's status lets policies judge it. Only [`admit`] makes one.
#[derive(Debug)]
pub struct Admitted<T> {
    candidate: T, // INVARIANT: private; its status is one that may run.
    notice: Option<Notice>,
}

/// Judges the status that the registry gives, before anything is downloaded and before any policy runs.
///
/// # Errors
/// [`Refusal::Status`] for every status but `published`, `deprecated` and none at all.
pub fn admit<T: Vouched>(candidate: T) -> Result<Admitted<T>, Refusal> {
    let notice = match &candidate.facts().status {
        Some(Status::Published) => None,
        Some(Status::Deprecated) => Some(Notice {
            code: "status-deprecated",
            message: SafeText::new("the registry says that this version is deprecated"),
        }),
        None => Some(Notice {
            code: "status-unknown",
            message: SafeText::new("the registry doesn't say whether this version is published"),
        }),
        Some(Status::Refused(word)) => return Err(Refusal::Status { status: SafeText::new(word) }),
    };
    Ok(Admitted { candidate, notice })
}

impl<T> Admitted<T> {
    /// What was admitted.
    pub const fn candidate(&self) -> &T {
        &self.candidate
    }

    /// What is worth saying about its status.
    pub const fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// The next form of the candidate, admitted by its own status: what was admitted is never taken for something else.
    ///
    /// # Errors
    /// When there is no next form, or its status refuses it.
    pub fn and_then<U: Vouched, E: From<Refusal>>(
        self,
        next: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Admitted<U>, E> {
        Ok(admit(next(self.candidate)?)?)
    }

    /// Combines what the policies say of the candidate, once and for all: a ruling to show, and the candidate bound to
    /// its effect.
    ///
    /// # Errors
    /// [`Refusal::NoPolicies`] when no policy has judged it.
    pub fn rule(self, policies: Vec<Evaluated>) -> Result<(Ruled<T>, Ruling), Refusal> {
        let ruling = Ruling::of(policies)?;
        Ok((Ruled { candidate: self.candidate, effect: ruling.effect }, ruling))
    }
}

/// What all policies together mean for one candidate, to be shown. By itself it starts nothing.
#[derive(Debug)]
pub struct Ruling {
    policies: Vec<Evaluated>, // INVARIANT: at least one.
    effect: Effect,           // INVARIANT: the maximum over `policies`.
}

impl Ruling {
    /// Combines outcomes: the decision is the strictest effect of any policy, whatever their order.
    pub fn of(policies: Vec<Evaluated>) -> Result<Self, Refusal> {
        let effect = policies.iter().map(Evaluated::effect).max().ok_or(Refusal::NoPolicies)?;
        Ok(Self { policies, effect })
    }

    /// Every policy with its outcome, in the order of evaluation.
    pub fn policies(&self) -> &[Evaluated] {
        &self.policies
    }

    /// The decision.
    pub const fn effect(&self) -> Effect {
        self.effect
    }
}

/// A candidate, bound to what was ruled about it. Only the ruling on a package can be applied, and only once: a facts
/// document has nothing to start.
#[derive(Debug)]
pub struct Ruled<T> {
    candidate: T, // INVARIANT: private; `effect` is that of its own ruling.
    effect: Effect,
}

impl<T> Ruled<T> {
    /// What was ruled about. It is shown, not handed out: only [`apply`](Ruled::apply) lets it start.
    pub const fn candidate(&self) -> &T {
        &self.candidate
    }
}

impl Ruled<ResolvedPackage> {
    /// Carries the ruling out.
    pub fn apply(self) -> Decision {
        let package = self.candidate;
        match self.effect {
            Effect::Pass | Effect::Warn => Decision::Allow(Clearance { package }),
            Effect::Ask => Decision::Ask(Question { package }),
            Effect::Block => Decision::Deny(Refusal::ByPolicy),
        }
    }
}

/// What happens to a launch.
#[derive(Debug)]
pub enum Decision {
    /// It may go on.
    Allow(Clearance),
    /// It may go on if somebody consents.
    Ask(Question),
    /// It may not.
    Deny(Refusal),
}

/// A launch that waits for consent.
#[derive(Debug)]
pub struct Question {
    package: ResolvedPackage,
}

impl Question {
    /// Turns the answer into a clearance or a refusal.
    ///
    /// # Errors
    /// Every answer but a yes refuses.
    pub fn answer(self, consent: Consent) -> Result<Clearance, Refusal> {
        match consent {
            Consent::Trusted | Consent::Accepted => Ok(Clearance { package: self.package }),
            Consent::Declined => Err(Refusal::Declined),
            Consent::NobodyToAsk => Err(Refusal::NobodyToAsk),
        }
    }
}

/// Why a launch is refused. All of them end in exit code 4 (spec section 4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A policy blocks it.
    #[error("refused by policy")]
    ByPolicy,
    /// No policy has judged it: an empty set of rules allows nothing.
    #[error("no policy has judged it, and nothing starts unjudged; `smcp policy list` shows what is configured")]
    NoPolicies,
    /// A person said no.
    #[error("not started: the answer was not yes")]
    Declined,
    /// It needs consent and nobody can give it.
    #[error("not started: it needs consent and nobody can be asked here; pass --trust to consent in advance")]
    NobodyToAsk,
    /// The registry doesn't offer it for use; no mode and no waiver changes that.
    #[error("the registry says that this version is `{status}`, and only published or deprecated versions may run")]
    Status {
        /// The registry's word.
        status: SafeText,
    },
}

impl Refusal {
    /// The stable name used in JSON.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ByPolicy => "policy",
            Self::NoPolicies => "no-policies",
            Self::Declined => "declined",
            Self::NobodyToAsk => "nobody-to-ask",
            Self::Status { .. } => "status",
        }
    }
}

/// Something worth saying about the package that no policy said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// A stable name for machines.
    pub code: &'static str,
    /// One sentence for people.
    pub message: SafeText,
}
