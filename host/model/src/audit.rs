//! The audit log's vocabulary: events, heads, and what a verification finds.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::text::SafeText;
use crate::word::deserialize_word;
use crate::word::serialize_as_word;

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Something was decided about a package.
    Decision,
    /// Nothing could be decided, or what was decided could not be carried out, and no server was started.
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

/// A record's place in the chain: what the record after it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Head {
    /// Its number, from 1.
    pub seq: u64,
    /// The digest of its line, the line's end included.
    pub digest: Digest,
}

impl Head {
    /// What the first record refers to: nothing, number 0.
    pub const NOTHING: Self = Self { seq: 0, digest: Digest::ZERO };
}

/// A line of a log that was looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundLine {
    /// In which file.
    pub file: SafeText,
    /// In which line of it, from 1.
    pub line: u64,
    /// The line as JSON; null when it is not JSON.
    pub value: serde_json::Value,
}

/// Something in a log that no writer leaves.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Break {
    /// In which file.
    pub file: SafeText,
    /// In which line of it, from 1.
    pub line: u64,
    /// What is wrong, what was expected, and what may have happened.
    pub message: SafeText,
}

/// What the verification of a log has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// The files that were read, oldest first.
    pub files: Vec<SafeText>,
    /// How many records they hold.
    pub records: u64,
    /// The last record; none when there is no record.
    pub head: Option<Head>,
    /// When the last record was written, as it says.
    pub last_time: Option<String>,
    /// Everything that no writer leaves, up to a limit.
    pub breaks: Vec<Break>,
    /// How many more there are.
    pub more: u64,
    /// What is unusual and no break: traces of writers that were killed.
    pub notes: Vec<Break>,
    /// Runs that started a server of which no end is recorded, up to a limit.
    pub unended: BTreeSet<u64>,
    /// How many more there are.
    pub more_unended: u64,
    /// Those of them whose server lives; what is not known here counts as none.
    pub living: BTreeSet<u64>,
    /// Files beside the log that look like parts of it, and that smcp did not put aside.
    pub foreign: Vec<SafeText>,
}

impl Verification {
    /// Whether the chain holds.
    pub const fn is_intact(&self) -> bool {
        self.breaks.is_empty()
    }

    /// Runs whose server has ended without a record of it, up to a limit.
    pub fn lost(&self) -> impl Iterator<Item = u64> {
        self.unended.difference(&self.living).copied()
    }
}
