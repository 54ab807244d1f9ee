//! Settings of the score check.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde::de::Unexpected;

/// Settings of the score check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The lowest security score that may run; 0 is no minimum.
    #[serde(default, deserialize_with = "score")]
    #[schemars(range(max = 100))]
    pub min_score: u8,
    /// A known score below this is worth a notice, which never blocks.
    #[serde(default = "default_warning_threshold", deserialize_with = "score")]
    #[schemars(range(max = 100))]
    pub warning_threshold: u8,
}

/// What certification level 2 asks for: below it, somebody should look.
fn default_warning_threshold() -> u8 {
    80
}

fn score<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number = i64::deserialize(deserializer)?;
    u8::try_from(number)
        .ok()
        .filter(|score| *score <= 100)
        .ok_or_else(|| D::Error::invalid_value(Unexpected::Signed(number), &"a whole number from 0 to 100"))
}
