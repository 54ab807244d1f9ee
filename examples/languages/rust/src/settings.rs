//! Settings of the example.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the policy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The hosts that a server may ask for.
    pub allow: Vec<Host>,
}

/// The name of a host: not empty, without quotes, backslashes and control characters.
#[derive(Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Host(#[schemars(regex(pattern = r#"^[^"\\\x00-\x1f]+$"#))] String); // INVARIANT: checked by `TryFrom`.

impl TryFrom<String> for Host {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let is_bad = |char: char| char < ' ' || matches!(char, '"' | '\\');
        if name.is_empty() || name.contains(is_bad) {
            return Err("a host is a text, not empty, without quotes or backslashes");
        }
        Ok(Self(name))
    }
}

impl Host {
    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
