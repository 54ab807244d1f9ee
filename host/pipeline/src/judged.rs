//! What a decision was about, and how it came out.

use crate::offline::FACTS_FROM_CACHE;
use crate::remote::FETCHED_EACH_TIME;
use crate::remote::NOT_REFRESHED;
use crate::session::COMPILED_EACH_TIME;
use smcp_decide as decide;
use smcp_decide::Conclusion;
use smcp_decide::Lift;
use smcp_decide::Notice;
use smcp_decide::Ruling;
use smcp_model::access::Access;
use smcp_model::decision::Consent;
use smcp_model::decision::DecisionDocument;
use smcp_model::decision::exit_for;
use smcp_model::exit::ExitKind;
use smcp_model::facts::Facts;
use smcp_model::request::Subject;

/// A package, or a facts document, with the decision about it.
#[derive(Debug)]
pub struct Judged {
    /// What was evaluated.
    pub subject: Subject,
    /// The decision, with the outcome of each policy.
    pub ruling: Ruling,
    /// What else the user should know.
    pub notices: Vec<Notice>,
    /// What exceptions would have to say for a refusal to be lifted; none is applied.
    pub lifts: Vec<Lift>,
    /// The facts that a signed statement gives, for the first layer that goes by statements; `None` where none does. They
    /// are what somebody else than the registry vouches for.
    pub stated: Option<Facts>,
    /// What the server would have access to; `None` unless one is about to start.
    pub access: Option<Access>,
}

impl Judged {
    /// Whether there is nothing to report but that it may run: no score below the warning threshold, no notice, nothing
    /// that had to be accepted. An unknown score is not a low one; a policy with a minimum score is violated by it.
    pub fn is_quiet(&self) -> bool {
        self.notices.is_empty() && self.is_clean()
    }

    /// Whether the model that will use the server must be warned. Facts from the cache that are young enough are as
    /// good as any, and so is code that was compiled just now: the user and the audit log are told of them, the model is
    /// not.
    pub fn concerns_the_model(&self) -> bool {
        let untold = [FACTS_FROM_CACHE, COMPILED_EACH_TIME, NOT_REFRESHED, FETCHED_EACH_TIME];
        let concerns = |notice: &Notice| !untold.contains(&notice.code);
        !self.is_clean() || self.notices.iter().any(concerns)
    }

    /// How the program ends after this decision; `consent` is the answer to its question.
    pub const fn exit(&self, consent: Option<Consent>) -> ExitKind {
        exit_for(self.ruling.effect(), consent)
    }

    /// The decision as a document for machines; `consent` is the answer to its question.
    pub fn document(&self, consent: Option<Consent>) -> DecisionDocument {
        decide::document(&self.subject, self.conclusion(), &self.notices, self.exit(consent))
    }

    /// How the decision came about.
    pub const fn conclusion(&self) -> Conclusion<'_> {
        Conclusion::Ruled(&self.ruling)
    }

    fn is_clean(&self) -> bool {
        self.subject.facts.doubts.is_empty() && self.ruling.policies().iter().all(|policy| policy.outcome.is_silent())
    }
}
