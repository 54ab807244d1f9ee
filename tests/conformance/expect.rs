//! The expected answer of a case, the observed one, and the differences.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The answer of one way of running a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observed {
    /// The exit code.
    pub(crate) exit: u8,
    /// The decision; `None` after an error.
    pub(crate) decision: Option<String>,
    /// Every policy by name, with `skipped` or its effect.
    pub(crate) policies: Vec<(String, String)>,
    /// The codes of all violations, policy by policy.
    pub(crate) violations: Vec<String>,
    /// The codes of all notices: those of the policies, then those of the decision.
    pub(crate) notices: Vec<String>,
    /// All texts: messages and remedies, or the error.
    pub(crate) says: Vec<String>,
}

impl Observed {
    /// Makes the answer for an error in place of a decision.
    pub(crate) fn error(exit: u8, message: String) -> Self {
        let (policies, violations, notices) = (Vec::new(), Vec::new(), Vec::new());
        Self { exit, decision: None, policies, violations, notices, says: vec![message] }
    }
}

/// The answer that a case must get.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    exit: u8,
    /// Absent for an error.
    decision: Option<String>,
    /// These policies, with `skipped` or their effect; the others are not checked.
    #[serde(default)]
    policies: BTreeMap<String, String>,
    /// Exactly these codes; none if absent.
    #[serde(default)]
    violations: Vec<String>,
    /// Exactly these codes; any if absent.
    notices: Option<Vec<String>>,
    /// Texts that must be in the answer.
    #[serde(default)]
    contains: Vec<String>,
    /// Texts that a person must see, where there is no document; after an error, in addition to `says`.
    #[serde(default)]
    shows: Vec<String>,
}

impl Expect {
    /// Whether the case expects an error and not a decision.
    pub(crate) const fn is_error(&self) -> bool {
        self.decision.is_none()
    }

    /// Returns the texts that a person must see.
    pub(crate) fn shown(&self) -> Vec<String> {
        if self.is_error() { [self.contains.clone(), self.shows.clone()].concat() } else { self.shows.clone() }
    }

    /// Returns every difference between `seen` and the expected answer.
    pub(crate) fn misses(&self, seen: &Observed) -> Vec<String> {
        let mut misses = unsaid(&self.contains, &seen.says.join("\n"));
        differ("exit code", &self.exit, &seen.exit, &mut misses);
        differ("decision", &self.decision, &seen.decision, &mut misses);
        differ("violations", &self.violations, &seen.violations, &mut misses);
        if let Some(notices) = &self.notices {
            differ("notices", notices, &seen.notices, &mut misses);
        }
        for (name, state) in &self.policies {
            let found = seen.policies.iter().find(|(policy, _)| policy == name).map(|(_, state)| state);
            differ(name, &Some(state), &found, &mut misses);
        }
        misses
    }
}

/// Returns the texts that are not in `said`.
pub(crate) fn unsaid(texts: &[String], said: &str) -> Vec<String> {
    let missing = texts.iter().filter(|text| !said.contains(*text));
    missing.map(|text| format!("nothing says `{text}`, only: {said}")).collect()
}

fn differ<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T, misses: &mut Vec<String>) {
    if expected != found {
        misses.push(format!("{what}: expected {expected:?}, found {found:?}"));
    }
}
