//! The JSON Schema of a policy's settings.

use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

/// A JSON Schema, kept as text: each process loads policies, and few look at a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct SettingsSchema(Arc<str>);

impl SettingsSchema {
    /// Takes what a component said. `None` when it is no schema: an object, `true` or `false`.
    pub(crate) fn new(text: String) -> Option<Self> {
        let schema: Value = serde_json::from_str(&text).ok()?;
        (schema.is_object() || schema.is_boolean()).then(|| Self::from(text))
    }

    /// The schema as a JSON value.
    pub fn value(&self) -> Value {
        // What was kept was taken by `new` before, and is read back with a proof that nothing changed it.
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl From<String> for SettingsSchema {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<SettingsSchema> for String {
    fn from(schema: SettingsSchema) -> Self {
        schema.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_an_object_or_a_boolean() {
        for (text, is_schema) in [
            ("{}", true),
            (r#"{"z": 1, "a": {"type": "string"}}"#, true),
            ("true", true),
            ("false", true),
            ("null", false),
            ("[]", false),
            ("1", false),
            (r#""{}""#, false),
            ("{", false),
            ("", false),
        ] {
            let schema = SettingsSchema::new(text.to_owned());
            assert_eq!(
                schema.map(|schema| schema.value()),
                is_schema.then(|| serde_json::from_str(text).unwrap()),
                "{text}"
            );
        }
    }
}
