//! The outcome of a case: what a policy did.

/// What a policy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It gave a verdict; without violations it allows.
    Verdict {
        /// The reasons to refuse, in order.
        violations: Vec<FoundFinding>,
        /// The remarks, in order.
        notices: Vec<FoundFinding>,
    },
    /// It refused the settings, for these reasons, in order.
    Problems(Vec<FoundProblem>),
    /// It failed.
    Fault {
        /// The kind, one of [`FAULTS`](crate::FAULTS).
        kind: String,
        /// What happened.
        message: String,
    },
}

/// A finding of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFinding {
    /// Its stable name.
    pub code: String,
    /// The sentence for people.
    pub message: String,
    /// The field of the subject that it is about.
    pub fact: Option<String>,
    /// Advice for the reader. No case expects it, so that its words may change.
    pub remedy: Option<String>,
}

/// A problem that `check-settings` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundProblem {
    /// Where in the settings, as a JSON pointer.
    pub path: String,
    /// What is wrong.
    pub message: String,
}
