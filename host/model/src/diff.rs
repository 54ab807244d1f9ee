//! What changes between two ways to decide (`smcp.diff/1`).
//!
//! A package is judged twice: by another configuration, or at another time. What came of each is its [`Judgement`]; where the two differ there is a [`ChangedPackage`].
//! `smcp policy diff` and `smcp policy replay` make them, and `report` writes them.

mod changed;
mod totals;

pub use crate::diff::changed::ChangedPackage;
pub use crate::diff::changed::ChangedPolicy;
pub use crate::diff::changed::Judgement;
pub use crate::diff::changed::PolicyStanding;
pub use crate::diff::totals::CodeTotals;
pub use crate::diff::totals::PolicyTotals;
pub use crate::diff::totals::Totals;

use crate::mode::Effect;
use crate::word::serialize_as_word;

/// The schema of a document about changes.
pub const SCHEMA: &str = "smcp.diff/1";

/// What a change of a decision is called: by what it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transition {
    /// It is refused, and was not.
    NewlyBlocked,
    /// It needs consent. It needed none, or was refused.
    NewlyAsked,
    /// It runs with a warning. It ran with none, needed consent or was refused.
    NewlyWarned,
    /// It runs, and nothing is said. There was a warning or a question, or it was refused.
    NewlyAllowed,
    /// The decision is the same.
    Unchanged,
}

impl Transition {
    /// Every transition, in the order in which they are counted and listed.
    pub const ALL: [Self; 5] =
        [Self::NewlyBlocked, Self::NewlyAsked, Self::NewlyWarned, Self::NewlyAllowed, Self::Unchanged];

    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewlyBlocked => "newly_blocked",
            Self::NewlyAsked => "newly_asked",
            Self::NewlyWarned => "newly_warned",
            Self::NewlyAllowed => "newly_allowed",
            Self::Unchanged => "unchanged",
        }
    }

    /// The transition from one effect to another: the one table.
    pub const fn between(from: Effect, to: Effect) -> Self {
        match (from, to) {
            (Effect::Pass, Effect::Pass)
            | (Effect::Warn, Effect::Warn)
            | (Effect::Ask, Effect::Ask)
            | (Effect::Block, Effect::Block) => Self::Unchanged,
            (Effect::Pass | Effect::Warn | Effect::Ask, Effect::Block) => Self::NewlyBlocked,
            (Effect::Pass | Effect::Warn | Effect::Block, Effect::Ask) => Self::NewlyAsked,
            (Effect::Pass | Effect::Ask | Effect::Block, Effect::Warn) => Self::NewlyWarned,
            (Effect::Warn | Effect::Ask | Effect::Block, Effect::Pass) => Self::NewlyAllowed,
        }
    }
}

serialize_as_word!(Transition);

#[cfg(test)]
mod tests;
