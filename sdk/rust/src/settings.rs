//! Settings: from JSON to the author's type, or to problems with places.

mod decode;
mod error;
mod json;

use serde::de::DeserializeOwned;

use crate::settings::decode::Decoder;
use crate::settings::error::Error;
use crate::settings::json::Json;

/// One thing wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    /// A JSON pointer (RFC 6901) into the settings; empty for the whole.
    pub path: String,
    /// What was found and what is allowed.
    pub message: String,
}

/// The settings of a policy that has none: an empty object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

impl NoSettings {
    /// The JSON Schema of an empty object.
    pub const SCHEMA: &str =
        r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false}"#;
}

/// Decodes settings. After a problem at or below one key of the object, the key is set aside and the rest is read again, so
/// that all problems are found.
pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Result<T, Vec<SettingsProblem>> {
    let mut json: Json = serde_json::from_str(text).map_err(|cause| vec![not_json(&cause)])?;
    let mut problems = Vec::new();
    let mut set_aside: Vec<String> = Vec::new();
    loop {
        let error = match T::deserialize(Decoder::new(&json)) {
            Ok(settings) if problems.is_empty() => return Ok(settings),
            Ok(_) => return Err(problems),
            Err(error) => error,
        };
        // A key is missing only because it was set aside, and its own problem is already told.
        let consequence = error.missing().is_some_and(|key| set_aside.iter().any(|aside| aside == key));
        let key = error.first_key().map(str::to_owned);
        if !consequence {
            problems.push(problem(error));
        }
        match key {
            Some(key) if json.remove(&key) => set_aside.push(key),
            Some(_) | None => return Err(problems),
        }
    }
}

fn problem(error: Error) -> SettingsProblem {
    SettingsProblem { path: error.pointer(), message: error.into_message() }
}

fn not_json(cause: &serde_json::Error) -> SettingsProblem {
    SettingsProblem {
        path: String::new(),
        message: format!("found text that is not JSON ({cause}), allowed is a JSON document"),
    }
}

#[cfg(test)]
mod tests;
