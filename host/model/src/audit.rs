//! The audit log's vocabulary: events, heads, results of a verification.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::text::SafeText;
use crate::word::deserialize_word;
use crate::word::serialize_as_word;

/// The schema of a record.
pub const SCHEMA: &str = "smcp.audit/1";

/// The event that a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A package was allowed or refused.
    Decision,
    /// No decision was possible, or the decision could not be carried out; no server was started.
    Failure,
    /// A server is about to be started.
    Start,
    /// A server has ended, or could not be started after all.
    End,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 4] = [Self::Decision, Self::Failure, Self::Start, Self::End];

    /// The word used in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Failure => "failure",
            Self::Start => "start",
            Self::End => "end",
        }
    }
}

serialize_as_word!(Event);
deserialize_word!(Event);

/// A record's number and digest, which the next record refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Head {
    /// Its number, from 1.
    pub seq: u64,
    /// The digest of its line, line feed included.
    pub digest: Digest,
}

impl Head {
    /// The head that the first record refers to: number 0, digest of zeros.
    pub const NOTHING: Self = Self { seq: 0, digest: Digest::ZERO };
}

/// A line of a log that matches a search.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundLine {
    /// The file that it is in.
    pub file: SafeText,
    /// Its line number in that file, from 1.
    pub line: u64,
    /// The line as JSON; null when it is not JSON.
    pub value: serde_json::Value,
}

/// A fault in a log that smcp itself can't leave.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Break {
    /// The file that it is in.
    pub file: SafeText,
    /// Its line number in that file, from 1.
    pub line: u64,
    /// The fault, the expected value, and the possible cause.
    pub message: SafeText,
}

/// The result of verifying a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// The files that were read, oldest first.
    pub files: Vec<SafeText>,
    /// The number of records in them.
    pub records: u64,
    /// The last record; `None` when the log has no record.
    pub head: Option<Head>,
    /// The time that the last record gives for itself.
    pub last_time: Option<String>,
    /// The faults that smcp itself can't leave, up to a limit.
    pub breaks: Vec<Break>,
    /// The number of further breaks.
    pub more: u64,
    /// Unusual lines that are not breaks: traces of writers that were killed.
    pub notes: Vec<Break>,
    /// Runs whose server has a recorded start but no recorded end, up to a limit.
    pub unended: BTreeSet<u64>,
    /// The number of further such runs.
    pub more_unended: u64,
    /// Those of `unended` whose server still runs. A run that is not known here counts as ended.
    pub living: BTreeSet<u64>,
    /// Files beside the log that look like parts of it, but that smcp did not put aside.
    pub foreign: Vec<SafeText>,
}

impl Verification {
    /// Whether the chain has no break.
    pub const fn is_intact(&self) -> bool {
        self.breaks.is_empty()
    }

    /// Runs whose server has ended without a record of its end, up to a limit.
    pub fn lost(&self) -> impl Iterator<Item = u64> {
        self.unended.difference(&self.living).copied()
    }
}
