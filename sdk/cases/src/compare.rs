//! The differences between what a case expects and what a policy did.

use std::fmt;

use crate::expect::Expectation;
use crate::expect::ExpectedFinding;
use crate::expect::ExpectedProblem;
use crate::found::Found;
use crate::found::FoundFinding;
use crate::found::FoundProblem;

/// One difference between what was expected and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// An expected item is missing.
    Missing {
        /// What: "violation `x`".
        what: String,
        /// Its message, where the case has one.
        message: Option<String>,
    },
    /// An item was not expected.
    Unexpected {
        /// What: "violation `x`".
        what: String,
        /// Its message.
        message: String,
    },
    /// An item was expected, but a part of it differs.
    Changed {
        /// What: "the message of violation `x`".
        what: String,
        /// The expected text.
        expected: String,
        /// The text that was found; `None` when there is none.
        found: Option<String>,
    },
    /// All items are there, in another order.
    Order {
        /// What: "violations".
        what: &'static str,
        /// The expected order.
        expected: Vec<String>,
        /// The order that was found.
        found: Vec<String>,
    },
    /// The outcome is of another kind: a fault in place of a verdict, settings that were accepted.
    Outcome {
        /// What was expected, in words.
        expected: String,
        /// Returns what happened, in words.
        found: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { what, message: None } => write!(f, "{what} was expected, and is missing"),
            Self::Missing { what, message: Some(message) } => {
                write!(f, "{what} was expected, and is missing: {message}")
            }
            Self::Unexpected { what, message } => write!(f, "{what} was not expected: {message}"),
            Self::Changed { what, expected, found } => {
                let found = found.as_deref().unwrap_or("nothing");
                write!(f, "{what} is another\n  expected  {expected}\n  found     {found}")
            }
            Self::Order { what, expected, found } => {
                let (expected, found) = (expected.join(", "), found.join(", "));
                write!(f, "the {what} are in another order\n  expected  {expected}\n  found     {found}")
            }
            Self::Outcome { expected, found } => write!(f, "expected  {expected}\nfound     {found}"),
        }
    }
}

/// Returns every difference between what is expected and what was found; none when the case holds.
pub fn compare(expected: &Expectation, found: &Found) -> Vec<Difference> {
    match (expected, found) {
        (
            Expectation::Verdict { violations, notices },
            Found::Verdict { violations: found_violations, notices: found_notices },
        ) => {
            let mut differences = Vec::new();
            list("violation", "violations", violations, found_violations, &mut differences);
            list("notice", "notices", notices, found_notices, &mut differences);
            differences
        }
        (Expectation::Problems(expected), Found::Problems(found)) => {
            let mut differences = Vec::new();
            list("problem at", "problems", expected, found, &mut differences);
            differences
        }
        (Expectation::Fault(expected), Found::Fault { kind, .. }) if expected == kind => Vec::new(),
        // Refused settings are this fault, whatever the reasons are.
        (Expectation::Fault("settings"), Found::Problems(_)) => Vec::new(),
        (expected, found) => vec![Difference::Outcome { expected: in_words(expected), found: happened(found) }],
    }
}

/// An expected item of a list.
trait Expected {
    type Found;
    /// The name by which expected and found items are paired.
    fn key(&self) -> &str;
    fn message(&self) -> Option<&str>;
    fn found_key(found: &Self::Found) -> &str;
    fn found_message(found: &Self::Found) -> &str;
    /// The parts that differ: the part, the expected text, the text found.
    fn changes<'a>(&'a self, found: &'a Self::Found) -> Vec<(&'static str, &'a str, Option<&'a str>)>;
}

/// Returns a part when a text is expected for it and another one was found.
fn change<'a>(
    part: &'static str,
    expected: Option<&'a str>,
    found: Option<&'a str>,
) -> Option<(&'static str, &'a str, Option<&'a str>)> {
    expected.filter(|expected| Some(*expected) != found).map(|expected| (part, expected, found))
}

impl Expected for ExpectedFinding {
    type Found = FoundFinding;

    fn key(&self) -> &str {
        &self.code
    }

    fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    fn found_key(found: &FoundFinding) -> &str {
        &found.code
    }

    fn found_message(found: &FoundFinding) -> &str {
        &found.message
    }

    fn changes<'a>(&'a self, found: &'a FoundFinding) -> Vec<(&'static str, &'a str, Option<&'a str>)> {
        let message = change("message", self.message.as_deref(), Some(&found.message));
        let fact = change("fact", self.fact.as_deref(), found.fact.as_deref());
        message.into_iter().chain(fact).collect()
    }
}

impl Expected for ExpectedProblem {
    type Found = FoundProblem;

    fn key(&self) -> &str {
        &self.path
    }

    fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    fn found_key(found: &FoundProblem) -> &str {
        &found.path
    }

    fn found_message(found: &FoundProblem) -> &str {
        &found.message
    }

    fn changes<'a>(&'a self, found: &'a FoundProblem) -> Vec<(&'static str, &'a str, Option<&'a str>)> {
        change("message", self.message.as_deref(), Some(&found.message)).into_iter().collect()
    }
}

/// Adds the differences of two lists. Items are paired along the longest common subsequence of their names.
fn list<E: Expected>(
    one: &str,
    many: &'static str,
    expected: &[E],
    found: &[E::Found],
    differences: &mut Vec<Difference>,
) {
    let what = |key: &str| format!("{one} `{}`", shown(key));
    let (expected_keys, found_keys): (Vec<_>, Vec<_>) =
        (expected.iter().map(E::key).collect(), found.iter().map(E::found_key).collect());
    let sorted = |keys: &[&str]| {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.join("\n")
    };
    if expected_keys != found_keys && sorted(&expected_keys) == sorted(&found_keys) {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        differences.push(Difference::Order { what: many, expected: owned(&expected_keys), found: owned(&found_keys) });
        return;
    }
    for pair in paired(&expected_keys, &found_keys) {
        match (pair.0.and_then(|index| expected.get(index)), pair.1.and_then(|index| found.get(index))) {
            (Some(expected), None) => differences.push(Difference::Missing {
                what: what(expected.key()),
                message: expected.message().map(str::to_owned),
            }),
            (None, Some(found)) => differences.push(Difference::Unexpected {
                what: what(E::found_key(found)),
                message: E::found_message(found).to_owned(),
            }),
            (Some(expected), Some(found)) => {
                let changed = expected.changes(found).into_iter();
                differences.extend(changed.map(|(part, text, other)| Difference::Changed {
                    what: format!("the {part} of {}", what(expected.key())),
                    expected: text.to_owned(),
                    found: other.map(str::to_owned),
                }));
            }
            (None, None) => {}
        }
    }
}

/// Returns a code or a pointer for a message; the empty pointer in quotes, as a file has it.
const fn shown(key: &str) -> &str {
    if key.is_empty() { "\"\"" } else { key }
}

/// Pairs two lists of names along their longest common subsequence; the others stay alone. Keeps the order.
fn paired(expected: &[&str], found: &[&str]) -> Vec<(Option<usize>, Option<usize>)> {
    let width = found.len().saturating_add(1);
    let mut lengths = vec![0_usize; width.saturating_mul(expected.len().saturating_add(1))];
    let at = |row: usize, column: usize| row.saturating_mul(width).saturating_add(column);
    let get = |lengths: &[usize], row, column| lengths.get(at(row, column)).copied().unwrap_or(0);
    for (row, one) in expected.iter().enumerate().rev() {
        for (column, other) in found.iter().enumerate().rev() {
            let longest = if one == other {
                get(&lengths, row + 1, column + 1).saturating_add(1)
            } else {
                get(&lengths, row + 1, column).max(get(&lengths, row, column + 1))
            };
            if let Some(place) = lengths.get_mut(at(row, column)) {
                *place = longest;
            }
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while row < expected.len() || column < found.len() {
        let both = row < expected.len() && column < found.len();
        if both && expected.get(row) == found.get(column) {
            pairs.push((Some(row), Some(column)));
            (row, column) = (row + 1, column + 1);
        } else if row < expected.len() && (!both || get(&lengths, row + 1, column) >= get(&lengths, row, column + 1)) {
            pairs.push((Some(row), None));
            row += 1;
        } else {
            pairs.push((None, Some(column)));
            column += 1;
        }
    }
    pairs
}

/// Returns what is expected, in words.
fn in_words(expected: &Expectation) -> String {
    match expected {
        Expectation::Verdict { violations, notices } => {
            let codes = |findings: &[ExpectedFinding]| findings.iter().map(|it| it.code.clone()).collect::<Vec<_>>();
            verdict(&codes(violations), &codes(notices))
        }
        Expectation::Problems(problems) => {
            let paths: Vec<_> = problems.iter().map(|problem| format!("`{}`", shown(&problem.path))).collect();
            format!("the settings are refused at {}", paths.join(", "))
        }
        Expectation::Fault(kind) => format!("the fault `{kind}`"),
    }
}

/// Returns what happened, in words.
fn happened(found: &Found) -> String {
    match found {
        Found::Verdict { violations, notices } => {
            let codes = |findings: &[FoundFinding]| findings.iter().map(|it| it.code.clone()).collect::<Vec<_>>();
            verdict(&codes(violations), &codes(notices))
        }
        Found::Problems(problems) => {
            let said: Vec<_> = problems.iter().map(|it| format!("`{}`: {}", shown(&it.path), it.message)).collect();
            format!("the settings are refused: {}", said.join("; "))
        }
        Found::Fault { kind, message } => format!("the fault `{kind}`: {message}"),
    }
}

fn verdict(violations: &[String], notices: &[String]) -> String {
    let said = if violations.is_empty() { "allow".to_owned() } else { format!("violations {}", violations.join(", ")) };
    if notices.is_empty() { said } else { format!("{said}, notices {}", notices.join(", ")) }
}
