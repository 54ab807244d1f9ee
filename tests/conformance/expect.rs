//! What a case expects, what was observed, and the difference.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What one way of running a case gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observed {
    /// The exit code.
    pub(crate) exit: u8,
    /// The decision; none when there was an error instead.
    pub(crate) decision: Option<String>,
    /// Every policy by name, with `skipped` or its effect.
    pub(crate) policies: Vec<(String, String)>,
    /// The codes of all violations, policy by policy.
    pub(crate) violations: Vec<String>,
    /// The codes of all notices: those of the policies, then those of the decision.
    pub(crate) notices: Vec<String>,
    /// Everything that is said: messages and remedies, or the error.
    pub(crate) says: Vec<String>,
}

impl Observed {
    /// An error in place of a decision.
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
    /// Absent: an error.
    decision: Option<String>,
    /// These policies, with `skipped` or their effect; the others may do as they like.
    #[serde(default)]
    policies: BTreeMap<String, String>,
    /// Exactly these codes; absent: none.
    #[serde(default)]
    violations: Vec<String>,
    /// Exactly these codes; absent: any.
    notices: Option<Vec<String>>,
    /// Texts that are said.
    #[serde(default)]
    contains: Vec<String>,
    /// Texts that a person is shown, where there is no document; those of an error besides.
    #[serde(default)]
    shows: Vec<String>,
}

impl Expect {
    /// Whether the case is about an error and not about a decision.
    pub(crate) const fn is_error(&self) -> bool {
        self.decision.is_none()
    }

    /// The texts that a person must be shown.
    pub(crate) fn shown(&self) -> Vec<String> {
        if self.is_error() { [self.contains.clone(), self.shows.clone()].concat() } else { self.shows.clone() }
    }

    /// Everything in which `seen` is not what is expected.
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

/// The texts that are not in `said`.
pub(crate) fn unsaid(texts: &[String], said: &str) -> Vec<String> {
    let missing = texts.iter().filter(|text| !said.contains(*text));
    missing.map(|text| format!("nothing says `{text}`, only: {said}")).collect()
}

fn differ<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T, misses: &mut Vec<String>) {
    if expected != found {
        misses.push(format!("{what}: expected {expected:?}, found {found:?}"));
    }
}
