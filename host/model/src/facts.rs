//! The facts that a registry gives about a package, and when one is unknown.

mod rating;

pub use rating::CertLevel;
pub use rating::RatingError;
pub use rating::RiskLabel;
pub use rating::Score;

use std::fmt;
use std::str::FromStr;

use crate::text::SafeText;

/// The kind of a package's publisher (spec section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Published by the registry's own organisation.
    Official,
    /// Published by an owner whose identity the registry has checked.
    Verified,
    /// Published by an owner whose identity is not checked.
    Community,
    /// An unknown word, trimmed.
    Other(String),
}

impl Origin {
    /// The three origins that a configuration may name.
    pub const KNOWN: [&str; 3] = ["official", "verified", "community"];

    /// Reads a registry's word, trimmed and in upper or lower case; `None` when it has only white space.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim();
        match word.to_ascii_lowercase().as_str() {
            "" => None,
            "official" => Some(Self::Official),
            "verified" => Some(Self::Verified),
            "community" => Some(Self::Community),
            _ => Some(Self::Other(word.to_owned())),
        }
    }

    /// The registry's own word, which [`Origin::from_word`] reads; not made harmless.
    pub fn word(&self) -> &str {
        match self {
            Self::Official => "official",
            Self::Verified => "verified",
            Self::Community => "community",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(SafeText::new(self.word()).as_str())
    }
}

/// The number of findings of each severity in the registry's analysis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct SeverityCounts {
    /// Critical findings.
    pub critical: u32,
    /// High findings.
    pub high: u32,
    /// Medium findings.
    pub medium: u32,
    /// Low findings.
    pub low: u32,
}

/// A text is not a list of counts by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected four numbers: critical,high,medium,low, such as 0,1,4,2")]
pub struct CountsError;

impl FromStr for SeverityCounts {
    type Err = CountsError;

    fn from_str(text: &str) -> Result<Self, CountsError> {
        let counts: Option<Vec<u32>> = text.split(',').map(|count| count.trim().parse().ok()).collect();
        match counts.as_deref() {
            Some(&[critical, high, medium, low]) => Ok(Self { critical, high, medium, low }),
            Some(_) | None => Err(CountsError),
        }
    }
}

/// A version's status, as the registry gives it (facts file, section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It may be used.
    Published,
    /// It may be used, but its author advises against it.
    Deprecated,
    /// Any other status: such a version never runs (spec section 3). Holds the registry's word.
    Refused(String),
}

impl Status {
    /// Every word that registries are known to use.
    pub const KNOWN: [&str; 7] = ["published", "deprecated", "draft", "ingested", "scanned", "quarantined", "revoked"];

    /// Reads a registry's word, with no change of case or white space. An unknown word is a refusal.
    pub fn from_word(word: &str) -> Self {
        match word {
            "published" => Self::Published,
            "deprecated" => Self::Deprecated,
            other => Self::Refused(other.to_owned()),
        }
    }

    /// The registry's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Published => "published",
            Self::Deprecated => "deprecated",
            Self::Refused(word) => word,
        }
    }
}

/// The facts that a registry vouches for. `None` is *unknown*, never a default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The version's status.
    pub status: Option<Status>,
    /// The kind of the package's publisher.
    pub origin: Option<Origin>,
    /// Its certification level.
    pub cert_level: Option<CertLevel>,
    /// Its security score.
    pub score: Option<Score>,
    /// The part of the score about the code.
    pub security_score: Option<Score>,
    /// The part of the score about dependencies and build.
    pub supply_chain_score: Option<Score>,
    /// The part of the score about maintenance.
    pub maturity_score: Option<Score>,
    /// The number of findings of each severity.
    pub findings: Option<SeverityCounts>,
    /// The commit it was built from.
    pub git_sha: Option<SafeText>,
    /// Statements of the registry that can't be true (out of range, wrong type, contradictory), one sentence each.
    /// The fact itself is then `None`.
    pub doubts: Vec<SafeText>,
}

impl Facts {
    /// The facts for a layer that doesn't trust the registry: all unknown.
    #[must_use]
    pub fn untrusted() -> Self {
        Self::default()
    }
}

/// A fact read from JSON: absent, known, or not a valid value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactReading<T> {
    /// The registry gives no value.
    Absent,
    /// The registry gives this value.
    Known(T),
    /// The registry gives a value that this fact can't have. Holds the value, for the message.
    Doubtful(String),
}

impl<T> FactReading<T> {
    /// Reads a fact that is a whole number. Strings, fractions and numbers out of range are doubtful; `null` is absent.
    pub fn integer(value: Option<&serde_json::Value>, new: impl Fn(u64) -> Option<T>) -> Self {
        match value {
            None | Some(serde_json::Value::Null) => Self::Absent,
            Some(value) => value.as_u64().and_then(new).map_or_else(|| Self::Doubtful(value.to_string()), Self::Known),
        }
    }

    /// Returns the fact. A doubtful value is recorded in `doubts` under `name`, and the fact is unknown.
    pub fn settle(self, name: &str, allowed: &str, doubts: &mut Vec<SafeText>) -> Option<T> {
        match self {
            Self::Absent => None,
            Self::Known(fact) => Some(fact),
            Self::Doubtful(found) => {
                let found = SafeText::quoted_value(&found);
                doubts.push(SafeText::new(&format!("{name} `{found}` is not {allowed}; it counts as unknown")));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_four_numbers() {
        let counts = SeverityCounts { critical: 0, high: 1, medium: 4, low: 2 };
        for good in ["0,1,4,2", " 0, 1 ,4,2"] {
            assert_eq!(good.parse(), Ok(counts), "{good}");
        }
        for bad in ["", "0,1,4", "0,1,4,2,0", "0,1,4,", "0,1,4,-2", "0,1,4,x", "0 1 4 2", "0,1,4,4294967296"] {
            assert_eq!(bad.parse::<SeverityCounts>(), Err(CountsError), "{bad}");
        }
    }

    #[test]
    fn a_value_that_is_not_an_integer_in_range_is_doubtful() {
        for text in ["72.5", "\"80\"", "true", "-1", "150", "1e400", "[80]", "80.0"] {
            let Ok(value) = serde_json::from_str(text) else { continue };
            let mut doubts = Vec::new();
            let score = FactReading::integer(Some(&value), Score::new).settle("score", "0 to 100", &mut doubts);
            assert_eq!((score, doubts.len()), (None, 1), "{text}");
        }
    }
}
