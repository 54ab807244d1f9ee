//! The results of `smcp doctor`: a list of checks.

use crate::text::SafeText;
use crate::word::serialize_as_word;

/// The health that a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It is as it should be.
    Ok,
    /// `run` works, but the user should know this.
    Warning,
    /// `run` can't work, or the audit log was changed.
    Problem,
}

impl Health {
    /// The word used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

serialize_as_word!(Health);

/// One check with its result.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// The name of the check; stable, for machines.
    pub name: &'static str,
    /// The health that it found.
    pub health: Health,
    /// The result, for people.
    pub message: SafeText,
    /// The advice; `None` when there is nothing to do.
    pub advice: Option<SafeText>,
}

impl Check {
    /// A check that found `message`.
    pub fn new(name: &'static str, health: Health, message: impl AsRef<str>) -> Self {
        Self { name, health, message: SafeText::new(message.as_ref()), advice: None }
    }

    /// The same check with advice.
    #[must_use]
    pub fn advice(self, advice: impl AsRef<str>) -> Self {
        Self { advice: Some(SafeText::new(advice.as_ref())), ..self }
    }

    /// A check that found an error: the first line of its text is the message, the rest is advice.
    pub fn failed(name: &'static str, health: Health, error: &str) -> Self {
        let mut lines = error.lines().map(str::trim).filter(|line| !line.is_empty());
        let check = Self::new(name, health, lines.next().unwrap_or_default());
        let rest: Vec<_> = lines.collect();
        if rest.is_empty() { check } else { check.advice(rest.join("; ")) }
    }
}

/// The worst health of all checks.
pub fn worst(checks: &[Check]) -> Health {
    checks.iter().map(|check| check.health).max().unwrap_or(Health::Ok)
}
