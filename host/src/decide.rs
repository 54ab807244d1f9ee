//! Outcomes in, decision out: the AND, and sole maker of a [`Clearance`].
//!
//! Before it `policy` has evaluated; after it `report` says what was decided and `launch` starts what was cleared.
//! Nothing here reads a file, a clock or a terminal.

use crate::model::facts::Status;
use crate::model::mode::Effect;
use crate::model::package::ResolvedPackage;
use crate::model::text::SafeText;
use crate::model::verdict::Evaluated;

/// Proof that `package` may start. Only this module can make one.
#[derive(Debug)]
pub struct Clearance {
    package: ResolvedPackage, // INVARIANT: private; every policy passed, or somebody consented.
}

impl Clearance {
    /// What may start.
    pub const fn package(&self) -> &ResolvedPackage {
        &self.package
    }
}

/// What all policies together mean for one package.
#[derive(Debug)]
pub struct Ruling {
    policies: Vec<Evaluated>,
    effect: Effect, // INVARIANT: the maximum over `policies`.
}

impl Ruling {
    /// Combines outcomes: the decision is the strictest effect of any policy, whatever their order.
    pub fn of(policies: Vec<Evaluated>) -> Self {
        let effect = policies.iter().map(Evaluated::effect).max().unwrap_or(Effect::Pass);
        Self { policies, effect }
    }

    /// Every policy with its outcome, in the order of evaluation.
    pub fn policies(&self) -> &[Evaluated] {
        &self.policies
    }

    /// The decision.
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// Applies the ruling to the package that it is about.
    pub fn apply(&self, package: ResolvedPackage) -> Decision {
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

/// Somebody's answer to a [`Question`], or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// `--trust` was passed: yes without asking.
    Trusted,
    /// A person typed y or yes.
    Accepted,
    /// A person typed anything else, nothing, or closed the terminal.
    Declined,
    /// Standard input and standard error are not both terminals.
    NobodyToAsk,
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

/// Judges the status that the registry gives, before anything is downloaded and before any policy runs.
///
/// # Errors
/// [`Refusal::Status`] for every status but `published`, `deprecated` and none at all.
pub fn admit(status: Option<&Status>) -> Result<Option<Notice>, Refusal> {
    match status {
        Some(Status::Published) => Ok(None),
        Some(Status::Deprecated) => Ok(Some(Notice {
            code: "status-deprecated",
            message: SafeText::new("the registry says that this version is deprecated"),
        })),
        None => Ok(Some(Notice {
            code: "status-unknown",
            message: SafeText::new("the registry doesn't say whether this version is published"),
        })),
        Some(Status::Refused(word)) => Err(Refusal::Status { status: SafeText::new(word) }),
    }
}
