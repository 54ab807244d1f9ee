//! Why a decision came about, policy by policy.
//!
//! Where each comes from, what it was told, and what would change its mind.
//!
//! `pipeline` makes it beside a ruling, and `report` shows both.

use crate::passing::OtherFact;
use crate::passing::PassingFacts;
use smcp_model::facts::Facts;
use smcp_model::request::Context;
use smcp_model::text::SafeText;

/// Why a ruling came about, with what would change it.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The circumstances of the evaluation.
    pub context: Context,
    /// Every policy, in the order of the ruling.
    pub policies: Vec<ExplainedPolicy>,
    /// The change of facts with which the package would run; `None` when it runs already, or none was found.
    pub together: Option<Vec<OtherFact>>,
    /// Whether the search for it ended at its bound: another one may do with less, or there may be one.
    pub is_cut: bool,
}

/// One policy of a ruling.
#[derive(Debug, Clone)]
pub struct ExplainedPolicy {
    /// Where it was put in force, as `FILE:LINE:COLUMN`; `None` where it has its defaults.
    pub at: Option<SafeText>,
    /// What it was told of the package.
    pub told: ToldBy,
    /// What it takes for it not to object.
    pub way: Way,
}

/// Whose word a policy was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToldBy {
    /// The registry's.
    Registry,
    /// The registry's, but that the namespace is verified: so the layer says.
    Verified,
    /// Nobody's: its layer does not trust the registry.
    Nothing,
    /// That of a signed statement; nothing, where there was none that counts.
    Statement(Box<Facts>),
}

impl ToldBy {
    /// The word used in documents.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Verified => "verified-namespace",
            Self::Nothing => "nothing",
            Self::Statement(_) => "statement",
        }
    }
}

/// What it takes for a policy not to object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// It does not refuse.
    Open,
    /// Other facts of the package, as far as some were found.
    Facts(PassingFacts),
    /// Whatever the facts are, it fails: it could not be loaded, or does not accept its settings.
    Broken,
}
