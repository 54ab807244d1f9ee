//! The types of a case file.

use serde_json::Map;
use serde_json::Value;

use crate::expect::Expectation;
use smcp_yaml::Position;

/// The cases of one file, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFile {
    /// The cases; at least one.
    pub cases: Vec<Case>,
    /// The facts of all cases, bytes of JSON: what they count against [`Limits::facts`].
    pub facts_size: usize,
}

/// One case: what a policy is told, and what it is expected to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it shows; no other case of its file has the same name. One line, and all of it can be seen.
    pub name: String,
    /// The facts: a facts document, with `defaults` laid under it. What is absent is unknown. An `entrypoint`,
    /// `findings` or `permissions` that is there is whole: parts that the file doesn't name are empty.
    pub facts: Map<String, Value>,
    /// The settings.
    pub settings: Value,
    /// The circumstances.
    pub context: CaseContext,
    /// What the policy should do.
    pub expect: Expectation,
    /// Where the case stands.
    pub position: Position,
    /// Where its key `expect` stands.
    pub expected_at: Position,
}

/// The circumstances of a case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaseContext {
    /// When it is evaluated, in seconds since 1970-01-01T00:00:00Z; 0 when the file doesn't say it, so that a case
    /// means the same on every day.
    pub at: u64,
    /// Whether the caller passed `--trust`.
    pub trust: bool,
    /// Whether a person can be asked.
    pub interactive: bool,
}

/// What a case file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The file, bytes.
    pub file: usize,
    /// The file with every alias written out, bytes of text and two for every value.
    pub expanded: usize,
    /// Opening brackets, `[` and `{` together.
    pub brackets: usize,
    /// Cases.
    pub cases: usize,
    /// The facts of all cases with `defaults` laid under them, bytes of JSON.
    pub facts: usize,
    /// One name, bytes.
    pub name: usize,
    /// Problems that are told, at most.
    pub problems: usize,
    /// Bytes that are read again to find the places of problems: each takes one more walk through the file.
    pub reread: usize,
}

impl Limits {
    /// What a case file may have when nobody says anything else.
    pub const DEFAULT: Self = Self {
        // A thousand cases with all their messages have a fifth of it.
        file: 1024 * 1024,
        // A file of plain text hardly reaches it, a few lines of nested aliases would.
        expanded: 4 * 1024 * 1024,
        // A thousand cases in braces have some eight thousand. The parser's time grows with the square of their depth: as
        // many inside one another take a second.
        brackets: 15_000,
        // Ten times as many as are run in a second.
        cases: 10_000,
        // Ten thousand cases with a large set of facts; a file of a few bytes each over one large default is far more.
        facts: 64 * 1024 * 1024,
        // Two lines of a terminal.
        name: 200,
        // More than a person reads at once.
        problems: 100,
        reread: 16 * 1024 * 1024,
    };
}
