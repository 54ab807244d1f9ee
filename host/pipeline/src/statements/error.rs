//! Why statements about a package end a start.

use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;

/// A statement about a package is not what a layer demands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {} layer goes by signed statements, and about {package} {problem}\n  until the registry is in order, nothing \
         of it runs; {}", layer.as_str(), problem.advice())]
pub struct StatementError {
    /// The layer.
    pub layer: LayerName,
    /// `org/name@version`.
    pub package: String,
    /// What is wrong.
    pub problem: StatementProblem,
}

/// What is wrong with the statements about a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementProblem {
    /// A signature that is said to be by somebody who is believed is not by him.
    #[error("a signature is wrong: {0}")]
    Forged(SafeText),
    /// Somebody who is believed has signed what is no statement.
    #[error("a statement can't be used: {why}; it is signed by {signer}")]
    Unusable {
        /// Who has signed it.
        signer: SafeText,
        /// What is wrong with it.
        why: SafeText,
    },
    /// Somebody who is believed has signed a statement about something else, and it lies here.
    #[error("a statement is in the wrong place: {why}; it is signed by {signer}")]
    Misplaced {
        /// Who has signed it.
        signer: SafeText,
        /// What it is about.
        why: SafeText,
    },
    /// Two statements have the same number, and say different things.
    #[error("two statements have the number {sequence}: {one} and {other}")]
    Ambiguous {
        /// The number.
        sequence: u64,
        /// The digest of one.
        one: String,
        /// The digest of the other.
        other: String,
    },
    /// The newest statement is older than one that was seen.
    #[error("the newest statement has the number {sequence}, and {seen} was seen before")]
    RolledBack {
        /// Its number.
        sequence: u64,
        /// The number that was seen.
        seen: u64,
    },
    /// No statement holds, and the layer requires one.
    #[error("no statement holds: {0}")]
    Missing(SafeText),
}

impl StatementProblem {
    /// A stable name for machines.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Forged(_) => "statement-forged",
            Self::Unusable { .. } => "statement-unusable",
            Self::Misplaced { .. } => "statement-misplaced",
            Self::Ambiguous { .. } => "statement-ambiguous",
            Self::RolledBack { .. } => "statement-rollback",
            Self::Missing(_) => "statement-missing",
        }
    }

    const fn advice(&self) -> &'static str {
        match self {
            Self::Forged(_) | Self::Misplaced { .. } => "who runs it has to know who can write there",
            Self::Unusable { .. } | Self::Ambiguous { .. } => "who signs has to make a new statement",
            Self::RolledBack { .. } => "an older state of the registry may be shown to you: ask who runs it",
            Self::Missing(_) => "`smcp registry attest` makes a statement",
        }
    }
}
