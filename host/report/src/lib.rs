//! Shows decisions to people and programs, and asks for consent.
//!
//! Before it `decide` has ruled; after it `launch` starts what was cleared. Nothing here decides: the caller passes
//! effects, exit codes and terminals, and a writer for all output.

pub mod ahead;
pub mod bench;
pub mod built;
pub mod cache;
pub mod cases;
pub mod client_error;
mod confinement;
pub mod diagnosis;
pub mod diff;
pub mod draft;
pub mod explanation;
mod headline;
pub mod human;
pub mod inspection;
pub mod json;
pub mod junit;
mod lift;
pub mod listing;
pub mod message;
pub mod ocsf;
pub mod package;
pub mod progress;
pub mod prompt;
mod quote;
pub mod records;
pub mod replay;
pub mod sarif;
pub mod scan;
pub mod server_data;
pub mod signing;
pub mod stated;
pub mod style;
pub mod summary;
pub mod table;
pub mod warning;
pub mod wrap;
mod xml;

#[cfg(test)]
mod fixtures;

use smcp_decide::Conclusion;
use smcp_decide::Lift;
use smcp_decide::Notice;
use smcp_model::access::Access;
use smcp_model::decision::Consent;
use smcp_model::decision::DecisionDocument;
use smcp_model::exit::ExitKind;
use smcp_model::mode::Effect;
use smcp_model::policy::LayerName;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;

/// One decision, and everything to show with it.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The package that the decision is about.
    pub subject: &'a Subject,
    /// The decision, or the reason why there is no ruling.
    pub conclusion: Conclusion<'a>,
    /// Remarks that come from no policy. The subject's doubts are added when the report is shown: leave them out.
    pub notices: &'a [Notice],
    /// What exceptions would have to say for a refusal to be lifted.
    pub lifts: &'a [Lift],
    /// The answer to a question, `None` while it is unknown; [`Consent::Trusted`] whenever `--trust` was passed.
    pub consent: Option<Consent>,
    /// The start that is shown to a person at a terminal; `None` otherwise.
    pub start: Option<Start<'a>>,
    /// Whether the report has to fit on one screen: policies that report nothing are left out.
    pub brief: bool,
    /// The purpose of the decision.
    pub purpose: Purpose,
    /// How the program exits if it ends here (spec section 4).
    pub exit: ExitKind,
}

/// A server that is about to start.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// What the server gets, and what is kept from it.
    pub access: &'a Access,
}

/// The purpose of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `run`: the server starts if it may, and smcp asks for consent where that is needed.
    Launch,
    /// `run --dry-run`: nothing starts, and smcp doesn't ask.
    DryRun,
    /// `policy check` and `policy eval`: nothing would start in any case.
    Check,
}

impl Report<'_> {
    /// Returns the decision as a document for programs.
    pub fn document(&self) -> DecisionDocument {
        smcp_decide::document(self.subject, self.conclusion, self.notices, self.exit)
    }

    /// Returns whom to ask about the policies whose effect is at least `least`: each contact once, with its layer.
    fn contacts(&self, least: Effect) -> Vec<(LayerName, &SafeText)> {
        let mut found: Vec<(LayerName, &SafeText)> = Vec::new();
        if let Conclusion::Ruled(ruling) = self.conclusion {
            for policy in ruling.policies().iter().filter(|policy| policy.effect() >= least) {
                let contact = policy.contact().map(|contact| (policy.layer(), contact));
                found.extend(contact.filter(|contact| !found.contains(contact)));
            }
        }
        found
    }

    /// Returns code and text of each remark that comes from no policy.
    fn asides(&self) -> impl Iterator<Item = (&'static str, &SafeText)> {
        smcp_decide::asides(self.subject, self.notices)
    }
}
