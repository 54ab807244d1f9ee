//! Turns outcomes into a decision; the only maker of a [`Clearance`].
//!
//! `policy` comes before and evaluates. After it, `report` shows the decision, and `launch` starts the cleared package.
//! Nothing here reads a file, a clock or a terminal.

mod document;
mod explain;
mod lift;
mod passing;
mod waive;

pub use document::Conclusion;
pub use document::asides;
pub use document::document;
pub use explain::ExplainedPolicy;
pub use explain::Explanation;
pub use explain::ToldBy;
pub use explain::Way;
pub use lift::ExceptionFile;
pub use lift::Lift;
pub use lift::lifting;
pub use passing::Fact;
pub use passing::Hints;
pub use passing::OtherFact;
pub use passing::PassingFacts;
pub use passing::carried;
pub use passing::changed;
pub use passing::passing;
pub use passing::united;
pub use waive::InForce;
pub use waive::Occasion;

use smcp_model::confinement::Confinement;
use smcp_model::confinement::ConfinementState;
use smcp_model::decision::Consent;
use smcp_model::decision::StatedDocument;
use smcp_model::facts::Facts;
use smcp_model::facts::Status;
use smcp_model::mode::Effect;
use smcp_model::package::ResolvedPackage;
use smcp_model::policy::LayerName;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;

/// Proof that `package` may start. The only way to one is to [`admit`] a package, [`rule`](Admitted::rule) on it,
/// [`apply`](Ruled::apply) that ruling, and [`answer`](Question::answer) its question.
#[derive(Debug)]
pub struct Clearance {
    package: ResolvedPackage, // INVARIANT: private; admitted, judged by at least one policy, and blocked by none.
}

impl Clearance {
    /// The package that may start.
    pub const fn package(&self) -> &ResolvedPackage {
        &self.package
    }
}

/// A type that has facts from a registry, including a status.
pub trait HasFacts {
    /// The facts that the registry gives.
    fn facts(&self) -> &Facts;
}

impl HasFacts for ResolvedPackage {
    fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl HasFacts for Subject {
    fn facts(&self) -> &Facts {
        &self.facts
    }
}

/// The code of the remark that the registry says nothing of the status.
const UNKNOWN: &str = "status-unknown";

/// Proof that a candidate's status allows policies to judge it. Only [`admit`] makes one.
#[derive(Debug)]
pub struct Admitted<T> {
    candidate: T, // INVARIANT: private; its status allows it to run.
    notice: Option<Notice>,
}

/// Checks the status that the registry gives, before anything is downloaded and before any policy runs.
///
/// # Errors
/// [`Refusal::Status`] for every status but `published`, `deprecated` and an unknown one (`None`).
pub fn admit<T: HasFacts>(candidate: T) -> Result<Admitted<T>, Refusal> {
    let notice = match &candidate.facts().status {
        Some(Status::Published) => None,
        Some(Status::Deprecated) => Some(Notice {
            code: "status-deprecated",
            message: SafeText::new("the registry says that this version is deprecated"),
        }),
        None => Some(Notice {
            code: UNKNOWN,
            message: SafeText::new("the registry doesn't say whether this version is published"),
        }),
        Some(Status::Refused(word)) => return Err(Refusal::Status { status: SafeText::new(word) }),
    };
    Ok(Admitted { candidate, notice })
}

impl<T> Admitted<T> {
    /// The admitted candidate.
    pub const fn candidate(&self) -> &T {
        &self.candidate
    }

    /// The remark about its status.
    pub const fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Replaces the candidate by its next form, which is admitted by its own status: an admission never passes to
    /// another candidate.
    ///
    /// # Errors
    /// When the next form can't be made, or its status refuses it.
    pub fn and_then<U: HasFacts, E: From<Refusal>>(
        self,
        next: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Admitted<U>, E> {
        Ok(admit(next(self.candidate)?)?)
    }

    /// Combines the outcomes of the policies, once. Returns the candidate, bound to the effect, and the ruling to show.
    ///
    /// # Errors
    /// [`Refusal::NoPolicies`] when no policy has judged it.
    pub fn rule(self, policies: Vec<Evaluated>) -> Result<(Ruled<T>, Ruling), Refusal> {
        let ruling = Ruling::of(policies)?;
        Ok((Ruled { candidate: self.candidate, effect: ruling.effect }, ruling))
    }
}

/// What the signed statements that a layer goes by say of the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedStatus {
    /// The layer.
    pub layer: LayerName,
    /// The status; why nobody who is believed states one otherwise.
    pub status: Result<Status, SafeText>,
}

impl<T> Admitted<T> {
    /// Holds the candidate against what signed statements say of its status: each layer that goes by statements needs one
    /// that allows it to run (spec section 11). What the registry itself says was admitted before.
    ///
    /// # Errors
    /// [`Refusal::Unstated`] where nobody who is believed states a status; [`Refusal::StatedStatus`] for one that refuses.
    pub fn stated(mut self, statuses: &[StatedStatus]) -> Result<Self, Refusal> {
        for StatedStatus { layer, status } in statuses {
            let (layer, signed) = (*layer, "who signs for this version says that it is deprecated");
            match status {
                Ok(Status::Published) => {}
                Ok(Status::Deprecated) => {
                    let notice = Notice { code: "status-deprecated", message: SafeText::new(signed) };
                    self.notice.get_or_insert(notice);
                }
                Ok(Status::Refused(word)) => {
                    return Err(Refusal::StatedStatus { layer, status: SafeText::new(word) });
                }
                Err(why) => return Err(Refusal::Unstated { layer, why: why.clone() }),
            }
        }
        // Who is believed has said what the registry has not.
        self.notice = self.notice.filter(|notice| statuses.is_empty() || notice.code != UNKNOWN);
        Ok(self)
    }
}

impl<T> Admitted<T> {
    /// Holds the candidate against the rule that servers are confined in full (spec section 14), where it is one.
    ///
    /// # Errors
    /// [`Refusal::Unconfined`] when that can't be had on this machine.
    pub fn confined(self, confinement: &Confinement, required: bool) -> Result<Self, Refusal> {
        if required && confinement.state != ConfinementState::Full {
            return Err(Refusal::Unconfined { confinement: confinement.clone() });
        }
        Ok(self)
    }
}

/// The outcome of all policies together for one candidate, to be shown. It does not allow a start.
#[derive(Debug)]
pub struct Ruling {
    policies: Vec<Evaluated>, // INVARIANT: at least one.
    effect: Effect,           // INVARIANT: the maximum of the effects of `policies`.
    believed_by: Vec<LayerName>,
    verified_by: Vec<LayerName>,
    statements: Vec<StatedDocument>,
}

impl Ruling {
    /// Combines outcomes: the decision is the strictest effect of any policy, in any order.
    pub fn of(policies: Vec<Evaluated>) -> Result<Self, Refusal> {
        let effect = policies.iter().map(Evaluated::effect).max().ok_or(Refusal::NoPolicies)?;
        let (believed_by, verified_by, statements) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { policies, effect, believed_by, verified_by, statements })
    }

    /// The same ruling, with the layers that believe the registry's facts, in their order. It is shown, and changes no
    /// effect: the policies of the other layers were told of no facts.
    #[must_use]
    pub fn believed_by(self, layers: Vec<LayerName>) -> Self {
        Self { believed_by: layers, ..self }
    }

    /// The same ruling, with the layers that take the package's namespace for verified. It is shown, and changes no effect.
    #[must_use]
    pub fn verified_by(self, layers: Vec<LayerName>) -> Self {
        Self { verified_by: layers, ..self }
    }

    /// The same ruling, with the signed statements that layers went by. They are shown, and change no effect.
    #[must_use]
    pub fn by_statements(self, statements: Vec<StatedDocument>) -> Self {
        Self { statements, ..self }
    }

    /// The signed statements that layers went by.
    pub fn statements(&self) -> &[StatedDocument] {
        &self.statements
    }

    /// The layers that believe the registry's facts.
    pub fn believers(&self) -> &[LayerName] {
        &self.believed_by
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

/// A candidate, bound to the effect of its ruling. Only the ruling on a package can be applied, and only once: a facts
/// document has nothing to start.
#[derive(Debug)]
pub struct Ruled<T> {
    candidate: T, // INVARIANT: private; `effect` is the effect of its own ruling.
    effect: Effect,
}

impl<T> Ruled<T> {
    /// The candidate, by reference only: it can start only through [`apply`](Ruled::apply).
    pub const fn candidate(&self) -> &T {
        &self.candidate
    }
}

impl Ruled<ResolvedPackage> {
    /// Applies the ruling to the package.
    pub fn apply(self) -> Decision {
        let package = self.candidate;
        match self.effect {
            Effect::Pass | Effect::Warn => Decision::Allow(Clearance { package }),
            Effect::Ask => Decision::Ask(Question { package }),
            Effect::Block => Decision::Deny(Refusal::ByPolicy),
        }
    }
}

/// The decision about a launch.
#[derive(Debug)]
pub enum Decision {
    /// The launch may go on.
    Allow(Clearance),
    /// It may go on if the user consents.
    Ask(Question),
    /// It must not go on.
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
    /// A refusal for every answer that is not consent.
    pub fn answer(self, consent: Consent) -> Result<Clearance, Refusal> {
        match consent {
            Consent::Trusted | Consent::Accepted => Ok(Clearance { package: self.package }),
            Consent::Declined => Err(Refusal::Declined),
            Consent::NobodyToAsk => Err(Refusal::NobodyToAsk),
        }
    }
}

/// The reason why a launch is refused. Every refusal ends in exit code 4 (spec section 4).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A policy blocks it.
    #[error("refused by policy")]
    ByPolicy,
    /// No policy has judged it: an empty set of policies allows nothing.
    #[error("no policy has judged it, and nothing starts unjudged; `smcp policy list` shows what is configured")]
    NoPolicies,
    /// The user did not consent.
    #[error("not started: the answer was not yes")]
    Declined,
    /// It needs consent, but no user can be asked.
    #[error("not started: it needs consent and nobody can be asked here; pass --trust to consent in advance")]
    NobodyToAsk,
    /// Its status in the registry forbids it; no mode and no waiver changes that.
    #[error("the registry says that this version is `{status}`, and only published or deprecated versions may run")]
    Status {
        /// The registry's word.
        status: SafeText,
    },
    /// Its status forbids it, as somebody says by a signed statement whom a layer believes.
    #[error(
        "whoever the {} layer believes has signed that this version is `{status}`, and only published or deprecated \
         versions may run",
        layer.as_str()
    )]
    StatedStatus {
        /// The layer.
        layer: LayerName,
        /// The word of the statement.
        status: SafeText,
    },
    /// A layer goes by signed statements, and none that it believes says that the version may run.
    #[error(
        "the {} layer goes by signed statements, and nobody whom it believes states that this version may run: {why}",
        layer.as_str()
    )]
    Unstated {
        /// The layer.
        layer: LayerName,
        /// Why there is no such statement.
        why: SafeText,
    },
    /// Servers must be confined in full, and this one can't be.
    #[error(
        "servers must be confined in full (`confinement: required`), and this one would be {confinement}{}",
        remedies(confinement)
    )]
    Unconfined {
        /// How far it could be.
        confinement: Confinement,
    },
}

/// What closes the gaps of a confinement, a line each.
fn remedies(confinement: &Confinement) -> String {
    confinement.missing.iter().map(|gap| format!("\n  {}", gap.remedy())).collect()
}

impl Refusal {
    /// The stable name used in JSON.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ByPolicy => "policy",
            Self::NoPolicies => "no-policies",
            Self::Declined => "declined",
            Self::NobodyToAsk => "nobody-to-ask",
            Self::Status { .. } | Self::StatedStatus { .. } => "status",
            Self::Unstated { .. } => "status-unsigned",
            Self::Unconfined { .. } => "confinement",
        }
    }
}

/// A remark about the package that does not come from a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// A stable name for machines.
    pub code: &'static str,
    /// One sentence for people.
    pub message: SafeText,
}
