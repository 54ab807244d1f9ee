//! Settings of the certification check.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde::de::Unexpected;

/// Settings of the certification check.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The lowest certification level that may run; 0 is no minimum.
    #[serde(default, deserialize_with = "level")]
    #[schemars(range(max = 3))]
    pub min_cert_level: u8,
    /// What it means when a package's score misses the requirement of its own level.
    #[serde(default)]
    pub cert_score_check: CertScoreCheck,
}

/// What it means when a package's score misses the requirement of its own level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CertScoreCheck {
    /// It is said, and does not block.
    #[default]
    Notice,
    /// It is a violation.
    Enforce,
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number = i64::deserialize(deserializer)?;
    u8::try_from(number)
        .ok()
        .filter(|level| *level <= 3)
        .ok_or_else(|| D::Error::invalid_value(Unexpected::Signed(number), &"a whole number from 0 to 3"))
}
