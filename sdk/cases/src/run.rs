//! The results of cases.

use std::time::Duration;

use crate::case::Case;
use crate::compare::Difference;
use crate::compare::compare;
use crate::found::Found;
use smcp_yaml::Position;

/// The cases of one file, after they were run.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRun {
    /// The file, as messages show it.
    pub file: String,
    /// Its cases, in the order of the file.
    pub cases: Vec<CaseRun>,
}

/// One case, after it was run.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseRun {
    /// Its name.
    pub name: String,
    /// Its place in the file.
    pub position: Position,
    /// What the policy did.
    pub found: Found,
    /// The differences from what is expected; none when the case holds.
    pub differences: Vec<Difference>,
    /// The time that `evaluate` took; zero when it was not called.
    pub duration: Duration,
}

impl FileRun {
    /// How many cases hold.
    pub fn held(&self) -> usize {
        self.cases.iter().filter(|case| case.holds()).count()
    }
}

impl CaseRun {
    /// The result of a case, given what the policy did.
    pub fn of(case: &Case, found: Found, duration: Duration) -> Self {
        let differences = compare(&case.expect, &found);
        Self { name: case.name.clone(), position: case.position, found, differences, duration }
    }

    /// Whether the policy did what is expected.
    pub const fn holds(&self) -> bool {
        self.differences.is_empty()
    }
}
