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
    /// The size of the facts of all cases, in bytes of JSON, as [`Limits::facts`] counts it.
    pub facts_size: usize,
}

/// One case: what a policy is told, and what it is expected to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its name: what it shows, in one line without invisible characters. It is unique in its file.
    pub name: String,
    /// The facts: a facts document, laid over its `defaults`. An absent fact is unknown. An `entrypoint`, `findings` or
    /// `permissions` is complete: parts that the file doesn't name are empty.
    pub facts: Map<String, Value>,
    /// The settings.
    pub settings: Value,
    /// The circumstances.
    pub context: CaseContext,
    /// What the policy should do.
    pub expect: Expectation,
    /// The place of the case.
    pub position: Position,
    /// The place of its key `expect`.
    pub expected_at: Position,
}

/// The circumstances of a case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaseContext {
    /// The time of the evaluation, in seconds since 1970-01-01T00:00:00Z; 0 when the file doesn't say it, so that a
    /// case means the same on every day.
    pub at: u64,
    /// Whether the caller passed `--trust`.
    pub trust: bool,
    /// Whether a person can be asked.
    pub interactive: bool,
}

/// The limits of a case file.
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
    /// Problems that are reported.
    pub problems: usize,
    /// Bytes that are read again to find the places of problems: each problem takes one more walk through the file.
    pub reread: usize,
}

impl Limits {
    /// The usual limits.
    pub const DEFAULT: Self = Self {
        // A thousand cases with all their messages need a fifth of it.
        file: 1024 * 1024,
        // A file without aliases hardly reaches it; a few lines of nested aliases would.
        expanded: 4 * 1024 * 1024,
        // A thousand cases in braces have some eight thousand. The parser's time grows with the square of the depth:
        // this many inside one another take a second.
        brackets: 15_000,
        // They run in ten seconds.
        cases: 10_000,
        // Ten thousand cases with a large set of facts. Ten thousand short cases over one very large default exceed it.
        facts: 64 * 1024 * 1024,
        // Two lines of a terminal.
        name: 200,
        // More than a person reads at once.
        problems: 100,
        reread: 16 * 1024 * 1024,
    };
}
