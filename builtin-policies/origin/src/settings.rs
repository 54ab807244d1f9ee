//! Settings of the origin check.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the origin check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The origins that may run, whatever their case; none when the list is empty, any when it is absent or null.
    #[serde(default)]
    pub allowed_origins: Option<Vec<String>>,
}
