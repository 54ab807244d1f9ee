//! Says what was decided, to people and machines, and asks a person.
//!
//! Before it `decide` has ruled; after it `launch` starts what was cleared. Nothing here decides anything: effects,
//! exit codes and terminals are given, and every word goes to a writer that the caller names.

pub mod cache;
pub mod client_error;
pub mod diagnosis;
mod headline;
pub mod human;
pub mod inspection;
pub mod json;
pub mod listing;
pub mod message;
pub mod package;
pub mod progress;
pub mod prompt;
mod quote;
pub mod records;
pub mod style;
pub mod summary;
pub mod table;
pub mod warning;
pub mod wrap;

#[cfg(test)]
mod fixtures;

use smcp_decide::Conclusion;
use smcp_decide::Notice;
use smcp_model::access::Access;
use smcp_model::decision::Consent;
use smcp_model::decision::DecisionDocument;
use smcp_model::exit::ExitKind;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;

/// One decision, with everything that is said about it.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The package that the decision is about.
    pub subject: &'a Subject,
    /// What was decided.
    pub conclusion: Conclusion<'a>,
    /// What is worth saying and no policy said. The subject's doubts are added when it is shown: leave them out.
    pub notices: &'a [Notice],
    /// The answer to a question, as far as it is known; [`Consent::Trusted`] whenever `--trust` was passed.
    pub consent: Option<Consent>,
    /// The start that a person at a terminal is about to see.
    pub start: Option<Start<'a>>,
    /// Whether only what is wrong has to be read, on one screen: policies that say nothing are left out.
    pub brief: bool,
    /// What the decision was made for.
    pub purpose: Purpose,
    /// How the program will end, should it end here (spec section 4).
    pub exit: ExitKind,
}

/// A start that is at hand, before the eyes of a person.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// What the server would get.
    pub access: &'a Access,
}

/// What a decision is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `run`: the server starts if it may, and a person is asked if one must be.
    Launch,
    /// `run --dry-run`: nothing starts and nobody is asked.
    DryRun,
    /// `policy check` and `policy eval`: nothing was meant to start.
    Check,
}

impl Report<'_> {
    /// The decision as a document for machines.
    pub fn document(&self) -> DecisionDocument {
        smcp_decide::document(self.subject, self.conclusion, self.notices, self.exit)
    }

    /// Code and text of everything that no policy said.
    fn asides(&self) -> impl Iterator<Item = (&'static str, &SafeText)> {
        smcp_decide::asides(self.subject, self.notices)
    }
}
