//! Settings of the example.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The hosts that a server may ask for: `api.example.com`, or `*.example.com` for every host below it. No host
    /// when it is absent or empty.
    #[serde(default)]
    pub allow: Vec<String>,
}
