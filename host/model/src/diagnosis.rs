//! What `smcp doctor` finds: one check after the other.

use crate::text::SafeText;
use crate::word::serialize_as_word;

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it should be.
    Ok,
    /// `run` works, and somebody should know this.
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

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// What was looked at; a stable name for machines.
    pub name: &'static str,
    /// How well it is.
    pub health: Health,
    /// What was found.
    pub message: SafeText,
    /// What to do, when there is something.
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

    /// What an error says: its first line is what was found, the rest is advice.
    pub fn failed(name: &'static str, health: Health, error: &str) -> Self {
        let mut lines = error.lines().map(str::trim).filter(|line| !line.is_empty());
        let check = Self::new(name, health, lines.next().unwrap_or_default());
        let rest: Vec<_> = lines.collect();
        if rest.is_empty() { check } else { check.advice(rest.join("; ")) }
    }
}

/// The worst of all checks.
pub fn worst(checks: &[Check]) -> Health {
    checks.iter().map(|check| check.health).max().unwrap_or(Health::Ok)
}
